// Timeout, wait_for() and shield(): what asyncio.timeout(), wait_for() and shield() do.
#include "support.hpp"

namespace coroscope::test {
namespace {

// `async with asyncio.timeout(limit)` around a coroutine.
Coro<> within(std::chrono::nanoseconds limit, Coro<> work) {
    Timeout timeout(limit);
    try {
        co_await std::move(work);
    } catch (const Cancelled&) {
        timeout.rethrow();
    }
}

std::chrono::nanoseconds now() { return std::chrono::nanoseconds(EventLoop::running().time_ns()); }

TEST(Timeout, ThatIsNotReachedChangesNothing) {
    virtually([]() -> Coro<> {
        const auto began = now();
        co_await within(2s, turns());
        EXPECT_EQ(now() - began, 0ns);
        co_await sleep(3s);  // it does not fire afterwards
        EXPECT_EQ(current_task().cancelling(), 0u);
    });
}

TEST(Timeout, ThatIsReachedCancelsAndIsATimeoutError) {
    virtually([]() -> Coro<> {
        const auto began = now();
        bool cancelled = false;
        EXPECT_TRUE((co_await thrown<TimeoutError>(within(2s, note_cancellation(cancelled)))).has_value());
        EXPECT_EQ(now() - began, 2s);
        EXPECT_TRUE(cancelled);
        EXPECT_EQ(current_task().cancelling(), 0u);
    });
}

TEST(Timeout, OfZeroFiresAtTheFirstSuspension) {
    virtually([]() -> Coro<> {
        EXPECT_TRUE((co_await thrown<TimeoutError>(within(0s, for_ever()))).has_value());
        EXPECT_TRUE((co_await thrown<TimeoutError>(within(-1s, for_ever()))).has_value());
    });
}

TEST(Timeout, OfZeroAroundWorkThatDoesNotSuspendDoesNothing) {
    virtually([]() -> Coro<> {
        co_await within(0s, []() -> Coro<> { co_return; }());
        co_await sleep(1s);
    });
}

TEST(Timeout, NestedTheInnerOneEndsOnlyTheInner) {
    virtually([]() -> Coro<> {
        const auto began = now();
        auto inner = []() -> Coro<> {
            EXPECT_TRUE((co_await thrown<TimeoutError>(within(1s, for_ever()))).has_value());
            co_await sleep(2s);
        };
        co_await within(10s, inner());
        EXPECT_EQ(now() - began, 3s);
    });
}

TEST(Timeout, NestedTheOuterOneEndsBoth) {
    virtually([]() -> Coro<> {
        bool cancelled = false;
        const auto began = now();
        EXPECT_TRUE((co_await thrown<TimeoutError>(within(1s, within(10s, note_cancellation(cancelled))))).has_value());
        EXPECT_TRUE(cancelled);
        EXPECT_EQ(now() - began, 1s);
        EXPECT_EQ(current_task().cancelling(), 0u);
    });
}

TEST(Timeout, BothAtTheSameTimeAreOneTimeoutError) {
    virtually([]() -> Coro<> {
        EXPECT_TRUE((co_await thrown<TimeoutError>(within(1s, within(1s, for_ever())))).has_value());
        EXPECT_EQ(current_task().cancelling(), 0u);
        co_await sleep(1s);
    });
}

TEST(Timeout, ACancellationFromOutsideIsACancellation) {
    virtually([]() -> Coro<> {
        Task<> task = create_task(within(10s, for_ever()));
        co_await turns();
        task.cancel();
        EXPECT_TRUE((co_await thrown<Cancelled>(awaiting(task))).has_value());
        EXPECT_TRUE(task.cancelled());
    });
}

Coro<> ends_slowly_when_cancelled() {
    try {
        co_await for_ever();
    } catch (const Cancelled&) {
    }
    co_await sleep(5s);
    throw Cancelled();
}
TEST(Timeout, ThatExpiresWhileACancellationIsUnderWayStaysACancellation) {
    virtually([]() -> Coro<> {
        Task<> task = create_task(within(2s, ends_slowly_when_cancelled()));
        co_await sleep(1s);
        task.cancel();  // the clean-up is interrupted by the timeout one second later
        EXPECT_TRUE((co_await thrown<Cancelled>(awaiting(task))).has_value());
        EXPECT_TRUE(task.cancelled());
    });
}

TEST(Timeout, AnErrorWithinFliesThrough) {
    virtually([]() -> Coro<> {
        const auto error = co_await thrown<std::runtime_error>(within(10s, fail_later(1s, "own")));
        EXPECT_TRUE(error.has_value());
        if (error) {
            EXPECT_STREQ(error->what(), "own");
        }
    });
}

Coro<> fails_when_cancelled() {
    try {
        co_await for_ever();
    } catch (const Cancelled&) {
    }
    throw std::domain_error("while cleaning up");
}
TEST(Timeout, AnErrorWhileEndingReplacesTheTimeoutError) {
    virtually([]() -> Coro<> {
        EXPECT_TRUE((co_await thrown<std::domain_error>(within(1s, fails_when_cancelled()))).has_value());
    });
}

Coro<> rescheduled(std::chrono::nanoseconds first, std::chrono::nanoseconds then, std::chrono::nanoseconds work) {
    Timeout timeout(first);
    try {
        timeout.reschedule(then);
        co_await sleep(work);
    } catch (const Cancelled&) {
        timeout.rethrow();
    }
}
TEST(Timeout, CanBeMovedLaterAndEarlier) {
    virtually([]() -> Coro<> {
        co_await rescheduled(1s, 10s, 5s);
        const auto began = now();
        EXPECT_TRUE((co_await thrown<TimeoutError>(rescheduled(10s, 1s, 5s))).has_value());
        EXPECT_EQ(now() - began, 1s);
    });
}

Coro<bool> reschedules_after_expiry() {
    Timeout timeout(1s);
    try {
        co_await for_ever();
    } catch (const Cancelled&) {
    }
    bool refused = false;
    EXPECT_TRUE(timeout.expired());
    try {
        timeout.reschedule(1s);
    } catch (const std::logic_error&) {
        refused = true;
    }
    co_return refused;
}
TEST(Timeout, OnceExpiredItCannotBeMoved) {
    virtually([]() -> Coro<> { EXPECT_TRUE(co_await reschedules_after_expiry()); });
}

Coro<> until(std::uint64_t when_ns, Coro<> work) {
    Timeout limit = timeout_at(when_ns);
    try {
        co_await std::move(work);
    } catch (const Cancelled&) {
        limit.rethrow();
    }
}
TEST(Timeout, AtAPointInTime) {
    virtually([]() -> Coro<> {
        const std::uint64_t when = EventLoop::running().time_ns() + 2'000'000'000;
        EXPECT_TRUE((co_await thrown<TimeoutError>(until(when, for_ever()))).has_value());
        EXPECT_EQ(EventLoop::running().time_ns(), when);
        EXPECT_TRUE((co_await thrown<TimeoutError>(until(when - 1, for_ever()))).has_value()) << "in the past";
    });
}

TEST(Timeout, TellsWhen) {
    virtually([]() -> Coro<> {
        const std::uint64_t began = EventLoop::running().time_ns();
        Timeout limit = timeout(2s);
        EXPECT_EQ(limit.when(), began + 2'000'000'000);
        limit.reschedule_at(std::nullopt);
        EXPECT_FALSE(limit.when());
        co_await sleep(5s);
        EXPECT_FALSE(limit.expired());
        const Timeout never = timeout(std::nullopt);
        EXPECT_FALSE(never.when());
    });
}

Coro<int> swallows() {
    try {
        co_await for_ever();
    } catch (const Cancelled&) {
    }
    co_return 42;
}
TEST(Timeout, ASwallowedTimeoutLeavesNoRequestBehind) {
    virtually([]() -> Coro<> {
        EXPECT_EQ(co_await wait_for(swallows(), 1s), 42);
        EXPECT_EQ(current_task().cancelling(), 0u);
        co_await sleep(1s);
    });
}

TEST(Timeout, NeedsATask) { EXPECT_THROW(Timeout(1s), std::logic_error); }

TEST(Timeout, ManyInALoopLeaveNothingBehind) {
    virtually([]() -> Coro<> {
        for (int i = 0; i < 1000; ++i) {
            EXPECT_TRUE((co_await thrown<TimeoutError>(within(1ms, for_ever()))).has_value());
        }
        EXPECT_EQ(current_task().cancelling(), 0u);
    });
}

// --- wait_for

TEST(WaitFor, GivesTheValueInTime) {
    virtually([]() -> Coro<> { EXPECT_EQ(co_await wait_for(value_later(1s, 5), 2s), 5); });
}

TEST(WaitFor, ThrowsTimeoutErrorAtTheLimit) {
    virtually([]() -> Coro<> {
        const auto began = now();
        EXPECT_TRUE((co_await thrown<TimeoutError>(wait_for(value_later(5s, 5), 2s))).has_value());
        EXPECT_EQ(now() - began, 2s);
    });
}

TEST(WaitFor, ADoneTaskIsGivenEvenWithoutTime) {
    virtually([]() -> Coro<> {
        Task<int> task = create_task(value_later(0s, 5));
        co_await sleep(1s);
        EXPECT_TRUE(task.done());
        EXPECT_EQ(co_await wait_for(task, 0s), 5);
        EXPECT_EQ(co_await wait_for(task, -1s), 5);
    });
}

TEST(WaitFor, WithoutTimeATaskThatIsNotDoneIsCancelled) {
    virtually([]() -> Coro<> {
        Task<int> task = create_task(value_later(1s, 5));
        EXPECT_TRUE((co_await thrown<TimeoutError>(wait_for(task, 0s))).has_value());
        EXPECT_TRUE(task.done());
        EXPECT_TRUE(task.cancelled());
    });
}

Coro<int> takes_its_time_to_end(bool& ended) {
    try {
        co_await for_ever();
    } catch (const Cancelled&) {
    }
    co_await sleep(1s);
    ended = true;
    throw Cancelled();
}
TEST(WaitFor, WaitsUntilTheCancelledTaskHasEnded) {
    virtually([]() -> Coro<> {
        bool ended = false;
        const auto began = now();
        Task<int> task = create_task(takes_its_time_to_end(ended));
        EXPECT_TRUE((co_await thrown<TimeoutError>(wait_for(task, 1s))).has_value());
        EXPECT_TRUE(ended);
        EXPECT_EQ(now() - began, 2s);
    });
}

Coro<int> answers_when_cancelled() {
    try {
        co_await for_ever();
    } catch (const Cancelled&) {
    }
    co_return 42;
}
TEST(WaitFor, ACoroutineThatSwallowsTheTimeoutGivesItsValue) {
    virtually([]() -> Coro<> { EXPECT_EQ(co_await wait_for(answers_when_cancelled(), 1s), 42); });
}

TEST(WaitFor, AnErrorOfTheTaskAtTheLimitIsThatError) {
    virtually([]() -> Coro<> {
        EXPECT_TRUE(
            (co_await thrown<std::domain_error>(wait_for(create_task(fails_when_cancelled()), 1s))).has_value());
    });
}

Coro<> waits_for(Task<int> task) { co_await wait_for(task, 10s); }
TEST(WaitFor, CancellingTheWaitCancelsTheTask) {
    virtually([]() -> Coro<> {
        Task<int> task = create_task(value_later(5s, 1));
        Task<> waiting = create_task(waits_for(task));
        co_await turns();
        waiting.cancel();
        EXPECT_TRUE((co_await thrown<Cancelled>(awaiting(waiting))).has_value());
        EXPECT_TRUE(task.cancelled());
    });
}

TEST(WaitFor, ACancelledTaskIsACancellationNotATimeout) {
    virtually([]() -> Coro<> {
        Task<int> task = create_task(value_later(5s, 1));
        co_await yield();
        task.cancel();
        EXPECT_TRUE((co_await thrown<Cancelled>(wait_for(task, 10s))).has_value());
    });
}

TEST(WaitFor, ATimeoutErrorOfTheTaskItselfFliesThrough) {
    virtually([]() -> Coro<> {
        auto own = []() -> Coro<int> {
            co_await sleep(1s);
            throw TimeoutError("the server's own");
        };
        const auto error = co_await thrown<TimeoutError>(wait_for(own(), 10s));
        EXPECT_TRUE(error.has_value());
        if (error) {
            EXPECT_STREQ(error->what(), "the server's own");
        }
    });
}

TEST(WaitFor, OneInTheOtherEachHasItsOwnLimit) {
    virtually([]() -> Coro<> {
        const auto began = now();
        EXPECT_TRUE((co_await thrown<TimeoutError>(wait_for(wait_for(value_later(9s, 1), 5s), 2s))).has_value());
        EXPECT_EQ(now() - began, 2s);
        EXPECT_TRUE((co_await thrown<TimeoutError>(wait_for(wait_for(value_later(9s, 1), 2s), 5s))).has_value());
        EXPECT_EQ(now() - began, 4s);
    });
}

// --- shield

Coro<int> shields(Task<int> task) { co_return co_await shield(task); }
TEST(Shield, GivesTheValue) {
    virtually([]() -> Coro<> { EXPECT_EQ(co_await shields(create_task(value_later(1s, 3))), 3); });
}

TEST(Shield, ACancelledWaitLeavesTheTaskAlone) {
    virtually([]() -> Coro<> {
        Task<int> inner = create_task(value_later(1s, 3));
        Task<int> outer = create_task(shields(inner));
        co_await turns();
        outer.cancel();
        EXPECT_TRUE((co_await thrown<Cancelled>(awaiting(outer))).has_value());
        EXPECT_FALSE(inner.done());
        EXPECT_EQ(co_await inner, 3);
    });
}

TEST(Shield, ACancelledInnerTaskIsACancellation) {
    virtually([]() -> Coro<> {
        Task<int> inner = create_task(value_later(1s, 3));
        Task<int> outer = create_task(shields(inner));
        co_await turns();
        inner.cancel();
        EXPECT_TRUE((co_await thrown<Cancelled>(awaiting(outer))).has_value());
        EXPECT_TRUE(outer.cancelled());
    });
}

Coro<int> fails_with_an_int() {
    co_await sleep(1s);
    throw std::domain_error("inner");
}
TEST(Shield, AnErrorOfTheInnerTaskFliesThrough) {
    virtually([]() -> Coro<> {
        EXPECT_TRUE((co_await thrown<std::domain_error>(shields(create_task(fails_with_an_int())))).has_value());
    });
}

Coro<int> shielded_with_limit(Task<int> task) { co_return co_await wait_for(shields(task), 1s); }
TEST(Shield, InAWaitForTheTaskOutlivesTheLimit) {
    virtually([]() -> Coro<> {
        Task<int> inner = create_task(value_later(5s, 3));
        EXPECT_TRUE((co_await thrown<TimeoutError>(shielded_with_limit(inner))).has_value());
        EXPECT_FALSE(inner.done());
        EXPECT_EQ(co_await inner, 3);
    });
}

TEST(Shield, ADoneTaskIsGivenAtOnce) {
    virtually([]() -> Coro<> {
        Task<int> inner = create_task(value_later(0s, 3));
        co_await sleep(1s);
        EXPECT_EQ(co_await shield(inner), 3);
    });
}

}  // namespace
}  // namespace coroscope::test
