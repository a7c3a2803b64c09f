// timeout(), timeout_at(), with_timeout(): what CPython's test_timeouts.py pins down.
#include "task_support.hpp"

namespace coroscope::test {
namespace {

CORO_TEST(Timeout, EndsABodyThatTakesTooLong) {
    const std::uint64_t before = now_ms();
    EXPECT_EQ(co_await thrown_by(with_timeout(10ms, forever())), "TimeoutError: timed out");
    EXPECT_EQ(now_ms() - before, 10u);
    EXPECT_EQ(current_task().cancelling(), 0u);
    co_await sleep(1ms);  // nothing is left behind
}

CORO_TEST(Timeout, LetsABodyThatIsFastEnoughReturn) {
    EXPECT_EQ(co_await with_timeout(10ms, value_after(5ms, 3)), 3);
    co_await sleep(20ms);
    EXPECT_EQ(current_task().cancelling(), 0u);
}

CORO_TEST(Timeout, TakesAFunctionWithItsArguments) {
    EXPECT_EQ(co_await with_timeout(10ms, value_after, 5ms, 4), 4);
    EXPECT_EQ(co_await thrown_by(with_timeout(10ms, value_after, 50ms, 4)), "TimeoutError: timed out");
}

CORO_TEST(Timeout, WithoutALimitNeverExpires) {
    EXPECT_EQ(co_await with_timeout(std::nullopt, value_after(1h, 5)), 5);
    Timeout limit = timeout(std::nullopt);
    EXPECT_FALSE(limit.when());
    co_await sleep(1h);
    EXPECT_FALSE(limit.expired());
}

CORO_TEST(Timeout, OfZeroOrLessTakesEffectAtTheFirstAwaitThatWaits) {
    EXPECT_EQ(co_await thrown_by(with_timeout(0ms, forever())), "TimeoutError: timed out");
    EXPECT_EQ(co_await thrown_by(with_timeout(-5s, forever())), "TimeoutError: timed out");
    EXPECT_EQ(co_await with_timeout(0ms, value_now(2)), 2);
    EXPECT_EQ(current_task().cancelling(), 0u);
}

// Also where the body only yields.
CORO_TEST(Timeout, OfZeroEndsABodyThatIsAlwaysReady) {
    EXPECT_EQ(co_await thrown_by(with_timeout(0ms, turns(2))), "TimeoutError: timed out");
    EXPECT_EQ(current_task().cancelling(), 0u);
}

Coro<> expect_when(Timeout& limit, std::uint64_t expected) {
    EXPECT_EQ(limit.when(), expected);
    co_return;
}
CORO_TEST(Timeout, KnowsWhenItIsOver) {
    const std::uint64_t now = EventLoop::running().time_ns();
    co_await with_timeout(10ms, expect_when, now + 10'000'000);
    Timeout at = timeout_at(now + 7);
    EXPECT_EQ(at.when(), now + 7);
}

Coro<std::string> until(std::uint64_t when_ns) {
    Timeout limit = timeout_at(when_ns);
    try {
        co_await forever();
    } catch (const Cancelled&) {
        co_return thrown_in([&] { limit.rethrow(); });
    }
    co_return "";
}
CORO_TEST(Timeout, AtATimeOfTheLoop) {
    const std::uint64_t now = now_ms();
    EXPECT_EQ(co_await until(EventLoop::running().time_ns() + 5'000'000), "TimeoutError: timed out");
    EXPECT_EQ(now_ms() - now, 5u);
    EXPECT_EQ(co_await until(1), "TimeoutError: timed out");  // long ago
    EXPECT_EQ(now_ms() - now, 5u);
}

Coro<> reschedule_later(Timeout& limit) {
    co_await sleep(5ms);
    limit.reschedule(20ms);
    co_await sleep(15ms);
    EXPECT_FALSE(limit.expired());
    limit.reschedule(std::nullopt);
    co_await sleep(1h);
}
CORO_TEST(Timeout, IsRescheduledLaterOrNever) { co_await with_timeout(10ms, reschedule_later); }

Coro<> reschedule_earlier(Timeout& limit) {
    limit.reschedule(1ms);
    co_await forever();
}
CORO_TEST(Timeout, IsRescheduledEarlier) {
    const std::uint64_t before = now_ms();
    EXPECT_EQ(co_await thrown_by(with_timeout(1h, reschedule_earlier)), "TimeoutError: timed out");
    EXPECT_EQ(now_ms() - before, 1u);
}

Coro<> reschedule_expired(Timeout& limit, std::string& thrown) {
    try {
        co_await forever();
    } catch (const Cancelled&) {
        EXPECT_TRUE(limit.expired());
        thrown = thrown_in([&] { limit.reschedule(1s); });
        throw;
    }
}
CORO_TEST(Timeout, IsNotRescheduledAnyMoreOnceItHasExpired) {
    std::string thrown;
    EXPECT_EQ(co_await thrown_by(with_timeout(1ms, reschedule_expired, std::ref(thrown))), "TimeoutError: timed out");
    EXPECT_NE(thrown.find("has expired"), std::string::npos);
}

CORO_TEST(Timeout, TheInnerOfTwoExpiresFirst) {
    auto inner = thrown_by(with_timeout(5ms, forever()));
    EXPECT_EQ(co_await with_timeout(1h, std::move(inner)), "TimeoutError: timed out");
}

CORO_TEST(Timeout, TheOuterOfTwoExpiresFirstAndTheInnerOneLetsItThrough) {
    const std::uint64_t before = now_ms();
    EXPECT_EQ(co_await thrown_by(with_timeout(5ms, with_timeout(1h, forever()))), "TimeoutError: timed out");
    EXPECT_EQ(now_ms() - before, 5u);
    EXPECT_EQ(current_task().cancelling(), 0u);
}

Coro<std::string> inner_sees_cancelled() {
    try {
        co_await with_timeout(1h, forever());
    } catch (const Cancelled&) {
        co_return "Cancelled";
    } catch (const TimeoutError&) {
        co_return "TimeoutError";
    }
    co_return "";
}
CORO_TEST(Timeout, AnInnerScopeSeesTheOuterExpiryAsACancellation) {
    EXPECT_EQ(co_await with_timeout(5ms, inner_sees_cancelled()), "Cancelled");
}

CORO_TEST(Timeout, BothOfTheSameMomentGiveOneTimeoutError) {
    EXPECT_EQ(co_await thrown_by(with_timeout(5ms, with_timeout(5ms, forever()))), "TimeoutError: timed out");
    EXPECT_EQ(current_task().cancelling(), 0u);
}

Coro<> timed_for_ever() { co_await with_timeout(10ms, forever()); }
CORO_TEST(Timeout, ACancellationFromOutsideStaysOne) {
    auto task = create_task(timed_for_ever());
    co_await sleep(1ms);
    task.cancel("outside");
    EXPECT_EQ(co_await thrown_by(task), "Cancelled: outside");
}

CORO_TEST(Timeout, ACancellationFromOutsideInTheMomentOfTheExpiryWins) {
    auto task = create_task(timed_for_ever());
    EventLoop::running().call_later(10ms, [task] { task.cancel("outside"); });
    co_await task.wait();
    EXPECT_TRUE(task.cancelled());
    EXPECT_EQ(task.cancelling(), 1u);  // the scope's own request was taken back
}

Coro<> timed_slow_cleanup(bool& cleaned) { co_await with_timeout(10ms, clean_up_for(20ms, cleaned)); }
CORO_TEST(Timeout, ACancellationFromOutsideWhileTheBodyEndsWins) {
    bool cleaned = false;
    auto task = create_task(timed_slow_cleanup(cleaned));
    co_await sleep(15ms);
    task.cancel("outside");
    co_await task.wait();
    EXPECT_TRUE(task.cancelled());
}

CORO_TEST(Timeout, AnErrorOfTheBodyWhileItIsBeingEndedComesInstead) {
    EXPECT_EQ(co_await thrown_by(with_timeout(5ms, fail_in_cleanup("cleanup"))), "SecondError: cleanup");
    EXPECT_EQ(current_task().cancelling(), 0u);
    co_await sleep(1ms);
}

CORO_TEST(Timeout, AnErrorOfTheBodyPassesUnchanged) {
    EXPECT_EQ(co_await thrown_by(with_timeout(5ms, fail_after(1ms, "x"))), "FirstError: x");
}

CORO_TEST(Timeout, ABodyThatSwallowsItGetsThroughAndTheRequestIsTakenBack) {
    EXPECT_EQ(co_await with_timeout(5ms, swallow_cancellation(8)), 8);
    EXPECT_EQ(current_task().cancelling(), 0u);
    co_await sleep(1ms);
}

Coro<> block_past_the_limit(Timeout& limit) {
    while (!limit.expired()) co_await yield();  // the await at which it expires throws
}
CORO_TEST(Timeout, IsThrownAtAYieldToo) {
    EXPECT_EQ(co_await thrown_by(with_timeout(0ms, block_past_the_limit)), "TimeoutError: timed out");
}

Coro<> scope_with_object(std::string& log) {
    Timeout limit = timeout(2ms);
    try {
        co_await forever();
    } catch (const Cancelled&) {
        log = thrown_in([&] { limit.rethrow(); });
    }
    EXPECT_TRUE(limit.expired());
}
CORO_TEST(Timeout, AsAnObjectTurnsItsOwnCancellationIntoATimeoutError) {
    std::string log;
    co_await scope_with_object(log);
    EXPECT_EQ(log, "TimeoutError: timed out");
    EXPECT_EQ(current_task().cancelling(), 0u);
}

Coro<int> loops_with_limits() {
    int timeouts = 0;
    for (int i = 0; i < 100; ++i) {
        const std::string thrown = co_await thrown_by(with_timeout(1ms, value_after, Milliseconds(i % 3), 1));
        if (thrown == "TimeoutError: timed out") ++timeouts;
    }
    co_return timeouts;
}
CORO_TEST(Timeout, MayBeUsedOverAndOver) {
    EXPECT_GE(co_await loops_with_limits(), 33);  // 2 ms are too long; 1 ms is a tie
    EXPECT_EQ(current_task().cancelling(), 0u);
}

TEST(Timeout, NeedsATask) {
    EXPECT_THROW(Timeout(1s), std::logic_error);
    EXPECT_THROW(timeout_at(1), std::logic_error);
}

// --- what is left

using Left = std::optional<std::chrono::nanoseconds>;

CORO_TEST(TimeLeft, IsThatOfTheFirstLimitOfTheTask) {
    EXPECT_EQ(time_left(), std::nullopt);
    {
        const Timeout outer(2s);
        EXPECT_EQ(time_left(), Left(2s));
        {
            Timeout inner(5s);
            EXPECT_EQ(time_left(), Left(2s));
            inner.reschedule(1s);
            EXPECT_EQ(time_left(), Left(1s));
            co_await sleep(400ms);
            EXPECT_EQ(time_left(), Left(600ms));
            inner.reschedule(std::nullopt);
            EXPECT_EQ(time_left(), Left(1600ms));
        }
        const Timeout none(std::nullopt);
        EXPECT_EQ(time_left(), Left(1600ms));
    }
    EXPECT_EQ(time_left(), std::nullopt);
}

CORO_TEST(TimeLeft, OfOtherTasksDoesNotCount) {
    const Timeout mine(1s);
    const auto left = []() -> Coro<Left> { co_return time_left(); };
    EXPECT_EQ(co_await create_task(left()), std::nullopt);
    EXPECT_EQ(co_await left(), Left(1s));
    EXPECT_EQ(co_await wait_for(left(), 300ms), Left(300ms));
}

CORO_TEST(TimeLeft, IsNothingOnceALimitIsOver) {
    Timeout limit(1ms);
    bool cancelled = false;
    try {
        co_await sleep(1s);
    } catch (const Cancelled&) {
        cancelled = true;
        EXPECT_EQ(time_left(), Left(0s));
    }
    EXPECT_TRUE(cancelled);
}

TEST(TimeLeft, OutsideOfTasksThereIsNoLimit) { EXPECT_EQ(time_left(), std::nullopt); }

}  // namespace
}  // namespace coroscope::test
