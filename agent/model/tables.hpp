// All that a model knows as tables of named columns, for whoever reads it without knowing its types: queries, JSON,
// documentation (TABLES.md). The one list of tables and columns is fields.hpp.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

#include "model.hpp"

namespace coroscope::model {

enum class CellType : std::uint8_t { integer, real, boolean, word, text, list };
std::string_view to_string(CellType type);

struct ColumnInfo {
    std::string_view name;
    CellType type = CellType::integer;
    std::string_view unit;  // "ns", "count", "task id" ...; "": none
    std::string_view meaning;
    std::string_view encoding;            // in a keyframe
    std::string_view base;                // the column that the encoding refers to; "": none
    bool internal = false;                // the fold's own notes: nothing to show
    std::vector<std::string_view> words;  // of a word: those known here, by number
};

struct TableInfo {
    std::string_view name;
    std::string_view meaning;
    std::vector<ColumnInfo> columns;

    std::optional<std::size_t> column(std::string_view name) const;
};

// Every table, in the order of a keyframe.
const std::vector<TableInfo>& table_infos();

// By the column's type: integer (two alternatives), real, boolean, word or text, list of ids. A word is the name that
// the app gave if only the app knows it.
using Cell = std::variant<std::uint64_t, std::int64_t, double, bool, std::string_view, std::span<const std::uint32_t>>;

// The rows that a table of a model has now. Valid, as are its cells, until the model's next apply().
class Table {
public:
    // An unknown name gives a table without columns and rows.
    Table(const Model& model, std::string_view name);
    ~Table();
    Table(Table&&) noexcept;
    Table& operator=(Table&&) noexcept;

    const TableInfo& info() const { return *info_; }
    std::size_t rows() const;
    // Both numbers must be of a row and a column that there are.
    Cell cell(std::size_t row, std::size_t column) const;

private:
    struct Rows;
    template <const auto& entity>
    struct RowsOf;

    const TableInfo* info_;
    const Model* model_;
    std::unique_ptr<Rows> rows_;
};

}  // namespace coroscope::model
