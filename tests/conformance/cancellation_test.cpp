// Cancellation by throwing: when it is thrown, what it carries, who gets it.
#include <string>

#include "task_support.hpp"

namespace coroscope::test {
namespace {

// --- the message

CORO_TEST(Cancellation, TheMessageArrivesAtTheAwait) {
    auto task = create_task(forever());
    co_await yield();
    task.cancel("enough");
    EXPECT_EQ(co_await thrown_by(task), "Cancelled: enough");
}

CORO_TEST(Cancellation, TheMessageComesWithResultAndException) {
    auto task = create_task(forever());
    co_await yield();
    task.cancel("enough");
    co_await task.wait();
    EXPECT_EQ(thrown_in([&] { task.result(); }), "Cancelled: enough");
    EXPECT_EQ(thrown_in([&] { task.exception(); }), "Cancelled: enough");
}

Coro<> await_task(Task<> inner) { co_await inner; }
CORO_TEST(Cancellation, TheMessagePassesThroughAnAwaitedTask) {
    auto inner = create_task(forever());
    auto outer = create_task(await_task(inner));
    co_await yield();
    co_await yield();
    outer.cancel("from outside");
    EXPECT_EQ(co_await thrown_by(outer), "Cancelled: from outside");
    EXPECT_EQ(co_await thrown_by(inner), "Cancelled: from outside");
}

CORO_TEST(Cancellation, WhoAwaitsACancelledTaskGetsItsMessage) {
    auto inner = create_task(forever());
    auto outer = create_task(await_task(inner));
    co_await yield();
    co_await yield();
    inner.cancel("inner only");
    EXPECT_EQ(co_await thrown_by(outer), "Cancelled: inner only");
    EXPECT_EQ(outer.cancelling(), 0u);
}

CORO_TEST(Cancellation, ATaskThatHasNotBegunNeverBeginsAndKeepsTheMessage) {
    auto task = create_task(value_now(1));
    task.cancel("too early");
    EXPECT_EQ(co_await thrown_by(task), "Cancelled: too early");
    EXPECT_EQ(thrown_in([&] { task.result(); }), "Cancelled: too early");
}

CORO_TEST(Cancellation, BeforeATaskRunsTheLastMessageCounts) {
    auto task = create_task(for_a_while(1ms));
    task.cancel("one");
    task.cancel("two");
    EXPECT_EQ(co_await thrown_by(task), "Cancelled: two");
    auto other = create_task(for_a_while(1ms));
    other.cancel("one");
    other.cancel();
    EXPECT_EQ(co_await thrown_by(other), "Cancelled");
}

// Then its wait has been given up already.
CORO_TEST(Cancellation, OfATaskThatWaitsTheFirstMessageCounts) {
    auto task = create_task(forever());
    co_await yield();
    task.cancel("one");
    task.cancel("two");
    EXPECT_EQ(co_await thrown_by(task), "Cancelled: one");
    auto inner = create_task(forever());
    auto outer = create_task(awaiting(inner));
    co_await yield();
    co_await yield();
    outer.cancel("one");
    outer.cancel("two");
    EXPECT_EQ(co_await thrown_by(outer), "Cancelled: one");
    EXPECT_EQ(co_await thrown_by(inner), "Cancelled: one");
    auto silent = create_task(forever());
    co_await yield();
    silent.cancel();
    silent.cancel("two");
    EXPECT_EQ(co_await thrown_by(silent), "Cancelled");
}

Coro<> cancel_twice_awaiting(std::string& seen) {
    try {
        co_await forever();
    } catch (const Cancelled& cancelled) {
        seen += cancelled.message() + ";";
    }
    try {
        co_await forever();
    } catch (const Cancelled& cancelled) {
        seen += cancelled.message() + ";";
    }
}
CORO_TEST(Cancellation, AMessageIsThrownOnce) {
    std::string seen;
    auto task = create_task(cancel_twice_awaiting(seen));
    co_await yield();
    task.cancel("one");
    co_await yield();
    task.cancel();
    co_await task;
    EXPECT_EQ(seen, "one;;");
}

// --- when

CORO_TEST(Cancellation, IsFalseWhenTheTaskIsDone) {
    auto task = create_task(value_now(1));
    co_await task;
    EXPECT_FALSE(task.cancel());
    EXPECT_FALSE(task.cancelled());
    EXPECT_EQ(task.cancelling(), 0u);
}

CORO_TEST(Cancellation, ATaskThatSwallowsItGoesOn) {
    auto task = create_task(swallow_cancellation(7));
    co_await yield();
    EXPECT_TRUE(task.cancel());
    EXPECT_EQ(co_await task, 7);
    EXPECT_FALSE(task.cancelled());
    EXPECT_EQ(task.cancelling(), 1u);
}

CORO_TEST(Cancellation, ATaskThatFailsInsteadHasFailed) {
    auto task = create_task(fail_in_cleanup("cleanup"));
    co_await yield();
    task.cancel();
    EXPECT_EQ(co_await thrown_by(task), "SecondError: cleanup");
    EXPECT_FALSE(task.cancelled());
}

Coro<> cancel_self_then(std::string& log) {
    current_task().cancel("self");
    log += "ran on;";
    try {
        co_await yield();
    } catch (const Cancelled&) {
        log += "thrown";
    }
}
CORO_TEST(Cancellation, OfTheRunningTaskIsThrownAtItsNextAwait) {
    std::string log;
    co_await create_task(cancel_self_then(log));
    EXPECT_EQ(log, "ran on;thrown");
}

Coro<int> cancel_self_and_return() {
    current_task().cancel();
    co_return 5;
}
CORO_TEST(Cancellation, ATaskThatReturnsWithoutAnotherAwaitIsCancelled) {
    auto task = create_task(cancel_self_and_return());
    co_await task.wait();
    EXPECT_TRUE(task.cancelled());
    EXPECT_EQ(co_await thrown_by(task), "Cancelled");
    EXPECT_EQ(thrown_in([&] { static_cast<void>(task.result()); }), "Cancelled");
}

Coro<> cancel_self_and_fail() {
    current_task().cancel();
    throw FirstError("its own");
    co_return;
}
CORO_TEST(Cancellation, ATaskThatFailsWithoutAnotherAwaitHasFailed) {
    auto task = create_task(cancel_self_and_fail());
    EXPECT_EQ(co_await thrown_by(task), "FirstError: its own");
    EXPECT_FALSE(task.cancelled());
}

Coro<int> cancel_self_uncancel_and_return() {
    current_task().cancel();
    current_task().uncancel();
    co_return 5;
}
CORO_TEST(Cancellation, ARequestThatWasTakenBackEndsNothing) {
    auto task = create_task(cancel_self_uncancel_and_return());
    EXPECT_EQ(co_await task, 5);
}

// What it returned, and what it awaited before, goes once.
Coro<std::shared_ptr<int>> return_after_an_await(std::shared_ptr<int> value) {
    co_await yield();
    current_task().cancel("too late");
    co_return value;
}
CORO_TEST(Cancellation, WhatACancelledTaskReturnedGoes) {
    auto value = std::make_shared<int>(1);
    auto task = create_task(return_after_an_await(value));
    EXPECT_EQ(co_await thrown_by(task), "Cancelled: too late");
    EXPECT_EQ(value.use_count(), 1);
}

CORO_TEST(Cancellation, OfATaskThatIsReadyIsThrownWhenItRuns) {
    Event event;
    auto waiting = create_task([](Event& the_event) -> Coro<> { co_await the_event.wait(); }, std::ref(event));
    co_await yield();
    event.set();
    waiting.cancel();
    EXPECT_EQ(co_await thrown_by(waiting), "Cancelled");
}

// --- uncancel

CORO_TEST(Cancellation, RequestsAreCounted) {
    auto task = create_task(forever());
    co_await yield();
    EXPECT_EQ(task.uncancel(), 0u);
    task.cancel();
    task.cancel();
    EXPECT_EQ(task.cancelling(), 2u);
    EXPECT_EQ(task.uncancel(), 1u);
    EXPECT_EQ(task.uncancel(), 0u);
    EXPECT_EQ(task.uncancel(), 0u);
    co_await task.wait();
}

Coro<> uncancel_self(bool& went_on) {
    current_task().cancel();
    current_task().uncancel();
    co_await sleep(1ms);
    went_on = true;
}
CORO_TEST(Cancellation, UncancelToZeroTakesAPendingCancelledBack) {
    bool went_on = false;
    co_await create_task(uncancel_self(went_on));
    EXPECT_TRUE(went_on);
}

Coro<> uncancel_self_once(std::string& log) {
    current_task().cancel();
    current_task().cancel();
    current_task().uncancel();
    try {
        co_await yield();
    } catch (const Cancelled&) {
        log = "thrown";
    }
}
CORO_TEST(Cancellation, UncancelAboveZeroLeavesItPending) {
    std::string log;
    co_await create_task(uncancel_self_once(log));
    EXPECT_EQ(log, "thrown");
}

Coro<> take_lock(Lock& lock, bool& got) {
    auto held = co_await lock.acquire();
    got = true;
}
CORO_TEST(Cancellation, UncancelOfATaskThatGaveUpItsWaitDoesNotMakeItSucceed) {
    Lock lock;
    auto held = co_await lock.acquire();
    bool got = false;
    auto task = create_task(take_lock(lock, got));
    co_await yield();
    task.cancel();
    EXPECT_EQ(task.uncancel(), 0u);
    EXPECT_EQ(co_await thrown_by(task), "Cancelled");
    EXPECT_FALSE(got);
    EXPECT_TRUE(lock.locked());
}

// --- tasks that await tasks

CORO_TEST(Cancellation, ALongChainOfTasksEndsFromItsEnd) {
    std::vector<Task<>> chain;
    chain.push_back(create_task(forever()));
    for (int i = 0; i < 100; ++i) chain.push_back(create_task(await_task(chain.back())));
    for (int i = 0; i < 3; ++i) co_await yield();
    chain.back().cancel("down");
    EXPECT_EQ(co_await thrown_by(chain.back()), "Cancelled: down");
    for (const auto& task : chain) EXPECT_TRUE(task.cancelled());
}

Coro<int> await_value(Task<int> inner) { co_return co_await inner; }
CORO_TEST(Cancellation, IsSwallowedForBothWhenTheAwaitedTaskSwallowsIt) {
    auto inner = create_task(swallow_cancellation(3));
    auto outer = create_task(await_value(inner));
    co_await yield();
    co_await yield();
    outer.cancel();
    EXPECT_EQ(co_await outer, 3);
    EXPECT_FALSE(outer.cancelled());
}

Coro<> await_later(const Task<>& other) {
    co_await sleep(1ms);
    Task<> target = other;
    co_await target;
}
CORO_TEST(Cancellation, TasksThatAwaitEachOtherInACircleEnd) {
    Task<> a, b, c;
    a = create_task(await_later(b));
    b = create_task(await_later(c));
    c = create_task(await_later(a));
    co_await sleep(2ms);
    a.cancel("broken up");
    co_await a.wait();
    co_await b.wait();
    co_await c.wait();
    EXPECT_TRUE(a.cancelled() && b.cancelled() && c.cancelled());
}

CORO_TEST(Cancellation, ATaskCannotAwaitItself) {
    Task<> self;
    self = create_task(await_later(self));
    EXPECT_EQ(co_await thrown_by(self), "std::logic_error: a task cannot await itself: it would never end");
    const auto wait_for_itself = []() -> Coro<> { co_await current_task().wait(); };
    auto other = create_task(wait_for_itself());
    EXPECT_EQ(co_await thrown_by(other), "std::logic_error: a task cannot await itself: it would never end");
}

// --- wait(): the end without the throw

CORO_TEST(Cancellation, WaitingForTheEndThrowsNothingOfTheTask) {
    auto cancelled = create_task(forever());
    auto failed = create_task(fail_after(1ms, "x"));
    co_await yield();
    cancelled.cancel();
    co_await cancelled.wait();
    co_await failed.wait();
    EXPECT_TRUE(cancelled.cancelled());
    EXPECT_EQ(text_of(failed.exception()), "FirstError: x");
}

Coro<> wait_for_end(Task<> task) { co_await task.wait(); }
CORO_TEST(Cancellation, OfAWaitForTheEndLeavesTheTaskAlone) {
    auto task = create_task(for_a_while(10ms));
    auto waiting = create_task(wait_for_end(task));
    co_await sleep(1ms);
    waiting.cancel();
    EXPECT_EQ(co_await thrown_by(waiting), "Cancelled");
    co_await task;
    EXPECT_FALSE(task.cancelled());
}

}  // namespace
}  // namespace coroscope::test
