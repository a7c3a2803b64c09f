// Loops: slices, iterations, long steps, callbacks, threads.
#include <gtest/gtest.h>

#include "batches.hpp"

namespace coroscope::model::test {
namespace {

class FoldLoops : public ::testing::Test {
protected:
    FoldLoops() {
        BatchBuilder b(++sequence_);
        define_program(b);
        b.loop_started(900, 7).created(1000, 1, 0, 1);
        model_.apply(b);
    }
    BatchBuilder next() { return BatchBuilder(++sequence_); }
    const Loop& loop() { return *model_.loops().at(0); }

    Model model_;
    std::uint64_t sequence_ = 0;
};

TEST_F(FoldLoops, AStartedLoopBelongsToItsThread) {
    ASSERT_EQ(model_.loops().size(), 1u);
    EXPECT_EQ(loop().id, 7u);
    EXPECT_TRUE(loop().running);
    EXPECT_EQ(loop().started_ns, 900u);
    EXPECT_EQ(loop().thread, 1u);
    ASSERT_EQ(model_.threads().size(), 2u);
    EXPECT_EQ(model_.threads()[0].name, "main");
    EXPECT_EQ(model_.threads()[0].tid, 1001u);
    EXPECT_EQ(model_.threads()[0].loop, 7u);
    EXPECT_EQ(model_.threads()[1].loop, 0u);
}

TEST_F(FoldLoops, AStepIsASlice) {
    model_.apply(next().begin(1300, 1).end(1500, 1, vocabulary::Verb::timer, 0, 4));
    ASSERT_EQ(loop().slices.size(), 1u);
    const Slice& slice = loop().slices[0];
    EXPECT_EQ(slice.begin_ns, 1300u);
    EXPECT_EQ(slice.end_ns, 1500u);
    EXPECT_EQ(slice.task, 1u);
    EXPECT_EQ(slice.began_at, 1u);
    EXPECT_EQ(slice.ended_at, 4u);
    EXPECT_EQ(slice.ready_ns, 1000u);
    EXPECT_FALSE(loop().open_slice);
    EXPECT_EQ(loop().busy_ns, 200u);
    EXPECT_EQ(loop().steps_total, 1u);
}

TEST_F(FoldLoops, AnIterationLiesBetweenTwoPolls) {
    model_.apply(next().poll_begin(1000).poll_end(1100, 3));
    EXPECT_EQ(loop().iteration_began_ns, 1100u);
    EXPECT_FALSE(loop().polling);
    model_.apply(
        next().begin(1150, 1).end(1200, 1, vocabulary::Verb::turn, 0, 4).callback_begin(1210, 2).callback_end(1250));
    EXPECT_EQ(loop().iteration_steps, 2u);
    model_.apply(next().poll_begin(1400));
    EXPECT_TRUE(loop().polling);
    ASSERT_EQ(loop().iterations.size(), 2u) << "what came before the first poll, and this";
    EXPECT_EQ(loop().iterations[0].begin_ns, 900u);
    EXPECT_EQ(loop().iterations[0].end_ns, 1000u);
    EXPECT_EQ(loop().iterations[1].begin_ns, 1100u);
    EXPECT_EQ(loop().iterations[1].end_ns, 1400u);
    EXPECT_EQ(loop().iterations[1].events, 3u);
    EXPECT_EQ(loop().iterations[1].steps, 2u);
    EXPECT_EQ(loop().longest_iteration_ns, 300u);
    EXPECT_EQ(loop().iterations_total, 2u);
}

TEST_F(FoldLoops, ACallbackIsASliceOfNobody) {
    model_.apply(next().callback_begin(1100, 2).callback_end(1300));
    ASSERT_EQ(loop().slices.size(), 1u);
    EXPECT_EQ(loop().slices[0].task, 0u);
    EXPECT_EQ(loop().slices[0].began_at, 2u);
    EXPECT_EQ(loop().slices[0].end_ns, 1300u);
}

TEST_F(FoldLoops, AStepOfExactlyTheThresholdIsLong) {
    v2::Hello hello;
    hello.set_slow_step_ns(200);
    model_.set_hello(hello);
    model_.apply(next().begin(1300, 1).end(1500, 1, vocabulary::Verb::timer, 0, 4));
    model_.apply(next().ready(1600, 1).begin(1700, 1).end(1899, 1, vocabulary::Verb::timer, 0, 4));
    model_.apply(next().callback_begin(2000, 2).callback_end(2300));
    ASSERT_EQ(model_.long_steps().size(), 2u);
    EXPECT_EQ(model_.long_steps()[0].task, 1u);
    EXPECT_EQ(model_.long_steps()[0].loop, 7u);
    EXPECT_EQ(model_.long_steps()[0].began_at, 1u);
    EXPECT_EQ(model_.long_steps()[0].ended_at, 4u);
    EXPECT_FALSE(model_.long_steps()[0].callback);
    EXPECT_TRUE(model_.long_steps()[1].callback);
}

TEST_F(FoldLoops, WhatAStepCostBelongsToTheLongStep) {
    v2::Hello hello;
    hello.set_slow_step_ns(200);
    model_.set_hello(hello);
    BatchBuilder b = next();
    b.begin(1300, 1).end(1500, 1, vocabulary::Verb::timer, 0, 4);
    b.ready(1600, 1).begin(1700, 1).end(1900, 1, vocabulary::Verb::timer, 0, 4).loop_stopped(2000, 7);
    v2::Report& report = b.report(vocabulary::ReportKind::step_cost, 1501, 1);
    report.set_thread(1);
    report.mutable_cost()->set_cpu_least_ns(10);
    report.mutable_cost()->set_cpu_most_ns(20);
    report.mutable_cost()->set_no_cpu_ns(150);
    model_.apply(b);
    ASSERT_EQ(model_.long_steps().size(), 2u);
    EXPECT_TRUE(model_.long_steps()[0].measured);
    EXPECT_EQ(model_.long_steps()[0].cpu_least_ns, 10u);
    EXPECT_EQ(model_.long_steps()[0].cpu_most_ns, 20u);
    EXPECT_EQ(model_.long_steps()[0].no_cpu_ns, 150u);
    EXPECT_FALSE(model_.long_steps()[1].measured);
    EXPECT_TRUE(model_.reports().empty()) << "it is a part of the step";
}

TEST_F(FoldLoops, ATaskWhoseTimerIsDueCouldHaveRunSinceThen) {
    const auto due_us = [](std::uint64_t time_us) { return vocabulary::pack_due(time_us * 1000); };
    BatchBuilder b = next();
    b.begin(1300, 1).end(1500, 1, vocabulary::Verb::timer, due_us(3), 4).ready(9000, 1).begin(9500, 1);
    b.end(9600, 1, vocabulary::Verb::timer, due_us(100), 4).ready(50'000, 1, 5).begin(50'001, 1);
    model_.apply(b.end(50'002, 1, vocabulary::Verb::timer, 0, 4));
    EXPECT_EQ(loop().slices[1].ready_ns, 3000u) << "the loop was late";
    EXPECT_EQ(loop().slices[2].ready_ns, 50'000u) << "it was woken before";
}

TEST_F(FoldLoops, StoppingEndsTheIteration) {
    model_.apply(next().poll_begin(1000).poll_end(1100, 0).loop_stopped(1500, 7));
    EXPECT_FALSE(loop().running);
    EXPECT_EQ(loop().stopped_ns, 1500u);
    EXPECT_EQ(loop().iterations.back().end_ns, 1500u);
    EXPECT_EQ(model_.threads()[0].loop, 0u);
    EXPECT_EQ(model_.anomalies(), 0u);
}

TEST_F(FoldLoops, ALoopMayRunAgain) {
    model_.apply(next().loop_stopped(1500, 7).loop_started(1600, 7).begin(1700, 1));
    EXPECT_TRUE(loop().running);
    EXPECT_EQ(loop().started_ns, 900u);
    EXPECT_EQ(loop().stopped_ns, 0u);
    EXPECT_TRUE(loop().open_slice);
    EXPECT_EQ(model_.anomalies(), 0u);
}

TEST_F(FoldLoops, StartedAgainWhileItRunsIsNoNews) {
    model_.apply(next().poll_begin(1000).poll_end(1100, 1).loop_started(1150, 7));
    EXPECT_EQ(loop().iteration_began_ns, 1100u);
    EXPECT_EQ(model_.anomalies(), 0u);
}

TEST_F(FoldLoops, TwoLoopsOnTwoThreads) {
    model_.apply(next().thread(2).loop_started(1000, 8).created(1010, 2, 0, 3).begin(1020, 2).thread(1).begin(1015, 1));
    ASSERT_EQ(model_.loops().size(), 2u);
    EXPECT_EQ(model_.loops()[0]->open_slice->task, 1u);
    EXPECT_EQ(model_.loops()[1]->open_slice->task, 2u);
    EXPECT_EQ(model_.task(2)->loop, 8u);
    EXPECT_EQ(model_.task(2)->thread, 2u);
}

TEST_F(FoldLoops, AStepThatBeginsAgainEndsTheFirst) {
    model_.apply(next().begin(1100, 1).created(1150, 2, 1, 3).begin(1200, 1));
    EXPECT_EQ(model_.anomalies(), 1u);
    ASSERT_EQ(loop().slices.size(), 1u);
    EXPECT_EQ(loop().slices[0].end_ns, 1200u);
    EXPECT_EQ(loop().open_slice->task, 1u);
    EXPECT_TRUE(model_.task(1)->incomplete);
}

TEST_F(FoldLoops, StepsNestOnlySoDeep) {
    BatchBuilder b = next();
    for (TaskId id = 10; id < 60; ++id) b.created(1100 + id, id, 1, 3).begin(1200 + id, id);
    model_.apply(b);
    EXPECT_LE(loop().outer_slices.size(), 16u);
    EXPECT_NE(model_.anomalies(), 0u);
}

TEST_F(FoldLoops, TheTimesOfAThreadNeverGoBack) {
    model_.apply(next().begin(2000, 1));
    model_.apply(next().end(1500, 1, vocabulary::Verb::timer, 0, 4));
    EXPECT_EQ(loop().slices[0].begin_ns, 2000u);
    EXPECT_EQ(loop().slices[0].end_ns, 2000u);
    EXPECT_EQ(model_.task(1)->busy_ns, 0u);
}

TEST_F(FoldLoops, EventsWithoutALoopStillTellOfTasks) {
    Model late;
    late.apply(BatchBuilder(5)
                   .begin(100, 3)
                   .end(200, 3, vocabulary::Verb::descriptor_read, 12, 5)
                   .poll_begin(210)
                   .poll_end(220, 1));
    EXPECT_TRUE(late.loops().empty());
    ASSERT_NE(late.task(3), nullptr);
    EXPECT_EQ(late.task(3)->state, State::suspended);
    EXPECT_EQ(late.task(3)->wait.verb, vocabulary::Verb::descriptor_read);
}

TEST_F(FoldLoops, AnIdlePollCanBeEndedFromOutsideOnly) {
    const auto idle = [](BatchBuilder& b, std::uint64_t t) -> BatchBuilder& {
        return b.poll_begin(t).event(t, vocabulary::EventKind::loop_idle).subject(7).argument(3);
    };
    BatchBuilder first = next();
    model_.apply(idle(first, 2000));
    EXPECT_EQ(loop().polling_since_ns, 2000u);
    EXPECT_EQ(loop().idle_since_ns, 2000u);
    EXPECT_EQ(loop().idle_watched, 3u);
    model_.apply(next().poll_end(3000, 1));
    EXPECT_EQ(loop().idle_since_ns, 0u);
    EXPECT_EQ(loop().foreign_wakes, 0u) << "there was I/O";
    BatchBuilder second = next();
    model_.apply(idle(second, 3100).poll_end(4000, 0));
    EXPECT_EQ(loop().foreign_wakes, 1u);
    BatchBuilder third = next();
    model_.apply(idle(third, 4010).poll_end(4020, 0).snapshot_begin(4030, 7));
    BatchBuilder fourth = next();
    model_.apply(idle(fourth, 4040).poll_end(4050, 0).snapshot_end(4060, 7));
    EXPECT_EQ(loop().foreign_wakes, 1u) << "the debugger asked for a list of the tasks";
    model_.apply(next().poll_begin(4100).poll_end(4200, 0));
    EXPECT_EQ(loop().foreign_wakes, 1u) << "a timer can have ended it";
    model_.apply(next().poll_begin(4300));
    EXPECT_EQ(loop().idle_since_ns, 0u);
    EXPECT_EQ(model_.anomalies(), 0u);
    model_.apply(next().poll_end(4400, 0).event(4500, vocabulary::EventKind::loop_idle).subject(7).argument(0));
    EXPECT_EQ(model_.anomalies(), 1u) << "it does not poll";
}

TEST_F(FoldLoops, WhatATaskDoesIsUnknownFromALossUntilTheLoopSaysIt) {
    model_.apply(next().begin(1300, 1).end(1500, 1, vocabulary::Verb::timer, 0, 4));
    EXPECT_TRUE(model_.state_known(*model_.task(1)));
    model_.apply(next().gap(1, 2, 1600, 1700));
    EXPECT_FALSE(model_.state_known(*model_.task(1)));
    model_.apply(
        next().snapshot_begin(1800, 7).snapshot(1800, 1, 0, 1, vocabulary::Verb::timer, 0, 4).snapshot_end(1900, 7));
    EXPECT_TRUE(model_.state_known(*model_.task(1))) << "also where it is as before";
}

TEST_F(FoldLoops, TimeLimitsOfATaskNest) {
    const auto limit = [&](std::uint64_t t, bool begins) {
        const auto kind = begins ? vocabulary::EventKind::time_limit_begin : vocabulary::EventKind::time_limit_end;
        model_.apply(next().event(t, kind).subject(1));
        return model_.task(1)->time_limits;
    };
    EXPECT_EQ(limit(1100, true), 1u);
    EXPECT_EQ(limit(1200, true), 2u);
    EXPECT_EQ(limit(1300, false), 1u);
    EXPECT_EQ(limit(1400, false), 0u);
    EXPECT_EQ(limit(1500, false), 0u) << "the begin of one was lost";
}

TEST_F(FoldLoops, OtherThreadsAreThoseThatRunNoLoop) {
    EXPECT_EQ(model_.other_threads(), std::nullopt);
    BatchBuilder b = next();
    b.batch().set_app_threads(3);
    model_.apply(b);
    EXPECT_EQ(model_.other_threads(), 2u);
    model_.apply(next().loop_stopped(2000, 7));
    EXPECT_EQ(model_.other_threads(), 3u);
}

}  // namespace
}  // namespace coroscope::model::test
