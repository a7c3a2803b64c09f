// Rows to the columns of a keyframe's table.
//
// What says nothing is left out: a column in which each value is the default of its field, and all entries but one of a
// column in which all codes are equal.
#pragma once

#include <array>

#include "coroscope/v2/keyframe.pb.h"
#include "fields.hpp"

namespace coroscope::model {

template <const auto& entity>
class TableWriter {
public:
    using Row = RowOf<entity>;

    // `most_rows` is the maximum number of rows to come.
    TableWriter(v2::Table& out, std::size_t most_rows) : out_(out) {
        out.set_entity(std::string(entity.name));
        for_each_field<entity>([&]<typename Field>(const Field& field, auto index) {
            Column& column = columns_[index];
            column.message = out.add_columns();
            column.message->set_name(std::string(field.name));
            if constexpr (!Number<ValueOf<Row, Field>>) return;
            const int size = static_cast<int>(most_rows);
            if constexpr (Field::Encoding::is_difference)
                column.next = reinterpret_cast<std::uint64_t*>(room(*column.message->mutable_differences(), size));
            else
                column.next = room(*column.message->mutable_values(), size);
        });
    }

    void add(const Row& row) {
        for_each_field<entity>([&]<typename Field>(const Field& field, auto index) {
            Column& column = columns_[index];
            const auto& value = get(row, field.member);
            if constexpr (Number<ValueOf<Row, Field>>)
                column.put(to_number(value), code(row, field, to_number(value), column), rows_ == 0);
            else
                column.put(value);
        });
        ++rows_;
    }

    // After the last row: only then the table is complete.
    void finish() {
        out_.set_rows(rows_);
        const int rows = static_cast<int>(rows_);
        int kept = 0;
        for_each_field<entity>([&]<typename Field>(const Field&, auto index) {
            Column& column = columns_[index];
            // The first field shows how many rows there are: a reader trusts no number that was not paid for.
            const int size = index != 0 && column.changes == 0 ? 1 : rows;
            if constexpr (Number<ValueOf<Row, Field>>) {
                if constexpr (Field::Encoding::is_difference)
                    column.message->mutable_differences()->Truncate(size);
                else
                    column.message->mutable_values()->Truncate(size);
            }
            if (index != 0 && column.any == 0) return;
            if (kept != static_cast<int>(index)) out_.mutable_columns()->SwapElements(kept, static_cast<int>(index));
            ++kept;
        });
        out_.mutable_columns()->DeleteSubrange(kept, out_.columns_size() - kept);
    }

private:
    struct Column {
        v2::Column* message = nullptr;
        std::uint64_t* next = nullptr;  // where the next row's code is written
        std::uint64_t before = 0;       // the number in the row before
        std::uint64_t first = 0;        // the code of the first row
        std::uint64_t changes = 0;      // bits in which a later code differs from it
        std::uint64_t any = 0;          // bits of all numbers; not 0: some value is not the default

        void put(std::uint64_t number, std::uint64_t code, bool is_first) {
            if (is_first) first = code;
            changes |= code ^ first;
            any |= number;
            before = number;
            *next++ = code;
        }
        void put(const std::string& text) {
            any |= text.size();
            message->add_texts(text);
        }
        void put(const std::vector<std::uint32_t>& list) {
            any |= list.size();
            message->mutable_values()->Add(list.begin(), list.end());
            message->add_lengths(static_cast<std::uint32_t>(list.size()));
        }
    };

    template <typename Numbers>
    static auto* room(Numbers& numbers, int size) {
        numbers.Reserve(size);
        return numbers.AddNAlreadyReserved(size);
    }

    template <typename Field>
    static std::uint64_t code(const Row& row, const Field& field, std::uint64_t number, const Column& column) {
        using Encoding = typename Field::Encoding;
        if constexpr (std::is_same_v<Encoding, Plain>)
            return number;
        else if constexpr (std::is_same_v<Encoding, Delta>)
            return Delta::encode(number, column.before);
        else
            return Encoding::encode(number, to_number(get(row, field.encoding.base)));
    }

    v2::Table& out_;
    std::array<Column, field_count<entity>> columns_;
    std::uint64_t rows_ = 0;
};

}  // namespace coroscope::model
