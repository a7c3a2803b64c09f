// What is lost on the way: gaps of a thread, batches, columns.
#include <gtest/gtest.h>

#include "batches.hpp"

namespace coroscope::model::test {
namespace {

class Loss : public ::testing::Test {
protected:
    Loss() {
        BatchBuilder b(++sequence_);
        define_program(b);
        b.loop_started(900, 7).created(1000, 1, 0, 1).created(1010, 2, 1, 3).done(1020, 2);
        b.thread(2).loop_started(905, 8).created(1005, 3, 0, 3);
        model_.apply(b);
    }
    BatchBuilder next() { return BatchBuilder(++sequence_); }
    const Loop& loop() { return *model_.loops().at(0); }

    Model model_;
    std::uint64_t sequence_ = 0;
};

TEST_F(Loss, AGapMarksWhatLivesOnItsLoopOnly) {
    model_.apply(next().gap(1, 5, 2000, 3000).begin(4000, 1));
    EXPECT_TRUE(model_.task(1)->incomplete);
    EXPECT_FALSE(model_.task(2)->incomplete) << "it had ended";
    EXPECT_FALSE(model_.task(3)->incomplete) << "it lives on another loop";
    ASSERT_EQ(model_.gaps().size(), 1u);
    EXPECT_EQ(model_.gaps()[0].count, 5u);
    EXPECT_EQ(model_.gaps()[0].thread, 1u);
}

TEST_F(Loss, AGapTakesEffectBetweenTheEventsOfItsLane) {
    model_.apply(next().gap(1, 5, 2000, 3000).created(1500, 4, 1, 3).created(3500, 5, 1, 3));
    EXPECT_TRUE(model_.task(4)->incomplete);
    EXPECT_FALSE(model_.task(5)->incomplete) << "it was created after the gap";
}

TEST_F(Loss, AGapEndsTheOpenStepWhereItBegins) {
    model_.apply(next().begin(1500, 1).gap(1, 5, 2000, 3000).begin(4000, 2).poll_begin(4100));
    ASSERT_GE(loop().slices.size(), 1u);
    EXPECT_EQ(loop().slices[0].begin_ns, 1500u);
    EXPECT_EQ(loop().slices[0].end_ns, 2000u);
    EXPECT_EQ(model_.task(1)->state, State::suspended);
    EXPECT_EQ(model_.task(1)->wait.verb, vocabulary::Verb::unknown);
}

TEST_F(Loss, AStepWhoseBeginWasLostRanAtLeastSinceTheGap) {
    v2::Hello hello;
    hello.set_slow_step_ns(100);
    model_.set_hello(hello);
    model_.apply(
        next().begin(1500, 1).gap(1, 5, 1550, 3000).created(3500, 4, 1, 3).end(4000, 1, vocabulary::Verb::timer, 0, 4));
    ASSERT_EQ(loop().slices.size(), 2u);
    EXPECT_EQ(loop().slices[1].begin_ns, 3000u);
    EXPECT_EQ(loop().slices[1].end_ns, 4000u);
    EXPECT_EQ(model_.task(1)->state, State::suspended);
    EXPECT_EQ(model_.task(1)->suspended_at, 4u);
    EXPECT_TRUE(model_.long_steps().empty()) << "how long it took nobody knows";
    EXPECT_EQ(model_.anomalies(), 0u);
}

TEST_F(Loss, AnIterationWithAGapIsNoIteration) {
    model_.apply(next().poll_begin(1100).poll_end(1200, 0));
    const std::size_t before = loop().iterations.size();
    model_.apply(next().gap(1, 5, 2000, 3000).poll_begin(4000));
    EXPECT_EQ(loop().iterations.size(), before);
}

TEST_F(Loss, AGapOfAThreadWithoutALaneCountsToo) {
    model_.apply(next().gap(1, 5, 2000, 3000));
    EXPECT_TRUE(model_.task(1)->incomplete);
}

TEST_F(Loss, AHoleInTheSequenceMarksAllThatLives) {
    sequence_ += 3;
    model_.apply(next().begin(1500, 1));
    EXPECT_EQ(model_.batches_lost(), 3u);
    EXPECT_TRUE(model_.task(1)->incomplete);
    EXPECT_TRUE(model_.task(3)->incomplete);
    EXPECT_FALSE(model_.task(2)->incomplete);
}

TEST_F(Loss, BatchesThatTheEmitterThrewAwayAreNotCountedTwice) {
    sequence_ += 3;
    BatchBuilder b = next();
    b.batch().set_batches_lost(3);
    model_.apply(b);
    EXPECT_EQ(model_.batches_lost(), 3u);
}

TEST_F(Loss, AModelThatBeginsLateHasLostNothing) {
    Model late;
    late.apply(BatchBuilder(500).loop_started(1, 1));
    EXPECT_EQ(late.batches_lost(), 0u);
}

TEST_F(Loss, DropsAreAsTheAppLastSaid) {
    BatchBuilder b = next();
    b.batch().set_dropped_total(17);
    model_.apply(b);
    EXPECT_EQ(model_.dropped(), 17u);
    model_.apply(next());
    EXPECT_EQ(model_.dropped(), 17u);
}

TEST_F(Loss, ColumnsThatAreTooShortEndTheLane) {
    for (int column = 0; column < 4; ++column) {
        SCOPED_TRACE(column);
        const std::uint64_t before = model_.anomalies();
        const std::uint64_t events = model_.events();
        BatchBuilder b = next();
        b.created(5000, 10 + static_cast<std::uint64_t>(column) * 2, 0, 1).created(5001, 1000, 0, 1);
        v2::Lane& lane = *b.batch().mutable_lanes(0);
        if (column == 0) lane.mutable_time_deltas()->RemoveLast();
        if (column == 1) lane.mutable_subject_deltas()->RemoveLast();
        if (column == 2) lane.mutable_arguments()->RemoveLast();
        if (column == 3) lane.mutable_stacks()->RemoveLast();
        model_.apply(b);
        EXPECT_EQ(model_.anomalies(), before + 1);
        EXPECT_EQ(model_.events(), events + 1);
        EXPECT_NE(model_.task(10 + static_cast<std::uint64_t>(column) * 2), nullptr);
        EXPECT_EQ(model_.task(1000), nullptr);
    }
}

TEST_F(Loss, AnUnknownKindEndsItsLaneOnly) {
    BatchBuilder b = next();
    b.thread(1).created(2000, 10).event(2001, static_cast<vocabulary::EventKind>(77)).created(2002, 11);
    b.thread(2).created(2000, 12);
    model_.apply(b);
    EXPECT_EQ(model_.anomalies(), 1u);
    EXPECT_NE(model_.task(10), nullptr);
    EXPECT_EQ(model_.task(11), nullptr);
    EXPECT_NE(model_.task(12), nullptr);
}

TEST_F(Loss, DefinitionsSentAgainChangeNothing) {
    BatchBuilder b = next();
    define_program(b);
    model_.apply(b);
    EXPECT_EQ(model_.anomalies(), 0u);
    EXPECT_EQ(model_.threads().size(), 2u);
    EXPECT_EQ(model_.threads()[0].loop, 7u);
    EXPECT_EQ(model_.coroutine(*model_.task(1)), "app_main");
}

}  // namespace
}  // namespace coroscope::model::test
