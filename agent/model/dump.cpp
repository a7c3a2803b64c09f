// The text of every part of a fold: a line for each row, with the fields that are not the default.
#include "dump.hpp"

#include <iomanip>
#include <limits>
#include <sstream>

#include "rows.hpp"

namespace coroscope::model {

namespace {

void put(std::ostream& out, std::string_view name, std::string_view text) {
    if (!text.empty()) out << ' ' << name << '=' << text;
}
void put(std::ostream& out, std::string_view name, const std::vector<std::uint32_t>& list) {
    if (list.empty()) return;
    out << ' ' << name << '=';
    for (const std::uint32_t item : list) out << item << ',';
}
template <Number Type>
void put(std::ostream& out, std::string_view name, Type value) {
    if (to_number(value) == 0) return;
    if constexpr (std::is_same_v<Type, bool>)
        out << ' ' << name;
    else if constexpr (std::is_same_v<Type, std::uint8_t>)
        out << ' ' << name << '=' << unsigned{value};
    else if constexpr (std::is_enum_v<Type>)
        to_number(value) <= range_of(value).last ? out << ' ' << name << '=' << to_string(value)
                                                 : out << ' ' << name << '=' << to_number(value);
    else
        out << ' ' << name << '=' << value;
}

}  // namespace

std::string dump(const Model& model) {
    const Model::Fold& fold = *model.fold_;
    std::ostringstream out;
    out << std::setprecision(std::numeric_limits<double>::max_digits10);
    out << "hello " << fold.hello.ShortDebugString() << '\n';
    for_each_table([&] < const auto& entity > {
        for_each_row(fold, RowType<RowOf<entity>>{}, [&](const RowOf<entity>& row) {
            out << entity.name;
            for_each_field<entity>([&](const auto& field, auto) { put(out, field.name, get(row, field.member)); });
            out << '\n';
        });
    });
    return out.str();
}

}  // namespace coroscope::model
