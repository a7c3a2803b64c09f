// Tables of a model: each can be read cell by cell without knowing its types; the page that describes them is up to
// date.
#include "agent/model/tables.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <optional>
#include <set>
#include <sstream>

#include "agent/model/table.hpp"
#include "coroscope/v2/events.pb.h"
#include "coroscope/v2/session.pb.h"
#include "history.hpp"

namespace coroscope::model::test {
namespace {

struct Inner {
    int a = 0, b = 0;
};
struct Base {
    int c = 0;
};
struct Outer : Base {
    Inner inner;
    std::string text;
    std::optional<Inner> maybe;
    bool flag = false;
};
inline constexpr auto whole =
    entity<Outer>("outer", "", field("a", path(&Outer::inner, &Inner::a), plain, Unit::none, ""),
                  field("b", path(&Outer::inner, &Inner::b), plain, Unit::none, ""),
                  field("text", &Outer::text, plain, Unit::none, ""), field("c", &Base::c, plain, Unit::none, ""),
                  elsewhere(&Outer::maybe, ""), field("flag", &Outer::flag, plain, Unit::none, ""));

// What the static_asserts of fields.hpp rest on: members are counted, and those listed, so that one forgotten shows.
TEST(FieldList, CountsMembers) {
    static_assert(member_count<Inner>() == 2);
    static_assert(member_count<Outer>() == 5, "a base counts as one");
    static_assert(listed_members<Outer, whole>() == 4, "parts of one member count once");
    static_assert(listed_members<Inner, whole>() == 2);
    static_assert(listed_members<Base, whole>() == 1);
    static_assert(field_count<whole> == 5);
}

TEST(FieldList, EveryNumberComesBack) {
    const std::uint64_t most = ~std::uint64_t{0};
    const std::uint64_t half = std::uint64_t{1} << 63;
    const std::uint64_t numbers[] = {0, 1, 2, 99, 100, 101, half - 1, half, half + 1, most - 1, most};
    for (const std::uint64_t base : numbers) {
        for (const std::uint64_t number : numbers) {
            EXPECT_EQ(Delta::decode(Delta::encode(number, base), base), number);
            using Near = Near<int Inner::*>;
            EXPECT_EQ(Near::decode(Near::encode(number, base), base), number) << "near " << base;
            using After = After<int Inner::*>;
            const std::uint64_t time = After::decode(After::encode(number, base), base);
            EXPECT_EQ(time, number == 0 || number >= base ? number : base) << "after " << base;
        }
    }
}

std::string text_of(const Cell& cell) {
    std::ostringstream out;
    if (const auto* number = std::get_if<std::uint64_t>(&cell)) out << *number;
    if (const auto* integer = std::get_if<std::int64_t>(&cell)) out << *integer;
    if (const auto* real = std::get_if<double>(&cell)) out << *real;
    if (const auto* flag = std::get_if<bool>(&cell)) out << (*flag ? "true" : "false");
    if (const auto* text = std::get_if<std::string_view>(&cell)) out << *text;
    if (const auto* list = std::get_if<std::span<const std::uint32_t>>(&cell))
        for (const std::uint32_t id : *list) out << id << ' ';
    return out.str();
}

TEST(Tables, EveryCellOfAModelCanBeRead) {
    Model model;
    v2::Hello hello;
    hello.set_slow_step_ns(60);  // so that there are long steps
    model.set_hello(hello);
    HistoryOptions options;
    options.losses = true;
    std::uint64_t sequence = 0;
    for (const v2::Batch& batch : random_history(2, options)) {
        model.apply(batch);
        sequence = batch.sequence();
    }
    v2::Batch newer;  // what random histories do not have
    newer.set_sequence(sequence + 1);
    newer.add_kinds()->set_id(150);
    newer.add_runtimes()->set_id(1);
    newer.add_resources()->set_id(1'000'000);
    newer.add_closed_resources()->set_id(1'000'000);
    model.apply(newer);
    for (const TableInfo& info : table_infos()) {
        SCOPED_TRACE(info.name);
        const Table table(model, info.name);
        EXPECT_GT(table.rows(), 0u);
        std::set<std::string_view> names;
        for (std::size_t column = 0; column < info.columns.size(); ++column) {
            SCOPED_TRACE(info.columns[column].name);
            EXPECT_TRUE(names.insert(info.columns[column].name).second) << "twice";
            EXPECT_FALSE(info.columns[column].meaning.empty());
            for (std::size_t row = 0; row < table.rows(); ++row) {
                const Cell cell = table.cell(row, column);
                switch (info.columns[column].type) {
                    case CellType::integer:
                        EXPECT_TRUE(std::holds_alternative<std::uint64_t>(cell) ||
                                    std::holds_alternative<std::int64_t>(cell));
                        break;
                    case CellType::real: EXPECT_TRUE(std::holds_alternative<double>(cell)); break;
                    case CellType::boolean: EXPECT_TRUE(std::holds_alternative<bool>(cell)); break;
                    case CellType::word:
                    case CellType::text: EXPECT_TRUE(std::holds_alternative<std::string_view>(cell)); break;
                    case CellType::list: EXPECT_TRUE(std::holds_alternative<std::span<const std::uint32_t>>(cell));
                }
                if (info.columns[column].type == CellType::word) {
                    EXPECT_NE(text_of(cell), "?");
                }
            }
        }
    }
}

TEST(Tables, SayWhatTheModelSays) {
    Model model;
    for (const v2::Batch& batch : random_history(3)) model.apply(batch);
    const Table tasks(model, "task");
    const auto cell = [&](std::size_t row, std::string_view column) {
        return tasks.cell(row, tasks.info().column(column).value());
    };
    const std::vector<const Task*> all = model.all_tasks();
    ASSERT_EQ(tasks.rows(), all.size());
    for (std::size_t row = 0; row < all.size(); ++row) {
        EXPECT_EQ(std::get<std::uint64_t>(cell(row, "id")), all[row]->id);
        EXPECT_EQ(std::get<std::uint64_t>(cell(row, "busy_ns")), all[row]->busy_ns);
        EXPECT_EQ(std::get<std::string_view>(cell(row, "state")), to_string(all[row]->state));
        EXPECT_EQ(std::get<bool>(cell(row, "incomplete")), all[row]->incomplete);
    }
    const Table reports(model, "report");
    ASSERT_EQ(reports.rows(), model.reports().size());
    const auto frames =
        std::get<std::span<const std::uint32_t>>(reports.cell(0, reports.info().column("frames").value()));
    EXPECT_EQ(std::vector<SiteId>(frames.begin(), frames.end()), model.reports()[0].frames);
}

TEST(Tables, AnUnknownOneIsEmpty) {
    const Table table(Model{}, "no such table");
    EXPECT_EQ(table.rows(), 0u);
    EXPECT_TRUE(table.info().columns.empty());
    EXPECT_EQ(Table(Model{}, "task").info().column("no such column"), std::nullopt);
}

std::string page() {
    std::ostringstream out;
    out << "# The tables of a model\n\n"
           "All that `agent/model` knows of an app, as tables: what a keyframe holds, what `dump()` prints, what\n"
           "`coroscope ps --json` takes its keys from. Made from the field lists in [fields.hpp](fields.hpp); after a\n"
           "change there, write it anew with\n\n"
           "    COROSCOPE_WRITE_PAGES=1 build/tests/model_test --gtest_filter='Tables.*'\n\n"
           "Times are nanoseconds on the app's `CLOCK_MONOTONIC`. An id of 0 is none. *Internal* columns are notes of "
           "the\n"
           "fold to itself: keyframes have them, JSON does not.\n\n"
           "Encodings in a keyframe (all numbers are modulo 2^64):\n\n"
           "- plain: the number itself, in `values`; of a word its number, from 0 in the order given; of a boolean 0 "
           "or 1.\n"
           "- minus the row before: in `differences`; the first row: minus 0.\n"
           "- near X: minus the number of column X in the same row, in `differences`. The difference -1 stands for "
           "the\n"
           "  number 0; the difference -X stands for X - 1.\n"
           "- after X: in `values`: 0 for 0, else one more than the number minus column X of the same row; where X\n"
           "  is 0, the number itself.\n"
           "- texts are in `texts`; lists have their items in `values` and how many each row has in `lengths`.\n\n"
           "A word that a reader does not know is read as its first one, which says unknown; but a task's state must "
           "be\n"
           "known, or the keyframe cannot be used.\n";
    for (const TableInfo& table : table_infos()) {
        out << "\n## " << table.name << "\n\n" << table.meaning << "\n\n";
        out << "| column | type | unit | meaning | in a keyframe |\n|---|---|---|---|---|\n";
        for (const ColumnInfo& column : table.columns) {
            out << "| `" << column.name << "` | " << to_string(column.type);
            for (std::size_t i = 0; i < column.words.size(); ++i)
                out << (i == 0 ? ": " : ", ") << (column.words[i].empty() ? "(none)" : column.words[i]);
            out << " | " << column.unit << " | " << (column.internal ? "*Internal.* " : "") << column.meaning << " | ";
            if (column.type != CellType::text && column.type != CellType::list) out << column.encoding;
            if (!column.base.empty()) out << " `" << column.base << '`';
            out << " |\n";
        }
    }
    return out.str();
}

TEST(Tables, ThePageIsUpToDate) {
    const std::string path = COROSCOPE_SOURCES "/agent/model/TABLES.md";
    if (std::getenv("COROSCOPE_WRITE_PAGES") != nullptr) std::ofstream(path) << page();
    std::ostringstream written;
    written << std::ifstream(path).rdbuf();
    EXPECT_EQ(written.str(), page()) << "write it anew: the page says how";
}

}  // namespace
}  // namespace coroscope::model::test
