// How the end of a task is told: what failed, and who cancelled it.
#include "agent/words/ending.hpp"

#include <gtest/gtest.h>

#include "tests/model/batches.hpp"

namespace coroscope::words {
namespace {

using model::test::BatchBuilder;
using vocabulary::CancelOrigin;
using vocabulary::Outcome;

class Ending : public ::testing::Test {
protected:
    // Task 1 (app_main) waits for task 2 (worker) at main.cpp:12; task 3 is another worker.
    Ending() {
        BatchBuilder b(++sequence_);
        model::test::define_program(b);
        b.value(1, "session expired").value(2, "std::runtime_error: no\nroute").value(3, "timed out");
        b.loop_started(900, 7).created(1000, 1, 0, 1).named(1000, 1, 1).begin(1001, 1);
        b.created(1002, 2, 1, 3).named(1002, 2, 2).created(1002, 3, 1, 3);
        b.end(1003, 1, vocabulary::Verb::join, 2, 4);
        model_.apply(b);
    }
    BatchBuilder next() { return BatchBuilder(++sequence_); }
    std::string by(model::TaskId id = 2) { return cancelled_by(model_, *model_.task(id)); }

    model::Model model_;
    std::uint64_t sequence_ = 0;
};

TEST_F(Ending, OfATaskThatNobodyCancelledThereIsNothingToSay) {
    EXPECT_EQ(by(), "");
    EXPECT_EQ(ending(model_, *model_.task(2)), "");
}

TEST_F(Ending, ATaskThatCancelsIsNamedWithItsLineAndTheMessage) {
    model_.apply(next().cancel(2000, 2, 1, 2).cancel_origin(2000, 2, CancelOrigin::user, 1));
    EXPECT_EQ(by(), "by task 'first' (app_main) at main.cpp:11 in app_main, with the message 'session expired'");
    model_.apply(next().done(2100, 2, Outcome::cancelled));
    EXPECT_EQ(ending(model_, *model_.task(2)), by());
}

TEST_F(Ending, ACallOutsideOfTasksIsNamedByItsLine) {
    model_.apply(next().cancel(2000, 2, 0, 2).cancel_origin(2000, 2, CancelOrigin::user));
    EXPECT_EQ(by(), "by a call of cancel() at main.cpp:11 in app_main");
}

TEST_F(Ending, EachOriginHasItsWords) {
    const auto of = [&](CancelOrigin origin, std::uint64_t who, std::uint32_t where) {
        model_.apply(next().cancel(2000, 2, who, where).cancel_origin(2000, 2, origin, 3));
        return by();
    };
    EXPECT_EQ(of(CancelOrigin::run_end, 0, 0), "by the end of run(), which cancels every task that is left");
    EXPECT_EQ(of(CancelOrigin::timeout, 2, 2), "by the timeout at main.cpp:11 in app_main");
    EXPECT_EQ(of(CancelOrigin::tool, 0, 0), "by `coroscope cancel`, or the viewer");
    EXPECT_EQ(of(CancelOrigin::signal, 0, 0), "by SIGINT (Ctrl-C)");
    EXPECT_EQ(of(CancelOrigin::library, 0, 0), "by the library, with the message 'timed out'");
    EXPECT_EQ(of(CancelOrigin::task_group, 77, 0), "by its task group");
    EXPECT_EQ(of(static_cast<CancelOrigin>(200), 0, 0), "by unknown") << "of a newer app that does not define it";
}

TEST_F(Ending, AGroupThatCancelsNamesTheTaskThatFailed) {
    model_.apply(next().begin(2000, 3).fail(2001, 3, 2, 7));
    model_.apply(next().cancel(2100, 2, 3, 0).cancel_origin(2100, 2, CancelOrigin::task_group));
    EXPECT_EQ(by(), "by its task group, because task 'Task-3' (worker) failed: std::runtime_error: no route");
}

TEST_F(Ending, ARequestThatWasPassedOnIsToldByWhatBeganIt) {
    model_.apply(next().cancel(2000, 1, 1, 2).cancel_origin(2000, 1, CancelOrigin::timeout, 3));
    model_.apply(next().cancel(2000, 2, 1, 4).cancel_origin(2000, 2, CancelOrigin::awaiter, 3));
    EXPECT_EQ(by(),
              "because task 'first' (app_main), which waited for it, was cancelled by the timeout at main.cpp:11 in "
              "app_main");
    EXPECT_EQ(first_cancelled(model_, *model_.task(2)).id, 1u);
}

TEST_F(Ending, OfOneThatWasCancelledAnewSinceTheBeginIsNotKnown) {
    model_.apply(next().cancel(2000, 2, 1, 4).cancel_origin(2000, 2, CancelOrigin::awaiter, 3));
    model_.apply(next().cancel(3000, 1, 1, 2).cancel_origin(3000, 1, CancelOrigin::timeout, 3));
    EXPECT_EQ(by(), "because task 'first' (app_main), which waited for it, was cancelled");
}

TEST_F(Ending, TasksThatPassTheirRequestsOnInACircleAreToldToo) {
    model_.apply(next().cancel(2000, 1, 2, 4).cancel_origin(2000, 1, CancelOrigin::awaiter));
    model_.apply(next().cancel(2000, 2, 1, 4).cancel_origin(2000, 2, CancelOrigin::awaiter));
    EXPECT_NE(by(), "");
}

TEST_F(Ending, AFailedTaskHasItsErrorOnOneLine) {
    model_.apply(next().begin(2000, 2).fail(2001, 2, 2, 7));
    EXPECT_EQ(error(model_, *model_.task(2)), "std::runtime_error: no route");
    EXPECT_EQ(ending(model_, *model_.task(2)), "std::runtime_error: no route");
    EXPECT_EQ(thrown_text(model_, *model_.task(2)), "in helper, at or after its await at worker.cpp:33");
}

TEST_F(Ending, OfAnErrorBeforeTheFirstAwaitTheCoroutineIsKnown) {
    model_.apply(next().begin(2000, 2).fail(2001, 2, 2, 6));
    EXPECT_EQ(thrown_text(model_, *model_.task(2)), "in helper (worker.cpp:30), before its first await");
}

TEST_F(Ending, AnErrorIsFollowedToTheTaskThatThrewItFirst) {
    model_.apply(next().begin(2000, 2).fail(2001, 2, 2, 7).error_retrieved(2002, 2, 1, 4).begin(2002, 1));
    model_.apply(next().fail(2003, 1, 2, 4));
    const auto path = error_path(model_, *model_.task(1));
    ASSERT_EQ(path.size(), 2u);
    EXPECT_EQ(path[0]->id, 2u);
    EXPECT_EQ(thrown_text(model_, path),
              "in helper, at or after its await at worker.cpp:33, of task 'second' (worker); it came through task "
              "'first' (app_main)");
    EXPECT_EQ(error_path(model_, *model_.task(2)).size(), 1u);
}

TEST_F(Ending, AnErrorThatWasRetrievedElsewhereIsAnother) {
    model_.apply(next().begin(2000, 2).fail(2001, 2, 2, 7).error_retrieved(2002, 2, 1, 4).begin(2002, 1));
    model_.apply(next().fail(2003, 1, 2, 1));
    EXPECT_EQ(error_path(model_, *model_.task(1)).size(), 1u);
}

TEST_F(Ending, OfAnErrorThatIsNotKnownNothingIsMadeUp) {
    model_.apply(next().begin(2000, 2).done(2001, 2, Outcome::error));
    EXPECT_EQ(error(model_, *model_.task(2)), "an error of unknown type");
    EXPECT_EQ(ending(model_, *model_.task(2)), "");
    EXPECT_EQ(thrown_text(model_, *model_.task(2)), "at an unknown place");
}

}  // namespace
}  // namespace coroscope::words
