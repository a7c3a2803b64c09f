// What the model knows of requests to end a task, and of what ended it.
#include <gtest/gtest.h>

#include "batches.hpp"

namespace coroscope::model::test {
namespace {

using vocabulary::CancelOrigin;

class Cancellations : public ::testing::Test {
protected:
    // Task 1 waits for task 2, which waits at node 7.
    Cancellations() {
        BatchBuilder b(++sequence_);
        define_program(b);
        b.value(1, "session expired").value(2, "std::runtime_error: no route");
        b.loop_started(900, 7).created(1000, 1, 0, 1).begin(1001, 1).created(1002, 2, 1, 3);
        b.end(1003, 1, Verb::join, 2, 4).begin(1004, 2).end(1005, 2, Verb::timer, 0, 7);
        model_.apply(b);
    }
    BatchBuilder next() { return BatchBuilder(++sequence_); }
    const Task& task() { return *model_.task(2); }

    Model model_;
    std::uint64_t sequence_ = 0;
};

TEST_F(Cancellations, ARequestSaysWhoAskedWhereByWhatAndWhy) {
    model_.apply(next().cancel(2000, 2, 1, 2).cancel_origin(2000, 2, CancelOrigin::user, 1));
    EXPECT_EQ(task().cancelled_by, 1u);
    EXPECT_EQ(task().cancelled_at, 2u);
    EXPECT_EQ(task().cancel_origin, CancelOrigin::user);
    EXPECT_EQ(model_.cancel_message(task()), "session expired");
    model_.apply(next().cancel(3000, 2, 0, 0));
    EXPECT_EQ(task().cancel_origin, CancelOrigin::unknown) << "nothing is said of the newest request";
    EXPECT_EQ(model_.cancel_message(task()), "");
}

TEST_F(Cancellations, AnOriginWithoutItsRequestSaysNothing) {
    model_.apply(next().cancel_origin(2000, 2, CancelOrigin::timeout, 1).cancel_origin(2000, 99, CancelOrigin::user));
    EXPECT_EQ(task().cancel_origin, CancelOrigin::unknown);
    EXPECT_EQ(model_.task(99), nullptr);
}

TEST_F(Cancellations, AnOriginOfANewerAppKeepsItsNumber) {
    model_.apply(next().cancel(2000, 2, 1, 2).cancel_origin(2000, 2, static_cast<CancelOrigin>(77)));
    EXPECT_EQ(static_cast<int>(task().cancel_origin), 77);
    EXPECT_EQ(model_.anomalies(), 0u);
}

TEST_F(Cancellations, ArrivalIsKnown) {
    model_.apply(next().cancel(2000, 2, 1, 2).ready(2000, 2, 1).begin(2100, 2).cancel_thrown(2101, 2, 7));
    EXPECT_EQ(task().cancel_thrown_ns, 2101u);
    EXPECT_EQ(task().cancel_thrown_at, 7u);
    EXPECT_EQ(task().cancel_swallowed_ns, 0u);
}

TEST_F(Cancellations, WhatWasThrownMayBeSwallowedAndTheTaskWaitAsBefore) {
    model_.apply(next().cancel(2000, 2, 1, 2).begin(2100, 2).cancel_thrown(2101, 2, 7).cancel_swallowed(2102, 2, 7));
    EXPECT_EQ(task().cancel_swallowed_ns, 2102u);
    EXPECT_EQ(task().cancel_repeated_ns, 0u);
    model_.apply(next().end(2103, 2, Verb::timer, 0, 5));
    EXPECT_EQ(task().cancel_repeated_ns, 0u) << "another await";
    model_.apply(next().begin(2200, 2).end(2203, 2, Verb::timer, 0, 7).begin(2300, 2).end(2303, 2, Verb::timer, 0, 7));
    EXPECT_EQ(task().cancel_repeated_ns, 2203u) << "the first time";
}

TEST_F(Cancellations, ARequestThatIsTakenBackIsForgotten) {
    model_.apply(next().cancel(2000, 2, 1, 2).begin(2100, 2).cancel_thrown(2101, 2, 7).cancel_swallowed(2102, 2, 7));
    model_.apply(next().uncancelled(2103, 2, 0).end(2104, 2, Verb::timer, 0, 7));
    EXPECT_EQ(task().cancel_requests, 0u);
    EXPECT_EQ(task().cancel_swallowed_ns, 0u);
    EXPECT_EQ(task().cancel_repeated_ns, 0u);
    model_.apply(next().begin(2200, 2).cancel_swallowed(2201, 2, 7));
    EXPECT_EQ(task().cancel_swallowed_ns, 0u) << "nobody asked it to end";
}

TEST_F(Cancellations, ATaskEndsWithItsErrorAndWhereThatCameFrom) {
    model_.apply(next().begin(2100, 2).fail(2200, 2, 2, 7));
    EXPECT_EQ(task().outcome, Outcome::error);
    EXPECT_EQ(model_.error_text(task()), "std::runtime_error: no route");
    EXPECT_EQ(task().error_at, 7u);
    EXPECT_EQ(task().retrieved_ns, 0u);
}

TEST_F(Cancellations, TheFirstWhoLooksAtAnErrorIsKnown) {
    model_.apply(
        next().begin(2100, 2).fail(2200, 2, 2, 7).error_retrieved(2300, 2, 1, 4).error_retrieved(2400, 2, 9, 1));
    EXPECT_EQ(task().retrieved_by, 1u);
    EXPECT_EQ(task().retrieved_at, 4u);
    EXPECT_EQ(task().retrieved_ns, 2300u);
    model_.apply(next().error_retrieved(2500, 99, 1, 4));
    EXPECT_EQ(model_.task(99), nullptr) << "it is forgotten, or was never seen";
}

TEST_F(Cancellations, WhatEndedATaskThatIsNotKnownMakesItKnown) {
    model_.apply(next().task_error(2100, 50, 2, 7).done(2101, 50, Outcome::error));
    ASSERT_NE(model_.task(50), nullptr);
    EXPECT_TRUE(model_.task(50)->incomplete);
    EXPECT_EQ(model_.error_text(*model_.task(50)), "std::runtime_error: no route");
}

TEST_F(Cancellations, AnErrorWithoutATextHasNone) {
    model_.apply(next().begin(2100, 2).fail(2200, 2, 77, 7));
    EXPECT_EQ(model_.error_text(task()), "");
    EXPECT_EQ(task().error, 77u);
}

}  // namespace
}  // namespace coroscope::model::test
