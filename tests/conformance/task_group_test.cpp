// TaskGroup: the behaviours of Python 3.13's, most of which its test_taskgroups.py pins down.
#include "task_support.hpp"

namespace coroscope::test {
namespace {

// "FirstError: a; SecondError: b": what a group holds.
std::string texts(const std::exception_ptr& error) {
    std::string all;
    try {
        if (error) std::rethrow_exception(error);
    } catch (const ExceptionGroup& group) {
        for (const auto& each : group.exceptions()) all += (all.empty() ? "" : "; ") + text_of(each);
    } catch (...) {
        all = "not a group: " + text_of(std::current_exception());
    }
    return all;
}

CORO_TEST(TaskGroup, ResultsAreThereAfterTheJoin) {
    TaskGroup group;
    auto one = group.create_task(value_after(10ms, 1));
    auto two = group.create_task(value_after, 5ms, 2);
    co_await group.join();
    EXPECT_EQ(one.result() + two.result(), 3);
}

CORO_TEST(TaskGroup, AnEmptyGroupJoinsAtOnce) {
    const std::uint64_t before = now_ms();
    TaskGroup group;
    co_await group.join();
    EXPECT_EQ(now_ms(), before);
}

CORO_TEST(TaskGroup, TasksThatEndedBeforeTheJoinCount) {
    TaskGroup group;
    auto task = group.create_task(value_now(4));
    co_await sleep(10ms);
    EXPECT_TRUE(task.done());
    co_await group.join();
    EXPECT_EQ(task.result(), 4);
}

Coro<> one_fails_one_waits(TaskGroup& group, Task<>& waiting) {
    waiting = group.create_task(forever());
    group.create_task(fail_after(10ms, "broken"));
    co_return;
}
CORO_TEST(TaskGroup, AFailureCancelsTheOthers) {
    Task<> waiting;
    const auto body = [&](TaskGroup& group) { return one_fails_one_waits(group, waiting); };
    auto joined = with_task_group(body);
    const auto error = co_await error_of(std::move(joined));
    EXPECT_EQ(texts(error), "FirstError: broken");
    EXPECT_TRUE(waiting.cancelled());
}

Coro<> two_fail_together(TaskGroup& group) {
    group.create_task(fail_after(10ms, "one"));
    group.create_task(fail_after<SecondError>(10ms, "two"));
    co_return;
}
CORO_TEST(TaskGroup, FailuresOfTheSameMomentAllArrive) {
    auto error = co_await error_of(with_task_group(two_fail_together));
    EXPECT_EQ(texts(error), "FirstError: one; SecondError: two");
}

Coro<> fails_when_aborted(TaskGroup& group) {
    group.create_task(fail_in_cleanup("in cleanup"));
    group.create_task(fail_after(10ms, "first"));
    co_return;
}
CORO_TEST(TaskGroup, ErrorsOfTasksThatAreBeingCancelledAreCollected) {
    auto error = co_await error_of(with_task_group(fails_when_aborted));
    EXPECT_EQ(texts(error), "FirstError: first; SecondError: in cleanup");
}

CORO_TEST(TaskGroup, AChildThatIsCancelledByItselfIsNoError) {
    TaskGroup group;
    auto cancelled = group.create_task(forever());
    auto other = group.create_task(value_after(10ms, 3));
    co_await sleep(1ms);
    cancelled.cancel();
    co_await group.join();
    EXPECT_TRUE(cancelled.cancelled());
    EXPECT_EQ(other.result(), 3);
}

Coro<> throws_cancelled() {
    co_await yield();
    throw Cancelled("by itself");
}
CORO_TEST(TaskGroup, AChildThatThrowsCancelledItselfIsNoError) {
    TaskGroup group;
    auto task = group.create_task(throws_cancelled());
    co_await group.join();
    EXPECT_TRUE(task.cancelled());
}

Coro<> body_that_fails(TaskGroup& group, bool& cleaned) {
    group.create_task(clean_up_for(20ms, cleaned));
    co_await sleep(1ms);
    throw FirstError("body");
}
CORO_TEST(TaskGroup, AnErrorOfTheBodyCancelsTheTasksAndWaitsForTheirCleanup) {
    bool cleaned = false;
    const std::uint64_t before = now_ms();
    const auto body = [&](TaskGroup& group) { return body_that_fails(group, cleaned); };
    auto joined = with_task_group(body);
    const auto error = co_await error_of(std::move(joined));
    EXPECT_EQ(texts(error), "FirstError: body");
    EXPECT_TRUE(cleaned);
    EXPECT_EQ(now_ms() - before, 21u);
}

Coro<> body_and_child_fail(TaskGroup& group) {
    group.create_task(fail_in_cleanup("child"));
    co_await sleep(1ms);
    throw FirstError("body");
}
CORO_TEST(TaskGroup, TheErrorOfTheBodyComesAfterThoseOfTheTasks) {
    auto error = co_await error_of(with_task_group(body_and_child_fail));
    EXPECT_EQ(texts(error), "SecondError: child; FirstError: body");
}

Coro<> body_waits(TaskGroup& group, bool& interrupted) {
    group.create_task(fail_after(5ms, "child"));
    try {
        co_await forever();
    } catch (const Cancelled&) {
        interrupted = true;
        throw;
    }
}
CORO_TEST(TaskGroup, AFailureInterruptsTheBodyAndTheRequestIsTakenBack) {
    bool interrupted = false;
    const auto body = [&](TaskGroup& group) { return body_waits(group, interrupted); };
    auto joined = with_task_group(body);
    const auto error = co_await error_of(std::move(joined));
    EXPECT_EQ(texts(error), "FirstError: child");
    EXPECT_TRUE(interrupted);
    EXPECT_EQ(current_task().cancelling(), 0u);
    co_await sleep(1ms);  // nothing is thrown any more
}

Coro<> body_swallows(TaskGroup& group) {
    group.create_task(fail_after(5ms, "child"));
    co_await swallow_cancellation(0);
}
CORO_TEST(TaskGroup, ABodyThatSwallowsTheInterruptionStillGivesTheError) {
    auto error = co_await error_of(with_task_group(body_swallows));
    EXPECT_EQ(texts(error), "FirstError: child");
    EXPECT_EQ(current_task().cancelling(), 0u);
}

Coro<> body_fails_when_interrupted(TaskGroup& group) {
    group.create_task(fail_after(5ms, "child"));
    co_await fail_in_cleanup("body");
}
CORO_TEST(TaskGroup, ABodyThatFailsWhenInterruptedAddsItsError) {
    auto error = co_await error_of(with_task_group(body_fails_when_interrupted));
    EXPECT_EQ(texts(error), "FirstError: child; SecondError: body");
}

Coro<> join_one(Task<>& child) {
    TaskGroup group;
    child = group.create_task(forever());
    co_await group.join();
}
CORO_TEST(TaskGroup, CancellingTheJoinCancelsTheTasksAndThrowsCancelledWithTheMessage) {
    Task<> child;
    auto owner = create_task(join_one(child));
    co_await sleep(1ms);
    owner.cancel("enough");
    EXPECT_EQ(co_await thrown_by(owner), "Cancelled: enough");
    EXPECT_TRUE(owner.cancelled());
    EXPECT_TRUE(child.cancelled());
}

Coro<> join_stubborn(bool& cleaned) {
    TaskGroup group;
    group.create_task(clean_up_for(50ms, cleaned));
    co_await group.join();
}
Coro<> wait_for_event(Event& event) { co_await event.wait(); }
Coro<> join_one(Event& may_end, bool& went_on) {
    TaskGroup group;
    group.create_task(wait_for_event(may_end));
    co_await group.join();
    went_on = true;
    co_await sleep(1ms);
}
// The join has not gone on yet.
CORO_TEST(TaskGroup, CancellingTheJoinOnTheTurnOfTheLastTasksEndIsThrownByIt) {
    Event may_end;
    bool went_on = false;
    auto task = create_task(join_one(may_end, went_on));
    co_await turns();
    may_end.set();
    co_await yield();
    task.cancel("just in time");
    EXPECT_EQ(co_await thrown_by(task), "Cancelled: just in time");
    EXPECT_FALSE(went_on);
}

CORO_TEST(TaskGroup, CancellingTheJoinAgainDoesNotLeaveEarly) {
    bool cleaned = false;
    auto owner = create_task(join_stubborn(cleaned));
    co_await sleep(1ms);
    owner.cancel();
    co_await sleep(10ms);
    owner.cancel();
    co_await sleep(10ms);
    EXPECT_FALSE(owner.done());
    co_await owner.wait();
    EXPECT_TRUE(cleaned);
    EXPECT_TRUE(owner.cancelled());
}

Coro<> one_fails_in_cleanup(TaskGroup& group) {
    group.create_task(fail_in_cleanup("child"));
    co_return;
}
Coro<> join_child_failing_in_cleanup(std::string& after) {
    auto error = co_await error_of(with_task_group(one_fails_in_cleanup));
    after = texts(error) + ", cancelling " + std::to_string(current_task().cancelling());
    co_await sleep(1ms);
    after += ", not cancelled";
}
CORO_TEST(TaskGroup, AChildThatFailsWhileTheParentIsCancelledGoesFirstAndCancelledFollowsAtTheNextAwait) {
    std::string after;
    auto owner = create_task(join_child_failing_in_cleanup(after));
    co_await sleep(1ms);
    owner.cancel();
    co_await owner.wait();
    EXPECT_EQ(after, "SecondError: child, cancelling 1");
    EXPECT_TRUE(owner.cancelled());
}

Coro<> fail_then_be_cancelled(bool& cleaned) {
    TaskGroup group;
    group.create_task(clean_up_for(20ms, cleaned));
    group.create_task(fail_after(5ms, "child"));
    co_await group.join();
}
CORO_TEST(TaskGroup, ACancellationDuringTheAbortKeepsTheErrors) {
    bool cleaned = false;
    auto owner = create_task(fail_then_be_cancelled(cleaned));
    co_await sleep(10ms);
    owner.cancel();
    EXPECT_EQ(texts(co_await error_of(owner)), "FirstError: child");
    EXPECT_TRUE(cleaned);
}

Coro<> cancelled_body(TaskGroup& group, Task<>& child) {
    child = group.create_task(forever());
    co_await forever();
}
Coro<> with_cancelled_body(Task<>& child) {
    const auto body = [&](TaskGroup& group) { return cancelled_body(group, child); };
    auto joined = with_task_group(body);
    co_await std::move(joined);
}
CORO_TEST(TaskGroup, CancellingTheBodyFromOutsideCancelsTheTasksAndStaysACancellation) {
    Task<> child;
    auto owner = create_task(with_cancelled_body(child));
    co_await sleep(1ms);
    owner.cancel("outside");
    EXPECT_EQ(co_await thrown_by(owner), "Cancelled: outside");
    EXPECT_EQ(owner.cancelling(), 1u);
    EXPECT_TRUE(child.cancelled());
}

Coro<> inner_group(TaskGroup& outer, Task<>& sibling) {
    sibling = outer.create_task(forever());
    co_await with_task_group(two_fail_together);
}
CORO_TEST(TaskGroup, TheGroupOfAnInnerOneNestsInTheOuterOnes) {
    Task<> sibling;
    const auto body = [&](TaskGroup& group) { return inner_group(group, sibling); };
    auto joined = with_task_group(body);
    const auto error = co_await error_of(std::move(joined));
    try {
        std::rethrow_exception(error);
    } catch (const ExceptionGroup& outer) {
        EXPECT_EQ(outer.exceptions().size(), 1u);
        EXPECT_TRUE(detail::is_exception<ExceptionGroup>(outer.exceptions()[0]));
        EXPECT_EQ(outer.leaves().size(), 2u);
    }
    EXPECT_TRUE(sibling.cancelled());
}

Coro<> outer_fails(TaskGroup& outer, Task<>& inner_child) {
    outer.create_task(fail_after(5ms, "outer child"));
    const auto body = [&](TaskGroup& group) { return cancelled_body(group, inner_child); };
    auto joined = with_task_group(body);
    co_await std::move(joined);
}
CORO_TEST(TaskGroup, AFailureInTheOuterGroupEndsTheInnerOneInItsBody) {
    Task<> inner_child;
    const auto body = [&](TaskGroup& group) { return outer_fails(group, inner_child); };
    auto joined = with_task_group(body);
    const auto error = co_await error_of(std::move(joined));
    EXPECT_EQ(texts(error), "FirstError: outer child");
    EXPECT_TRUE(inner_child.cancelled());
    EXPECT_EQ(current_task().cancelling(), 0u);
}

Coro<> adds_another(TaskGroup& group, Task<int>& added) {
    co_await yield();
    added = group.create_task(value_after(5ms, 9));
}
CORO_TEST(TaskGroup, ATaskAddsATaskWhileTheGroupIsBeingJoined) {
    Task<int> added;
    TaskGroup group;
    group.create_task(adds_another(group, added));
    co_await group.join();
    EXPECT_EQ(added.result(), 9);
}

CORO_TEST(TaskGroup, NothingIsAddedAfterTheJoin) {
    TaskGroup group;
    group.create_task(value_now(1));
    co_await group.join();
    bool called = false;
    const auto make = [&called] {
        called = true;
        return value_now(1);
    };
    testing::internal::CaptureStderr();
    EXPECT_NE(thrown_in([&] { group.create_task(value_now(1)); }).find("finished"), std::string::npos);
    EXPECT_NE(thrown_in([&] { group.create_task(make); }).find("finished"), std::string::npos);
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "");  // the coroutine was closed: it is not "never awaited"
    EXPECT_FALSE(called);
}

Coro<> adds_when_cancelled(TaskGroup& group, std::string& thrown) {
    try {
        co_await forever();
    } catch (const Cancelled&) {
        thrown = thrown_in([&] { group.create_task(value_now(1)); });
    }
}
Coro<> one_fails_one_adds(TaskGroup& group, std::string& thrown) {
    group.create_task(adds_when_cancelled(group, thrown));
    group.create_task(fail_after(1ms, "x"));
    co_return;
}
CORO_TEST(TaskGroup, NothingIsAddedWhileItIsEnding) {
    std::string thrown;
    const auto body = [&](TaskGroup& group) { return one_fails_one_adds(group, thrown); };
    auto joined = with_task_group(body);
    co_await error_of(std::move(joined));
    EXPECT_NE(thrown.find("ending"), std::string::npos) << thrown;
}

Coro<> timed_group(bool& cleaned) {
    TaskGroup group;
    group.create_task(clean_up_for(5ms, cleaned));
    co_await group.join();
}
CORO_TEST(TaskGroup, ATimeoutAroundAJoinWaitsForTheTasksAndIsATimeout) {
    bool cleaned = false;
    EXPECT_EQ(co_await thrown_by(wait_for(timed_group(cleaned), 10ms)), "TimeoutError: timed out");
    EXPECT_TRUE(cleaned);
}

CORO_TEST(TaskGroup, CancelEndsTheTasksWithoutAnError) {
    TaskGroup group;
    auto task = group.create_task(forever());
    co_await yield();
    group.cancel();
    co_await group.join();
    EXPECT_TRUE(task.cancelled());
}

Coro<int> body_with_value(TaskGroup& group) {
    auto task = group.create_task(value_after(1ms, 4));
    co_return co_await task + 1;
}
CORO_TEST(TaskGroup, GivesWhatTheBodyReturned) { EXPECT_EQ(co_await with_task_group(body_with_value), 5); }

Coro<> join_elsewhere(TaskGroup& group) { co_await group.join(); }
CORO_TEST(TaskGroup, OnlyItsOwnerJoinsIt) {
    TaskGroup group;
    auto other = create_task(join_elsewhere(group));
    EXPECT_NE((co_await thrown_by(other)).find("only the task that made it"), std::string::npos);
    co_await group.join();
}

TEST(TaskGroup, NeedsATask) { EXPECT_THROW(TaskGroup(), std::logic_error); }

Coro<> hold(Counted, Event& started) {
    started.set();
    co_await forever();
}
Coro<> leave_without_join(int& alive, Task<>& child, Task<>& unstarted) {
    Event started;
    TaskGroup group;
    child = group.create_task(hold(Counted(alive), started));
    co_await started.wait();
    unstarted = group.create_task(hold(Counted(alive), started));
    throw FirstError("left");
}
CORO_TEST(TaskGroup, AGroupLeftWithoutAJoinEndsItsTasksOnTheSpot) {
    int alive = 0;
    Task<> child, unstarted;
    EXPECT_EQ(co_await thrown_by(leave_without_join(alive, child, unstarted)), "FirstError: left");
    EXPECT_EQ(alive, 0);
    EXPECT_TRUE(child.cancelled());
    EXPECT_TRUE(unstarted.cancelled());
    co_await sleep(1ms);  // the one that was queued is passed over
}

// A body that waits before the join, written out as the documentation of asyncio has it.
Coro<> job(std::chrono::nanoseconds body) {
    TaskGroup group;
    group.create_task(fail_after(5ms, "child"));
    co_await sleep(body);
    co_await group.join();
}
CORO_TEST(TaskGroup, ABodyThatIsInterruptedBeforeItsJoinGivesTheErrorsToWhoeverAwaitsIt) {
    const std::uint64_t before = now_ms();
    const auto error = co_await error_of(job(50ms));
    EXPECT_EQ(texts(error), "FirstError: child");
    EXPECT_EQ(now_ms() - before, 5u);
    EXPECT_EQ(current_task().cancelling(), 0u);
    co_await sleep(1ms);  // nothing is thrown any more
}

CORO_TEST(TaskGroup, ATaskWhoseBodyIsInterruptedFailsAndIsNotCancelled) {
    auto task = create_task(job(50ms));
    EXPECT_EQ(texts(co_await error_of(task)), "FirstError: child");
    EXPECT_FALSE(task.cancelled());
}

Coro<> deeper_body() { co_await forever(); }
Coro<> job_with_two() {
    TaskGroup group;
    group.create_task(fail_after(5ms, "one"));
    group.create_task(fail_after<SecondError>(5ms, "two"));
    group.create_task(forever());
    co_await deeper_body();
}
CORO_TEST(TaskGroup, AllErrorsOfAnInterruptedBodyArrive) {
    const auto error = co_await error_of(job_with_two());
    EXPECT_EQ(texts(error), "FirstError: one; SecondError: two");
}

Coro<> job_within_a_group() {
    TaskGroup outer;
    outer.create_task(job(50ms));
    co_await outer.join();
}
CORO_TEST(TaskGroup, AnInterruptedBodyWithinAnotherGroupNests) {
    const auto error = co_await error_of(job_within_a_group());
    try {
        if (error) std::rethrow_exception(error);
    } catch (const ExceptionGroup& outer) {
        EXPECT_EQ(outer.leaves().size(), 1u);
        EXPECT_TRUE(detail::is_exception<ExceptionGroup>(outer.exceptions()[0]));
    }
}

Coro<> handles_within(std::string& seen, bool throws_on) {
    try {
        TaskGroup group;
        group.create_task(fail_after(5ms, "child"));
        co_await forever();
    } catch (const Cancelled& cancelled) {
        seen = cancelled.message();
        if (throws_on) throw;
    }
    co_await sleep(1ms);  // the group's own request has been taken back
    seen += ", goes on with " + std::to_string(current_task().cancelling());
}
CORO_TEST(TaskGroup, AHandlerInTheBodysCoroutineSeesCancelledWhichNamesTheError) {
    std::string seen;
    co_await handles_within(seen, false);
    EXPECT_EQ(seen, "a task of its TaskGroup failed: coroscope::test::FirstError: child, goes on with 0");
}
CORO_TEST(TaskGroup, WhatSuchAHandlerThrowsOnBecomesTheErrors) {
    std::string seen;
    EXPECT_EQ(texts(co_await error_of(handles_within(seen, true))), "FirstError: child");
}

Coro<> swallows_then_is_cancelled(std::string& seen) {
    co_await handles_within(seen, false);
    co_await forever();
}
CORO_TEST(TaskGroup, ErrorsThatWereSwallowedDoNotComeOutOfALaterCancellation) {
    std::string seen;
    auto task = create_task(swallows_then_is_cancelled(seen));
    co_await sleep(20ms);
    task.cancel("later");
    EXPECT_EQ(co_await thrown_by(task), "Cancelled: later");
    EXPECT_TRUE(task.cancelled());
}

Coro<> cancelled_elsewhere(Task<>& child) {
    TaskGroup group;
    child = group.create_task(forever());
    co_await forever();
}
CORO_TEST(TaskGroup, ABodyThatIsCancelledFromOutsideStaysCancelled) {
    Task<> child;
    auto task = create_task(cancelled_elsewhere(child));
    co_await sleep(1ms);
    task.cancel("outside");
    EXPECT_EQ(co_await thrown_by(task), "Cancelled: outside");
    EXPECT_TRUE(task.cancelled());
    EXPECT_TRUE(child.cancelled());
}

Coro<> interrupted_and_cancelled(std::string& seen) {
    seen = texts(co_await error_of(job(50ms)));
    co_await sleep(1ms);
    seen += ", not cancelled";
}
Coro<> cancel_in_the_same_turn(Task<> task) {
    co_await sleep(5ms);
    task.cancel("outside");
}
CORO_TEST(TaskGroup, OfAnInterruptedBodyThatIsCancelledAsWellTheErrorsComeFirst) {
    std::string seen;
    auto task = create_task(interrupted_and_cancelled(seen));
    auto canceller = create_task(cancel_in_the_same_turn(task));
    co_await task.wait();
    co_await canceller;
    EXPECT_TRUE(task.cancelled());
    EXPECT_EQ(seen, "FirstError: child");
}

Coro<> many_children(int& sum) {
    TaskGroup group;
    std::vector<Task<int>> tasks;
    for (int i = 0; i < 1000; ++i) tasks.push_back(group.create_task(value_after, Milliseconds(i % 10), i));
    co_await group.join();
    for (const auto& task : tasks) sum += task.result();
}
CORO_TEST(TaskGroup, JoinsAThousand) {
    int sum = 0;
    co_await many_children(sum);
    EXPECT_EQ(sum, 499'500);
}

Coro<> leave_and_stop(int& alive) {
    Event started;
    TaskGroup group;
    group.create_task(hold(Counted(alive), started));
    co_await started.wait();
    group.create_task(hold(Counted(alive), started));
    EventLoop::running().stop();  // after this step: what is in the queue stays there
    throw FirstError("left");
}
TEST(TaskGroup, TasksThatEndedInTheQueueGoWithTheLoop) {
    int alive = 0;
    {
        VirtualTimeLoop loop;
        auto task = loop.create_task(leave_and_stop(alive));
        loop.run_forever();
        EXPECT_EQ(thrown_in([&] { task.result(); }), "FirstError: left");
    }
    EXPECT_EQ(alive, 0);
}

}  // namespace
}  // namespace coroscope::test
