// Tables of a model: the field lists at run time.
#include "tables.hpp"

#include <algorithm>
#include <deque>

#include "rows.hpp"

namespace coroscope::model {

namespace {

template <typename Type>
constexpr CellType cell_type() {
    if constexpr (std::is_same_v<Type, bool>)
        return CellType::boolean;
    else if constexpr (std::is_enum_v<Type>)
        return CellType::word;
    else if constexpr (std::is_same_v<Type, double>)
        return CellType::real;
    else if constexpr (Number<Type>)
        return CellType::integer;
    else if constexpr (std::is_same_v<Type, std::string>)
        return CellType::text;
    else
        return CellType::list;
}

// The name of the field with this member.
template <const auto& entity, typename Member>
std::string_view name_of(const Member& member) {
    std::string_view name;
    for_each_field<entity>([&]<typename Field>(const Field& field, auto) {
        if constexpr (std::is_same_v<decltype(field.member), Member>)
            if (field.member == member) name = field.name;
    });
    return name;
}

template <const auto& entity, typename Field>
ColumnInfo column_info(const Field& field) {
    using Type = ValueOf<RowOf<entity>, Field>;
    ColumnInfo info;
    info.name = field.name;
    info.type = cell_type<Type>();
    info.unit = to_string(field.unit);
    info.meaning = field.meaning;
    info.encoding = Field::Encoding::name;
    if constexpr (requires { field.encoding.base; }) info.base = name_of<entity>(field.encoding.base);
    info.internal = field.audience == Audience::fold;
    if constexpr (std::is_enum_v<Type>)
        for (std::uint64_t each = 0; each <= range_of(Type{}).last; ++each)
            info.words.push_back(to_string(static_cast<Type>(each)));
    return info;
}

template <const auto& entity>
TableInfo table_info() {
    TableInfo info{entity.name, entity.meaning, {}};
    for_each_field<entity>([&](const auto& field, auto) { info.columns.push_back(column_info<entity>(field)); });
    return info;
}

// The vocabulary's table that an enum is, where an app may add to it.
constexpr vocabulary::Table terms_of(Verb) { return vocabulary::Table::verb; }
constexpr vocabulary::Table terms_of(Role) { return vocabulary::Table::role; }
constexpr vocabulary::Table terms_of(ResourceType) { return vocabulary::Table::resource_type; }
constexpr vocabulary::Table terms_of(Outcome) { return vocabulary::Table::outcome; }
constexpr vocabulary::Table terms_of(ReportKind) { return vocabulary::Table::report_kind; }
constexpr vocabulary::Table terms_of(CancelOrigin) { return vocabulary::Table::cancel_origin; }

template <typename Type>
Cell to_cell(const Model& model, const Type& value) {
    if constexpr (requires { terms_of(value); })
        return model.term(terms_of(value), static_cast<std::uint32_t>(value));
    else if constexpr (std::is_enum_v<Type>)
        return to_string(value);
    else if constexpr (std::is_same_v<Type, std::string>)
        return std::string_view(value);
    else if constexpr (std::is_same_v<Type, std::vector<std::uint32_t>>)
        return std::span<const std::uint32_t>(value);
    else if constexpr (std::is_same_v<Type, bool> || std::is_same_v<Type, double> || std::is_same_v<Type, std::int64_t>)
        return value;
    else
        return std::uint64_t{value};
}

}  // namespace

std::string_view to_string(CellType type) {
    switch (type) {
        case CellType::integer: return "integer";
        case CellType::real: return "real";
        case CellType::boolean: return "boolean";
        case CellType::word: return "word";
        case CellType::text: return "text";
        case CellType::list: return "list of ids";
    }
    return "?";
}

std::optional<std::size_t> TableInfo::column(std::string_view wanted) const {
    const auto found =
        std::find_if(columns.begin(), columns.end(), [&](const auto& each) { return each.name == wanted; });
    if (found == columns.end()) return std::nullopt;
    return static_cast<std::size_t>(found - columns.begin());
}

const std::vector<TableInfo>& table_infos() {
    static const std::vector<TableInfo> infos = [] {
        std::vector<TableInfo> all;
        for_each_table([&] < const auto& entity > { all.push_back(table_info<entity>()); });
        return all;
    }();
    return infos;
}

struct Table::Rows {
    virtual ~Rows() = default;
    virtual std::size_t size() const = 0;
    virtual Cell cell(const Model& model, std::size_t row, std::size_t column) const = 0;
};

template <const auto& entity>
struct Table::RowsOf : Table::Rows {
    using Row = RowOf<entity>;

    explicit RowsOf(const Model::Fold& fold) {
        for_each_row(fold, RowType<Row>{}, [&]<typename Given>(Given&& row) {
            if constexpr (std::is_lvalue_reference_v<Given>)
                all.push_back(&row);  // the fold keeps it
            else
                all.push_back(&made.emplace_back(std::forward<Given>(row)));
        });
    }
    std::size_t size() const override { return all.size(); }
    Cell cell(const Model& model, std::size_t row, std::size_t column) const override {
        Cell cell;
        for_each_field<entity>([&](const auto& field, auto index) {
            if (index == column) cell = to_cell(model, get(*all[row], field.member));
        });
        return cell;
    }

    std::deque<Row> made;
    std::vector<const Row*> all;
};

Table::Table(const Model& model, std::string_view name) : model_(&model) {
    static const TableInfo none;
    info_ = &none;
    std::size_t index = 0;
    for_each_table([&] < const auto& entity > {
        if (entity.name == name) {
            info_ = &table_infos()[index];
            rows_ = std::make_unique<RowsOf<entity>>(*model.fold_);
        }
        ++index;
    });
}
Table::~Table() = default;
Table::Table(Table&&) noexcept = default;
Table& Table::operator=(Table&&) noexcept = default;

std::size_t Table::rows() const { return rows_ == nullptr ? 0 : rows_->size(); }
Cell Table::cell(std::size_t row, std::size_t column) const { return rows_->cell(*model_, row, column); }

}  // namespace coroscope::model
