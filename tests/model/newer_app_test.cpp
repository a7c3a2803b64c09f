// An app that is newer than this reader: its stream has kinds of events, resource types, verbs and reports that the
// reader was built without. The reader loses only these, and says so.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "agent/model/dump.hpp"
#include "tests/model/batches.hpp"
#include "tests/model/history.hpp"

namespace coroscope::model {
namespace {

using test::BatchBuilder;
using vocabulary::Table;

constexpr std::uint32_t first_new_kind = static_cast<std::uint32_t>(vocabulary::event_kinds.size());
constexpr std::uint32_t first_new_type = static_cast<std::uint32_t>(vocabulary::resource_types.size());
constexpr std::uint32_t new_verb = static_cast<std::uint32_t>(vocabulary::verbs.size());
constexpr std::uint32_t new_report = static_cast<std::uint32_t>(vocabulary::report_kinds.size());

void add_kind(v2::Batch& batch, std::uint32_t id, const std::string& name, bool subject, bool argument, bool stack) {
    v2::KindDefinition& kind = *batch.add_kinds();
    kind.set_id(id);
    kind.set_name(name);
    kind.set_subject(subject ? 1 : 0);
    kind.set_argument(argument ? 1 : 0);
    kind.set_stack(stack);
}
void add_term(v2::Batch& batch, Table table, std::uint32_t id, const std::string& name, const std::string& words) {
    v2::Term& term = *batch.add_terms();
    term.set_table(static_cast<std::uint32_t>(table));
    term.set_id(id);
    term.set_name(name);
    term.set_words(words);
}

// What a newer app says first.
void add_newer_vocabulary(v2::Batch& batch) {
    add_kind(batch, first_new_kind, "page_fault", true, true, true);
    add_kind(batch, first_new_kind + 1, "garbage_collected", false, true, false);
    add_kind(batch, first_new_kind + 2, "heart_skipped", false, false, false);
    add_term(batch, Table::resource_type, first_new_type, "latch", "latch");
    add_term(batch, Table::resource_type, first_new_type + 1, "channel", "channel");
    add_term(batch, Table::verb, new_verb, "count_down", "{} to reach zero");
    add_term(batch, Table::report_kind, new_report, "priority_inversion", "A task waits for one of less priority.");
}

// The stream of an older app, with events of the three new kinds put between its own at random.
v2::Batch with_newer_events(const v2::Batch& batch, std::mt19937_64& random, std::uint64_t& added) {
    v2::Batch newer = batch;
    newer.clear_lanes();
    for (const v2::Lane& lane : batch.lanes()) {
        v2::Lane& out = *newer.add_lanes();
        out.set_thread(lane.thread());
        out.set_start_ns(lane.start_ns());
        int subjects = 0, arguments = 0, stacks = 0;
        std::int64_t moved = 0;  // by a new event's subject: to be taken back
        for (int i = 0; i < static_cast<int>(lane.kinds().size()); ++i) {
            if (random() % 3 == 0) {
                const auto which = static_cast<std::uint32_t>(random() % 3);
                out.mutable_kinds()->push_back(static_cast<char>(first_new_kind + which));
                out.add_time_deltas(0);
                if (which == 0) {
                    const auto by = static_cast<std::int64_t>(random() % 100);
                    out.add_subject_deltas(by);
                    moved += by;
                    out.add_stacks(static_cast<std::uint32_t>(random() % 7));
                }
                if (which != 2) out.add_arguments(random());
                ++added;
            }
            const char kind = lane.kinds()[static_cast<std::size_t>(i)];
            out.mutable_kinds()->push_back(kind);
            out.add_time_deltas(lane.time_deltas(i));
            const std::uint8_t columns = vocabulary::columns_by_kind[static_cast<std::uint8_t>(kind)];
            if ((columns & vocabulary::subject_column) != 0)
                out.add_subject_deltas(lane.subject_deltas(subjects++) - std::exchange(moved, 0));
            if ((columns & vocabulary::argument_column) != 0) out.add_arguments(lane.arguments(arguments++));
            if ((columns & vocabulary::stack_column) != 0) out.add_stacks(lane.stacks(stacks++));
        }
    }
    return newer;
}

class NewerApp : public testing::TestWithParam<std::uint64_t> {};

TEST_P(NewerApp, OnlyTheNewEventsAreLostAndTheyAreCounted) {
    std::mt19937_64 random(GetParam());
    std::vector<v2::Batch> batches = test::random_history(GetParam(), {});
    Model older, newer;
    std::uint64_t added = 0;
    bool first = true;
    for (const v2::Batch& batch : batches) {
        older.apply(batch);
        v2::Batch changed = with_newer_events(batch, random, added);
        if (std::exchange(first, false)) add_newer_vocabulary(changed);
        newer.apply(changed);
    }
    ASSERT_NE(added, 0u);
    EXPECT_EQ(newer.events_unknown(), added);
    EXPECT_EQ(newer.events(), older.events() + added);
    EXPECT_EQ(newer.anomalies(), older.anomalies());
    std::uint64_t counted = 0;
    for (const UnknownTerm& term : newer.unknown_terms())
        if (term.table == Table::none) counted += term.count;
    EXPECT_EQ(counted, added);

    ASSERT_EQ(newer.all_tasks().size(), older.all_tasks().size());
    const auto tasks = newer.all_tasks();
    for (std::size_t i = 0; i < tasks.size(); ++i) {
        const Task& a = *older.all_tasks()[i];
        const Task& b = *tasks[i];
        EXPECT_EQ(b.id, a.id);
        EXPECT_EQ(b.state, a.state);
        EXPECT_EQ(b.busy_ns, a.busy_ns);
        EXPECT_EQ(b.steps, a.steps);
        EXPECT_EQ(b.wait.operand, a.wait.operand);
        EXPECT_EQ(b.incomplete, a.incomplete);
    }
}
INSTANTIATE_TEST_SUITE_P(Seeds, NewerApp, testing::Range<std::uint64_t>(1, 21));

TEST(NewerAppsTerms, AreShownByTheNamesThatTheAppGave) {
    BatchBuilder b(1);
    test::define_program(b);
    add_newer_vocabulary(b.batch());
    v2::Resource& resource = *b.batch().add_resources();
    resource.set_id(4);
    resource.set_type(first_new_type);
    b.loop_started(1000, 7).created(1000, 1, 0, 1).begin(1100, 1);
    b.end(1200, 1, static_cast<Verb>(new_verb), 4, 4);
    v2::Report& report = b.report(static_cast<ReportKind>(new_report), 1300, 1);
    report.set_text("Task-1 waits for Task-2");
    Model model;
    model.apply(b);
    EXPECT_EQ(model.anomalies(), 0u);
    EXPECT_EQ(model.term(Table::none, first_new_kind), "page_fault");
    EXPECT_EQ(model.term(Table::resource_type, first_new_type), "latch");
    EXPECT_EQ(model.term(Table::verb, new_verb), "count_down");
    EXPECT_EQ(model.wait_words(model.task(1)->wait), "latch 4 to reach zero");
    ASSERT_EQ(model.reports().size(), 1u);
    EXPECT_EQ(model.term(Table::report_kind, static_cast<std::uint32_t>(model.reports()[0].kind)),
              "priority_inversion");
    EXPECT_EQ(model.term(Table::verb, 250), "unknown");
}

TEST(NewerAppsTerms, AKindThatNobodyDefinedEndsItsLane) {
    Model model;
    model.apply(BatchBuilder(1)
                    .loop_started(1000, 7)
                    .event(1100, static_cast<vocabulary::EventKind>(first_new_kind))
                    .created(1200, 1));
    EXPECT_EQ(model.anomalies(), 1u);
    EXPECT_EQ(model.task(1), nullptr);
}

}  // namespace
}  // namespace coroscope::model
