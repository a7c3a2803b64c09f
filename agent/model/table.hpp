// What an entity's table is: a name, a row type and one list of fields. Everything that has to treat all fields of an
// entity alike (keyframe, dump, JSON, queries, documentation) loops over this list; the lists are in fields.hpp.
//
// Standard library only, constexpr: a loop over fields unrolls to the code one would have written by hand.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace coroscope::model {

// What a number counts or refers to.
enum class Unit : std::uint8_t { none, id, ns, count, task, node, site, name, value, loop, thread, resource };

constexpr std::string_view to_string(Unit unit) {
    switch (unit) {
        case Unit::none: return "";
        case Unit::id: return "id";
        case Unit::ns: return "ns";
        case Unit::count: return "count";
        case Unit::task: return "task id";
        case Unit::node: return "node id";
        case Unit::site: return "site id";
        case Unit::name: return "name id";
        case Unit::value: return "value id";
        case Unit::loop: return "loop id";
        case Unit::thread: return "thread id";
        case Unit::resource: return "resource id";
    }
    return "?";
}

// How a number is written in a keyframe: encode() gives its code, decode() the number again. Numbers wrap at 2^64, so
// that any number may come back. `base` is what the code is relative to.
struct Plain {
    static constexpr std::string_view name = "plain";
    static constexpr bool is_difference = false;
};
struct Delta {  // minus the number in the row before, 0 before the first
    static constexpr std::string_view name = "minus the row before";
    static constexpr bool is_difference = true;
    static constexpr std::uint64_t encode(std::uint64_t number, std::uint64_t base) { return number - base; }
    static constexpr std::uint64_t decode(std::uint64_t code, std::uint64_t base) { return base + code; }
};
// Minus another field of the same row, which stands before it in the list. 0 says "unknown" or "none": its code is -1,
// as short as that of a small difference, and what would have been -1 has the code that 0 would have had.
template <typename Member>
struct Near {
    Member base;
    static constexpr std::string_view name = "near";
    static constexpr bool is_difference = true;
    static constexpr std::uint64_t minus_one = ~std::uint64_t{0};
    static constexpr std::uint64_t encode(std::uint64_t number, std::uint64_t base) {
        if (number == 0) return minus_one;
        return number - base == minus_one ? std::uint64_t{0} - base : number - base;
    }
    static constexpr std::uint64_t decode(std::uint64_t code, std::uint64_t base) {
        if (code == minus_one) return 0;
        return code == std::uint64_t{0} - base ? base - 1 : base + code;
    }
};
// The end of what began at another field of the same row, which stands before it in the list: 0 for 0 ("it has not
// ended"), else one more than the length (of what began at 0, the number itself). What would end before it begins is
// read as of length 0, and what would end after the end of time as ending there.
template <typename Member>
struct After {
    Member base;
    static constexpr std::string_view name = "after";
    static constexpr bool is_difference = false;
    static constexpr std::uint64_t encode(std::uint64_t number, std::uint64_t base) {
        if (number == 0 || base == 0) return number;
        return number <= base ? 1 : number - base + 1;
    }
    static constexpr std::uint64_t decode(std::uint64_t code, std::uint64_t base) {
        if (code == 0 || base == 0) return code;
        return base + (code - 1 < ~base ? code - 1 : ~base);
    }
};
inline constexpr Plain plain;
inline constexpr Delta delta;
template <typename Member>
constexpr Near<Member> near(Member base) {
    return {base};
}
template <typename Member>
constexpr After<Member> after(Member base) {
    return {base};
}

// A member of a member: path(&Task::wait, &Wait::kind).
template <typename Outer, typename Inner>
struct Path {
    Outer outer;
    Inner inner;
};
template <typename Outer, typename Inner>
constexpr Path<Outer, Inner> path(Outer outer, Inner inner) {
    return {outer, inner};
}

enum class Audience : std::uint8_t {
    all,
    fold,  // the fold's own notes: in keyframes and dumps, not in JSON
};

template <typename Member, typename EncodingType>
struct Field {
    using Encoding = EncodingType;
    std::string_view name;
    Member member;
    Encoding encoding;
    Unit unit;
    std::string_view meaning;
    Audience audience;
};
template <typename Member, typename Encoding>
constexpr Field<Member, Encoding> field(std::string_view name, Member member, Encoding encoding, Unit unit,
                                        std::string_view meaning, Audience audience = Audience::all) {
    return {name, member, encoding, unit, meaning, audience};
}

// A member that is no column: `where` says what keeps it instead.
template <typename Member>
struct Elsewhere {
    Member member;
    std::string_view where;
};
template <typename Member>
constexpr Elsewhere<Member> elsewhere(Member member, std::string_view where) {
    return {member, where};
}

template <typename RowType, typename... Items>
struct Entity {
    using Row = RowType;
    std::string_view name;
    std::string_view meaning;
    std::tuple<Items...> items;  // Field or Elsewhere
};
template <typename Row, typename... Items>
constexpr Entity<Row, Items...> entity(std::string_view name, std::string_view meaning, Items... items) {
    return {name, meaning, {items...}};
}

template <typename Item>
inline constexpr bool is_field = false;
template <typename Member, typename Encoding>
inline constexpr bool is_field<Field<Member, Encoding>> = true;

// Calls visit(field, index) with each field; the index is a std::integral_constant.
template <const auto& entity, typename Visit>
constexpr void for_each_field(Visit visit) {
    using Items = std::remove_cvref_t<decltype(entity.items)>;
    const auto visit_item = [&]<std::size_t item>() {
        if constexpr (is_field<std::tuple_element_t<item, Items>>) {
            constexpr std::size_t index = []<std::size_t... before>(std::index_sequence<before...>) {
                return (std::size_t{0} + ... + (is_field<std::tuple_element_t<before, Items>> ? 1 : 0));
            }(std::make_index_sequence<item>{});
            visit(std::get<item>(entity.items), std::integral_constant<std::size_t, index>{});
        }
    };
    [&]<std::size_t... item>(std::index_sequence<item...>) {
        (visit_item.template operator()<item>(), ...);
    }(std::make_index_sequence<std::tuple_size_v<Items>>{});
}

template <const auto& entity>
using RowOf = typename std::remove_cvref_t<decltype(entity)>::Row;

template <const auto& entity>
inline constexpr std::size_t field_count = [] {
    std::size_t count = 0;
    for_each_field<entity>([&](const auto&, auto) { ++count; });
    return count;
}();

// The member of a row. A row that keeps a part of its members in another object has a function shown(row) that returns
// this object.
template <typename Row, typename Class, typename Type>
constexpr auto& get(Row& row, Type Class::* member) {
    if constexpr (std::is_base_of_v<Class, std::remove_const_t<Row>>)
        return row.*member;
    else
        return shown(row).*member;
}
template <typename Row, typename Outer, typename Inner>
constexpr auto& get(Row& row, const Path<Outer, Inner>& path) {
    return get(row, path.outer).*path.inner;
}

template <typename Row, typename Field>
using ValueOf = std::remove_cvref_t<decltype(get(std::declval<Row&>(), std::declval<const Field&>().member))>;

// Integers, bool, enums, and reals by their bits; other values are texts and lists of ids.
template <typename Type>
concept Number = std::is_integral_v<Type> || std::is_enum_v<Type> || std::is_same_v<Type, double>;
template <Number Type>
constexpr std::uint64_t to_number(Type value) {
    if constexpr (std::is_same_v<Type, double>)
        return std::bit_cast<std::uint64_t>(value);
    else
        return static_cast<std::uint64_t>(value);
}

// How many members an aggregate has, a base class counted as one: the greatest number of values that initialise it.
struct AnyValue {
    template <typename Type>
    operator Type() const {
        throw std::logic_error("AnyValue is never converted");
    }
};
template <typename Type, std::size_t... each>
consteval bool takes(std::index_sequence<each...>) {
    return requires { Type{(static_cast<void>(each), AnyValue{})...}; };
}
template <typename Type, std::size_t count = 0>
consteval std::size_t member_count() {
    if constexpr (takes<Type>(std::make_index_sequence<count + 1>{}))
        return member_count<Type, count + 1>();
    else
        return count;
}

// The member of `Class` that an item of a list stands for; nullptr: of none.
template <typename Class, typename Other, typename Type>
constexpr auto member_of(Type Other::* member) {
    if constexpr (std::is_same_v<Class, Other>)
        return member;
    else
        return nullptr;
}
template <typename Class, typename Outer, typename Inner>
constexpr auto member_of(const Path<Outer, Inner>& path) {
    if constexpr (std::is_same_v<decltype(member_of<Class>(path.outer)), std::nullptr_t>)
        return member_of<Class>(path.inner);
    else
        return path.outer;
}

// The number of members of `Class` that a list names, those of its bases not counted. A member of which several parts
// are columns counts once.
template <typename Class, const auto& entity>
consteval std::size_t listed_members() {
    const auto counts = [](const auto& one, const auto&... before) {
        const auto member = member_of<Class>(one.member);
        if constexpr (std::is_same_v<decltype(member), const std::nullptr_t>) {
            return false;
        } else {
            const auto same = [&](const auto& other) {
                if constexpr (std::is_same_v<decltype(other), decltype(member)&>)
                    return other == member;
                else
                    return false;
            };
            return !(same(member_of<Class>(before.member)) || ...);
        }
    };
    const auto& items = entity.items;
    return [&]<std::size_t... item>(std::index_sequence<item...>) {
        const auto count_one = [&]<std::size_t one, std::size_t... before>(std::integral_constant<std::size_t, one>,
                                                                           std::index_sequence<before...>) {
            return counts(std::get<one>(items), std::get<before>(items)...) ? std::size_t{1} : std::size_t{0};
        };
        return (std::size_t{0} + ... +
                count_one(std::integral_constant<std::size_t, item>{}, std::make_index_sequence<item>{}));
    }(std::make_index_sequence<std::tuple_size_v<std::remove_cvref_t<decltype(items)>>>{});
}

}  // namespace coroscope::model
