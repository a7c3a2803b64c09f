// The bounds: past one, the oldest goes and a counter says so.
#include <gtest/gtest.h>

#include "batches.hpp"

namespace coroscope::model::test {
namespace {

Limits small() {
    Limits limits;
    limits.done_tasks = 3;
    limits.live_tasks = 5;
    limits.slices = 4;
    limits.iterations = 2;
    limits.long_steps = 2;
    limits.reports = 2;
    limits.gaps = 2;
    limits.loops = 2;
    limits.threads = 3;
    limits.sites = limits.nodes = limits.names = 10;
    limits.text_bytes = 8;
    limits.report_frames = 2;
    return limits;
}

class Bounds : public ::testing::Test {
protected:
    Bounds() : model_(small()) {
        v2::Hello hello;
        hello.set_slow_step_ns(50);
        model_.set_hello(hello);
        model_.apply(BatchBuilder(++sequence_).loop_started(900, 7));
    }
    BatchBuilder next() { return BatchBuilder(++sequence_); }

    Model model_;
    std::uint64_t sequence_ = 0;
};

TEST_F(Bounds, DoneTasks) {
    for (TaskId id = 1; id <= 10; ++id) model_.apply(next().created(id * 1000, id).done(id * 1000 + 10, id));
    EXPECT_EQ(model_.done_tasks().size(), 3u);
    EXPECT_EQ(model_.done_tasks_dropped(), 7u);
    EXPECT_EQ(model_.task(7), nullptr);
    EXPECT_NE(model_.task(8), nullptr);
    EXPECT_EQ(model_.tasks_created(), 10u);
}

TEST_F(Bounds, NoDoneTasksAtAll) {
    Limits limits = small();
    limits.done_tasks = 0;
    Model model(limits);
    model.apply(BatchBuilder(1).loop_started(1, 1).created(10, 1).begin(20, 1).done(30, 1).finish(40, 1));
    EXPECT_TRUE(model.all_tasks().empty()) << "its last step's end is no placeholder";
    EXPECT_EQ(model.loops()[0]->slices.size(), 1u);
    EXPECT_EQ(model.anomalies(), 0u);
}

TEST_F(Bounds, LiveTasks) {
    for (TaskId id = 1; id <= 10; ++id) model_.apply(next().created(id * 1000, id));
    EXPECT_EQ(model_.live_tasks().size(), 5u);
    EXPECT_EQ(model_.live_tasks_refused(), 5u);
    model_.apply(next().done(20000, 1).created(20001, 11));
    EXPECT_NE(model_.task(11), nullptr);
}

TEST_F(Bounds, LiveTasksAreInOrderAmongManyDoneAndFew) {
    Limits limits;
    Model model(limits);
    BatchBuilder b(1);
    b.loop_started(1, 1);
    for (TaskId id = 200; id >= 1; --id) b.created(400 - id, id);
    model.apply(b);
    const auto is_ordered = [&] {
        const auto live = model.live_tasks();
        for (std::size_t i = 1; i < live.size(); ++i)
            if (live[i - 1]->id >= live[i]->id) return false;
        return true;
    };
    EXPECT_EQ(model.live_tasks().size(), 200u);
    EXPECT_TRUE(is_ordered());
    BatchBuilder ends(2);
    for (TaskId id = 1; id <= 190; ++id) ends.done(1000 + id, id);
    model.apply(ends);
    EXPECT_EQ(model.live_tasks().size(), 10u);
    EXPECT_TRUE(is_ordered());
}

TEST_F(Bounds, SlicesIterationsAndLongSteps) {
    model_.apply(next().created(950, 1));
    for (std::uint64_t t = 1000; t <= 10'000; t += 1000)
        model_.apply(
            next().poll_begin(t).poll_end(t + 10, 1).begin(t + 20, 1).end(t + 120, 1, vocabulary::Verb::turn, 0, 1));
    const Loop& loop = *model_.loops()[0];
    EXPECT_EQ(loop.slices.size(), 4u);
    EXPECT_EQ(loop.slices_dropped, 6u);
    EXPECT_EQ(loop.slices.front().begin_ns, 7020u);
    EXPECT_EQ(loop.iterations.size(), 2u);
    EXPECT_EQ(loop.iterations_dropped, 8u);
    EXPECT_EQ(model_.long_steps().size(), 2u);
    EXPECT_EQ(model_.long_steps().back().begin_ns, 10'020u);
    EXPECT_EQ(loop.steps_total, 10u);
}

TEST_F(Bounds, ReportsAndGaps) {
    for (std::uint64_t i = 1; i <= 5; ++i) {
        BatchBuilder b = next();
        v2::Report& report = b.report(vocabulary::ReportKind::callback_exception, i, 0);
        report.set_text("a long text");
        for (std::uint32_t frame = 1; frame <= 5; ++frame) report.add_frames(frame);
        model_.apply(b.gap(1, i, i, i));
    }
    ASSERT_EQ(model_.reports().size(), 2u);
    EXPECT_EQ(model_.reports()[1].time_ns, 5u);
    EXPECT_EQ(model_.reports()[1].text, "a long t");
    EXPECT_EQ(model_.reports()[1].frames, (std::vector<SiteId>{4, 5})) << "the innermost";
    ASSERT_EQ(model_.gaps().size(), 2u);
    EXPECT_EQ(model_.gaps()[0].count, 4u);
}

TEST_F(Bounds, LoopsGoInTheOrderTheyStopped) {
    model_.apply(next().created(950, 1).loop_stopped(1000, 7).loop_started(1100, 8).loop_stopped(1200, 8));
    model_.apply(next().loop_started(1300, 9));
    ASSERT_EQ(model_.loops().size(), 2u);
    EXPECT_EQ(model_.loops()[0]->id, 8u);
    EXPECT_EQ(model_.loops()[1]->id, 9u);
    EXPECT_EQ(model_.live_tasks().size(), 1u) << "what lived on the loop that went is still there";
    EXPECT_EQ(model_.task(1)->loop, 0u);
    model_.apply(next().thread(2).loop_started(1400, 10).thread(3).loop_started(1400, 11));
    EXPECT_EQ(model_.loops().size(), 2u) << "what runs does not go";
    EXPECT_EQ(model_.anomalies(), 1u);
}

TEST_F(Bounds, ThreadsWithoutALoopGo) {
    for (std::uint32_t id = 2; id <= 9; ++id) model_.apply(next().thread(id).job(id * 1000, id * 1000 + 1, 0));
    ASSERT_EQ(model_.threads().size(), 3u);
    EXPECT_EQ(model_.threads()[0].id, 1u) << "it runs a loop";
    EXPECT_EQ(model_.threads()[2].id, 9u);
    model_.apply(next().thread(1).created(50'000, 1).thread(9).job(51'000, 51'001, 0));
    EXPECT_EQ(model_.task(1)->loop, 7u);
}

TEST_F(Bounds, DefinitionsOutOfBoundsAreRefused) {
    model_.apply(next()
                     .site(10, "f", "f.cpp", 1)
                     .site(11, "g", "g.cpp", 1)
                     .site(4'000'000'000u, "h", "h.cpp", 1)
                     .site(0, "zero", "z.cpp", 1)
                     .name(11, "n")
                     .node(11, 0, 1, vocabulary::NodeKind::task));
    EXPECT_NE(model_.site(10), nullptr);
    EXPECT_EQ(model_.site(11), nullptr);
    EXPECT_EQ(model_.anomalies(), 5u);
}

TEST_F(Bounds, TextsAreCutBetweenCharacters) {
    model_.apply(next().site(1, "f", "0123456\xc3\xa9", 1).name(1, "01234567\xc3\xa9"));
    EXPECT_EQ(model_.site(1)->file, "0123456");
    EXPECT_EQ(model_.name(1), "01234567");
}

TEST_F(Bounds, HugeIdsCostNoMoreThanOthers) {
    Model model;
    BatchBuilder b(1);
    b.loop_started(1, 1);
    for (std::uint64_t i = 0; i < 2000; ++i) b.created(10 + i, (std::uint64_t{1} << 60) + i * 0x1'0000'0001u);
    b.created(5000, ~std::uint64_t{0}).begin(5001, ~std::uint64_t{0});
    model.apply(b);
    EXPECT_EQ(model.live_tasks().size(), 2001u);
    EXPECT_EQ(model.task(~std::uint64_t{0})->state, State::running);
    EXPECT_EQ(model.task(std::uint64_t{1} << 60)->id, std::uint64_t{1} << 60);
    EXPECT_EQ(model.task(12345), nullptr);
}

}  // namespace
}  // namespace coroscope::model::test
