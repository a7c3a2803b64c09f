// A fold as a message: all its tables.
#include "columns_out.hpp"
#include "rows.hpp"

namespace coroscope::model {

void Model::Fold::save(v2::Keyframe& out) const {
    out.Clear();
    *out.mutable_hello() = hello;
    for_each_table([&] < const auto& entity > {
        const RowType<RowOf<entity>> type;
        const std::size_t most_rows = row_count(*this, type);
        if (most_rows == 0) return;
        TableWriter<entity> table(*out.add_tables(), most_rows);
        for_each_row(*this, type, [&](const RowOf<entity>& row) { table.add(row); });
        table.finish();
    });
}

}  // namespace coroscope::model
