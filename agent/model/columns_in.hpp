// The columns of a keyframe's tables to rows. Trusts nothing: read() says whether a row makes sense.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <limits>
#include <map>

#include "coroscope/v2/keyframe.pb.h"
#include "fields.hpp"

namespace coroscope::model {

// False: the number is none that the type has.
template <Number Type>
constexpr bool from_number(std::uint64_t number, Type& value) {
    if constexpr (std::is_same_v<Type, double>) {
        value = std::bit_cast<double>(number);
        return true;
    } else if constexpr (std::is_same_v<Type, std::int64_t>) {
        value = static_cast<std::int64_t>(number);
        return true;
    } else if constexpr (std::is_enum_v<Type>) {
        constexpr EnumRange range = range_of(Type{});
        if (number > range.last && range.unknown == Unknown::as_zero) number = 0;
        std::underlying_type_t<Type> bits = 0;
        const bool fits = from_number(number, bits);
        value = static_cast<Type>(bits);
        return fits && (number <= range.last || range.unknown == Unknown::kept);
    } else {
        value = static_cast<Type>(number);
        return number <= static_cast<std::uint64_t>(std::numeric_limits<Type>::max());
    }
}

template <const auto& entity>
class TableReader {
public:
    using Row = RowOf<entity>;

    // A table that is not there (nullptr) has no rows. Columns that no field has are counted in `unknown`.
    TableReader(const v2::Table* in, std::uint64_t& unknown) {
        if (in == nullptr) return;
        rows_ = in->rows();
        std::uint64_t longest = 0;
        for (const v2::Column& column : in->columns()) {
            const int most = std::max({column.values_size(), column.differences_size(), column.texts_size()});
            longest = std::max(longest, static_cast<std::uint64_t>(most));
            if (!take(column)) ++unknown;
        }
        // Some column has an entry for each row: the number of rows is at most the size of what was sent.
        usable_ = usable_ && rows_ <= longest;
    }

    bool usable() const { return usable_; }  // what there is has a size that fits
    std::size_t rows() const { return static_cast<std::size_t>(rows_); }
    bool at_end() const { return next_ == rows_; }

    // The next row. A field without a column is left as it is. False: a value that its field cannot have.
    bool read(Row& row) {
        bool good = true;
        for_each_field<entity>([&]<typename Field>(const Field& field, auto index) {
            Column& column = columns_[index];
            if (column.message == nullptr) return;
            auto& value = get(row, field.member);
            using Type = ValueOf<Row, Field>;
            if constexpr (Number<Type>) {
                const std::uint64_t number = decode(row, field, column.codes[next_ & column.mask], column);
                good &= from_number(number, value);
            } else if constexpr (std::is_same_v<Type, std::string>) {
                value = column.message->texts(static_cast<int>(next_));
            } else {
                const std::uint64_t* items = column.codes + column.before;
                const std::uint32_t length = column.message->lengths(static_cast<int>(next_));
                column.before += length;
                value.clear();
                for (const std::uint64_t* item = items; item != items + length; ++item)
                    good &= from_number(*item, value.emplace_back());
            }
        });
        ++next_;
        return good;
    }

private:
    struct Column {
        const v2::Column* message = nullptr;
        const std::uint64_t* codes = nullptr;
        std::size_t mask = 0;      // 0: one code for all rows
        std::uint64_t before = 0;  // the number in the row before; of lists: the items before
    };

    // False: no field has this column.
    bool take(const v2::Column& message) {
        bool known = false;
        for_each_field<entity>([&]<typename Field>(const Field& field, auto index) {
            if (field.name != message.name()) return;
            known = true;
            Column& column = columns_[index];
            usable_ = usable_ && column.message == nullptr;  // not twice
            column.message = &message;
            using Type = ValueOf<Row, Field>;
            if constexpr (std::is_same_v<Type, std::string>) {
                usable_ = usable_ && has_rows(message.texts_size());
            } else if constexpr (!Number<Type>) {
                std::uint64_t items = 0;
                for (const std::uint32_t length : message.lengths()) items += length;
                column.codes = message.values().data();
                usable_ = usable_ && has_rows(message.lengths_size()) &&
                          items == static_cast<std::uint64_t>(message.values_size());
            } else {
                int size = 0;
                if constexpr (Field::Encoding::is_difference) {
                    size = message.differences_size();
                    column.codes = reinterpret_cast<const std::uint64_t*>(message.differences().data());
                } else {
                    size = message.values_size();
                    column.codes = message.values().data();
                }
                column.mask = size == 1 ? 0 : ~std::size_t{0};
                usable_ = usable_ && (size == 1 || has_rows(size));
            }
        });
        return known;
    }
    bool has_rows(int size) const { return static_cast<std::uint64_t>(size) == rows_; }

    template <typename Field>
    static std::uint64_t decode(const Row& row, const Field& field, std::uint64_t code, Column& column) {
        using Encoding = typename Field::Encoding;
        if constexpr (std::is_same_v<Encoding, Plain>)
            return code;
        else if constexpr (std::is_same_v<Encoding, Delta>)
            return column.before = Delta::decode(code, column.before);
        else
            return Encoding::decode(code, to_number(get(row, field.encoding.base)));
    }

    std::uint64_t rows_ = 0, next_ = 0;
    bool usable_ = true;
    std::array<Column, field_count<entity>> columns_;
};

// The tables of a keyframe, by entity.
class TablesIn {
public:
    explicit TablesIn(const v2::Keyframe& in) {
        for (const v2::Table& table : in.tables()) {
            bool known = false;
            for_each_table([&] < const auto& entity > { known = known || entity.name == table.entity(); });
            if (known)
                usable_ &= tables_.try_emplace(table.entity(), &table).second;  // not twice
            else
                unknown_ += static_cast<std::uint64_t>(table.columns_size());
        }
    }

    bool usable() const { return usable_; }
    // Columns, also those of tables, that no field has; complete when all tables have been opened.
    std::uint64_t unknown() const { return unknown_; }

    template <const auto& entity>
    TableReader<entity> open() {
        const auto found = tables_.find(entity.name);
        return {found == tables_.end() ? nullptr : found->second, unknown_};
    }
    // Calls take(row) with each row. False: the table makes no sense, or take() said so.
    template <const auto& entity, typename Take>
    bool read(Take take) {
        TableReader<entity> table = open<entity>();
        if (!table.usable()) return false;
        RowOf<entity> row;
        while (!table.at_end())
            if (!table.read(row) || !take(row)) return false;
        return true;
    }

private:
    std::map<std::string_view, const v2::Table*> tables_;
    std::uint64_t unknown_ = 0;
    bool usable_ = true;
};

}  // namespace coroscope::model
