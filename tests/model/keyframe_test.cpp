// Keyframes: a model saved and loaded is the same model; what makes no sense is refused.
#include <gtest/gtest.h>

#include "agent/model/dump.hpp"
#include "batches.hpp"
#include "coroscope/v2/keyframe.pb.h"
#include "history.hpp"

namespace coroscope::model::test {
namespace {

Model folded(const std::vector<v2::Batch>& batches, Limits limits = {}) {
    Model model(limits);
    v2::Hello hello;
    hello.set_name("app");
    hello.set_slow_step_ns(60);
    hello.set_wall_unix_ns(1'000'000);
    hello.set_wall_at_ns(500);
    model.set_hello(hello);
    for (const v2::Batch& batch : batches) model.apply(batch);
    return model;
}

v2::Table& table(v2::Keyframe& keyframe, std::string_view entity) {
    for (v2::Table& each : *keyframe.mutable_tables())
        if (each.entity() == entity) return each;
    ADD_FAILURE() << "no table " << entity;
    return *keyframe.add_tables();
}

v2::Column& column(v2::Keyframe& keyframe, std::string_view entity, std::string_view name) {
    v2::Table& in = table(keyframe, entity);
    for (v2::Column& each : *in.mutable_columns())
        if (each.name() == name) return each;
    ADD_FAILURE() << "no column " << entity << '.' << name;
    return *in.add_columns();
}

v2::Keyframe keyframe_of(const Model& model) {
    v2::Keyframe keyframe;
    model.save_keyframe(keyframe);
    return keyframe;
}

TEST(Keyframe, OfAnEmptyModel) {
    Model model;
    EXPECT_TRUE(model.load_keyframe(keyframe_of(Model{})));
    EXPECT_EQ(dump(model), dump(Model{}));
}

TEST(Keyframe, SaysEverything) {
    const Model model = folded(random_history(1));
    Model loaded;
    ASSERT_TRUE(loaded.load_keyframe(keyframe_of(model)));
    EXPECT_EQ(dump(loaded), dump(model));
    EXPECT_EQ(loaded.slow_step_ns(), 60u);
    EXPECT_EQ(loaded.wall_unix_ns(600), 1'000'100u);
}

TEST(Keyframe, SurvivesTheWire) {
    const Model model = folded(random_history(2));
    v2::Keyframe parsed;
    ASSERT_TRUE(parsed.ParseFromString(keyframe_of(model).SerializeAsString()));
    Model loaded;
    ASSERT_TRUE(loaded.load_keyframe(parsed));
    EXPECT_EQ(dump(loaded), dump(model));
}

TEST(Keyframe, IsANewVersionOfTheModelThatLoadsIt) {
    Model model = folded(random_history(3));
    const std::uint64_t before = model.version();
    ASSERT_TRUE(model.load_keyframe(keyframe_of(folded(random_history(4)))));
    EXPECT_GT(model.version(), before);
}

TEST(Keyframe, ARefusedOneChangesNothing) {
    Model model = folded(random_history(3));
    const std::string before = dump(model);
    v2::Keyframe bad = keyframe_of(model);
    column(bad, "task", "id").mutable_differences()->RemoveLast();
    EXPECT_FALSE(model.load_keyframe(bad));
    EXPECT_EQ(dump(model), before);
}

TEST(Keyframe, WithTighterLimitsTheOldestGo) {
    const Model model = folded(random_history(5));
    Limits limits;
    limits.done_tasks = 2;
    limits.slices = 3;
    limits.iterations = 1;
    limits.long_steps = 1;
    limits.reports = 1;
    Model loaded(limits);
    ASSERT_TRUE(loaded.load_keyframe(keyframe_of(model)));
    EXPECT_EQ(loaded.done_tasks().size(), 2u);
    EXPECT_EQ(loaded.done_tasks().back()->id, model.done_tasks().back()->id);
    EXPECT_EQ(loaded.loops()[0]->slices.size(), 3u);
    EXPECT_EQ(loaded.loops()[0]->slices_dropped, model.loops()[0]->slices.size() - 3);
    EXPECT_EQ(loaded.long_steps().size(), 1u);
    EXPECT_EQ(loaded.reports().size(), 1u);
    EXPECT_EQ(loaded.live_tasks().size(), model.live_tasks().size());
}

TEST(Keyframe, NonsenseIsRefused) {
    v2::Keyframe good = keyframe_of(folded(random_history(6)));
    ASSERT_GT(table(good, "task").rows(), 2u);
    ASSERT_GT(table(good, "ended").rows(), 1u);
    const auto refused = [&](auto spoil) {
        v2::Keyframe bad = good;
        spoil(bad);
        Model model;
        return !model.load_keyframe(bad);
    };
    EXPECT_FALSE(refused([](auto&) {})) << "else this tests nothing";
    EXPECT_TRUE(refused([](auto& k) { column(k, "task", "id").set_differences(1, 0); })) << "an id twice";
    EXPECT_TRUE(refused([](auto& k) { column(k, "task", "id").set_differences(0, 0); })) << "id 0";
    EXPECT_TRUE(refused([](auto& k) { column(k, "task", "state").set_values(0, 7); })) << "an unknown state";
    EXPECT_TRUE(refused([](auto& k) { column(k, "task", "root").set_values(0, std::uint64_t{1} << 32); }))
        << "a number that the field cannot have";
    EXPECT_TRUE(refused([](auto& k) { column(k, "ended", "task").set_differences(1, 0); })) << "ended twice";
    EXPECT_TRUE(refused([](auto& k) {
        table(k, "ended").set_rows(table(k, "ended").rows() - 1);
        column(k, "ended", "task").mutable_differences()->RemoveLast();
    })) << "done, and on no list";
    EXPECT_TRUE(refused([](auto& k) { column(k, "ended", "task").set_differences(0, 987654321); }))
        << "an unknown task ended";
    EXPECT_TRUE(refused([](auto& k) { column(k, "loop", "id").set_differences(1, 0); })) << "a loop twice";
    EXPECT_TRUE(refused([](auto& k) { column(k, "slice", "task").add_differences(1); })) << "a column too long";
    EXPECT_TRUE(refused([](auto& k) { column(k, "iteration", "end_ns").add_values(1); })) << "a column too long";
    EXPECT_TRUE(refused([](auto& k) { column(k, "report", "text").add_texts("more"); })) << "a column too long";
    EXPECT_TRUE(refused([](auto& k) { column(k, "report", "frames").add_values(1); })) << "more items than lengths say";
    EXPECT_TRUE(refused([](auto& k) { column(k, "report", "frames").set_lengths(0, ~std::uint32_t{0}); }))
        << "fewer items than lengths say";
    EXPECT_TRUE(refused([](auto& k) { column(k, "thread", "id").set_differences(1, 0); })) << "a thread twice";
    EXPECT_TRUE(refused([](auto& k) {
        v2::Column& loops = column(k, "thread", "loop");
        loops.clear_values();
        loops.add_values(10);
    })) << "a loop on all threads";
}

TEST(Keyframe, OnlyWhatWasSentIsPaidFor) {
    v2::Keyframe good = keyframe_of(folded(random_history(6)));
    const auto refused = [&](auto spoil) {
        v2::Keyframe bad = good;
        spoil(bad);
        Model model;
        return !model.load_keyframe(bad);
    };
    EXPECT_TRUE(refused([](auto& k) { table(k, "slice").set_rows(std::uint64_t{1} << 40); })) << "rows out of nothing";
    EXPECT_TRUE(refused([](auto& k) {
        v2::Column& ids = column(k, "task", "id");
        ids.clear_differences();
        ids.add_differences(1);  // one code for all rows ...
        ids.Swap(table(k, "task").mutable_columns(0));
        table(k, "task").mutable_columns()->DeleteSubrange(1, table(k, "task").columns_size() - 1);  // ... and no other
    })) << "rows out of one entry";
    EXPECT_TRUE(refused([](auto& k) { *k.add_tables() = table(k, "task"); })) << "a table twice";
    EXPECT_TRUE(refused([](auto& k) { *table(k, "task").add_columns() = column(k, "task", "id"); }))
        << "a column twice";
}

// A newer writer has tables and columns that this reader does not know, and values of enums that it does not know.
TEST(Keyframe, OfANewerWriter) {
    const Model model = folded(random_history(7));
    v2::Keyframe newer = keyframe_of(model);
    v2::Table& unknown = *newer.add_tables();
    unknown.set_entity("semaphore_of_the_future");
    unknown.set_rows(2);
    unknown.add_columns()->set_name("id");
    unknown.add_columns()->set_name("permits");
    v2::Column& more = *table(newer, "task").add_columns();
    more.set_name("priority");
    more.add_values(3);
    Model loaded;
    ASSERT_TRUE(loaded.load_keyframe(newer));
    EXPECT_EQ(loaded.columns_unknown(), 3u);
    EXPECT_EQ(loaded.all_tasks().size(), model.all_tasks().size());

    v2::Column& outcomes = column(newer, "task", "outcome");
    for (int i = 0; i < outcomes.values_size(); ++i)
        if (outcomes.values(i) == static_cast<std::uint64_t>(Outcome::error)) outcomes.set_values(i, 200);
    ASSERT_TRUE(loaded.load_keyframe(newer));
    std::size_t unknown_ends = 0;
    for (const Task* task : loaded.all_tasks()) {
        const Outcome outcome = model.task(task->id)->outcome;
        EXPECT_EQ(static_cast<int>(task->outcome), outcome == Outcome::error ? 200 : static_cast<int>(outcome));
        unknown_ends += static_cast<int>(task->outcome) == 200;
    }
    EXPECT_GT(unknown_ends, 0u) << "else this tests nothing";
}

// An older writer lacks columns, and tables.
TEST(Keyframe, OfAnOlderWriter) {
    const Model model = folded(random_history(7));
    v2::Keyframe older = keyframe_of(model);
    const auto remove = [](auto& all, auto is_it) {
        for (int i = all.size(); i-- > 0;)
            if (is_it(all[i])) all.DeleteSubrange(i, 1);
    };
    remove(*table(older, "task").mutable_columns(), [](const v2::Column& each) { return each.name() == "steps"; });
    remove(*older.mutable_tables(), [](const v2::Table& each) { return each.entity() == "report"; });
    Model loaded;
    ASSERT_TRUE(loaded.load_keyframe(older));
    EXPECT_TRUE(loaded.reports().empty());
    ASSERT_EQ(loaded.all_tasks().size(), model.all_tasks().size());
    for (const Task* task : loaded.all_tasks()) {
        EXPECT_EQ(task->steps, 0u);
        EXPECT_EQ(task->busy_ns, model.task(task->id)->busy_ns);
    }
}

TEST(Keyframe, LiveTasksBeyondTheLimitAreRefusedAndCounted) {
    BatchBuilder many(1);
    for (TaskId id = 1; id <= 10; ++id) many.created(id * 10, id);
    Limits limits;
    limits.live_tasks = 4;
    Model loaded(limits);
    ASSERT_TRUE(loaded.load_keyframe(keyframe_of(folded({many}))));
    EXPECT_EQ(loaded.live_tasks().size(), 4u);
    EXPECT_EQ(loaded.live_tasks_refused(), 6u);
}

TEST(Keyframe, LoopsBeyondTheLimitGoWithTheirSteps) {
    BatchBuilder b(1);
    for (std::uint32_t id = 1; id <= 3; ++id) {
        const std::uint64_t t = id * 1000;
        b.thread(id).loop_started(t, id).created(t + 1, id).begin(t + 2, id).done(t + 3, id).finish(t + 4, id);
        if (id != 3) b.loop_stopped(t + 5, id);
    }
    Limits limits;
    limits.loops = 2;
    Model loaded(limits);
    ASSERT_TRUE(loaded.load_keyframe(keyframe_of(folded({b}))));
    ASSERT_EQ(loaded.loops().size(), 2u);
    EXPECT_EQ(loaded.loops()[0]->id, 2u);
    EXPECT_EQ(loaded.loops()[1]->slices.size(), 1u);
}

}  // namespace
}  // namespace coroscope::model::test
