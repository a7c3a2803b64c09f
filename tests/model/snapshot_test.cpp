// Snapshots: a loop lists its live tasks for those who came late, or lost some.
#include <gtest/gtest.h>

#include "batches.hpp"

namespace coroscope::model::test {
namespace {

TEST(Snapshot, TellsALateReaderWhatLives) {
    Model model;
    BatchBuilder b(40);
    define_program(b);
    b.loop_started(1000, 7).snapshot_begin(1000, 7);
    b.snapshot(1001, 5, 1, 3, vocabulary::Verb::put, 9, 7)
        .named(1001, 5, 1)
        .snapshot(1002, 1, 0, 1, vocabulary::Verb::unknown, 0, 0);
    b.snapshot_end(1003, 7);
    model.apply(b);
    const Task* waits = model.task(5);
    ASSERT_NE(waits, nullptr);
    EXPECT_EQ(waits->state, State::suspended);
    EXPECT_EQ(waits->wait.verb, vocabulary::Verb::put);
    EXPECT_EQ(waits->wait.operand, 9u);
    EXPECT_EQ(waits->suspended_at, 7u);
    EXPECT_EQ(waits->parent, 1u);
    EXPECT_EQ(waits->loop, 7u);
    EXPECT_TRUE(waits->incomplete);
    EXPECT_EQ(model.task_name(*waits), "first");
    EXPECT_EQ(model.await_stack(*waits).size(), 2u);
    EXPECT_EQ(model.task(1)->state, State::ready);
    EXPECT_EQ(model.tasks_created(), 0u);
    EXPECT_EQ(model.anomalies(), 0u);
}

class AfterLoss : public ::testing::Test {
protected:
    AfterLoss() {
        BatchBuilder b(1);
        define_program(b);
        b.loop_started(900, 7).created(1000, 1, 0, 1).created(1001, 2, 1, 3).created(1002, 3, 1, 3);
        b.thread(2).loop_started(900, 8).created(1000, 9, 0, 3);
        model_.apply(b);
    }
    Model model_;
};

TEST_F(AfterLoss, WhatIsNotListedIsGone) {
    BatchBuilder b(2);
    b.snapshot_begin(2000, 7).snapshot(2001, 1, 0, 1, vocabulary::Verb::timer, 0, 4).created(2002, 4, 1, 3);
    b.snapshot(2003, 3, 1, 3, vocabulary::Verb::unknown, 0, 0).snapshot_end(2004, 7);
    model_.apply(b);
    EXPECT_EQ(model_.task(1)->state, State::suspended);
    EXPECT_EQ(model_.task(2)->state, State::done);
    EXPECT_EQ(model_.task(2)->outcome, Outcome::unknown);
    EXPECT_TRUE(model_.task(2)->incomplete);
    EXPECT_EQ(model_.task(2)->done_ns, 0u) << "when, nobody knows";
    EXPECT_EQ(model_.task(2)->changed_ns, 2004u);
    EXPECT_EQ(model_.task(3)->state, State::created) << "it has not run yet";
    EXPECT_FALSE(model_.task(3)->incomplete);
    EXPECT_EQ(model_.task(4)->state, State::created) << "created meanwhile";
    EXPECT_EQ(model_.task(9)->state, State::created) << "of another loop";
    EXPECT_EQ(model_.anomalies(), 0u);
}

TEST_F(AfterLoss, ASnapshotMayTakeSeveralBatches) {
    model_.apply(BatchBuilder(2).snapshot_begin(2000, 7).snapshot(2001, 1, 0, 1, vocabulary::Verb::timer, 0, 4));
    EXPECT_EQ(model_.task(2)->state, State::created);
    model_.apply(
        BatchBuilder(3).poll_begin(2100).poll_end(2200, 0).snapshot(2201, 2, 1, 3, vocabulary::Verb::timer, 0, 5));
    model_.apply(BatchBuilder(4).snapshot_end(2300, 7));
    EXPECT_EQ(model_.task(2)->state, State::suspended);
    EXPECT_EQ(model_.task(3)->state, State::done);
}

TEST_F(AfterLoss, AnEndWithoutABeginClearsNothing) {
    model_.apply(BatchBuilder(2).snapshot_end(2000, 7));
    EXPECT_EQ(model_.task(1)->state, State::created);
    EXPECT_EQ(model_.anomalies(), 1u);
}

TEST_F(AfterLoss, ATaskTakenForGoneComesBackWhenItIsSeen) {
    model_.apply(BatchBuilder(2).snapshot_begin(2000, 7).snapshot_end(2001, 7));
    EXPECT_EQ(model_.task(1)->state, State::done);
    EXPECT_EQ(model_.task(2)->state, State::done);
    model_.apply(BatchBuilder(3).begin(2100, 1).end(2200, 1, vocabulary::Verb::timer, 0, 4));
    EXPECT_EQ(model_.task(1)->state, State::suspended);
    EXPECT_EQ(model_.task(1)->done_ns, 0u);
    model_.apply(BatchBuilder(4)
                     .snapshot_begin(3000, 7)
                     .snapshot(3001, 2, 1, 3, vocabulary::Verb::timer, 0, 5)
                     .snapshot(3001, 1, 0, 1, vocabulary::Verb::timer, 0, 4)
                     .snapshot_end(3002, 7));
    EXPECT_EQ(model_.task(2)->state, State::suspended);
    EXPECT_EQ(model_.done_tasks().size(), 1u);
}

TEST_F(AfterLoss, AStateThatWasKnownKeepsItsTime) {
    model_.apply(BatchBuilder(2).begin(1500, 1).end(1600, 1, vocabulary::Verb::timer, 0, 4));
    model_.apply(BatchBuilder(3).snapshot_begin(2000, 7).snapshot(2001, 1, 0, 1, vocabulary::Verb::timer, 0, 4));
    EXPECT_EQ(model_.task(1)->changed_ns, 1600u);
}

}  // namespace
}  // namespace coroscope::model::test
