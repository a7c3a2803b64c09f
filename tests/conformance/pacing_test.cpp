// Ticker, RateLimiter, retry(): work at its own pace, in virtual time.
#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <vector>

#include "coroscope/rate_limiter.hpp"
#include "coroscope/retry.hpp"
#include "coroscope/ticker.hpp"
#include "task_support.hpp"

namespace coroscope::test {
namespace {

std::uint64_t now_ms(std::uint64_t since_ns) { return (EventLoop::running().time_ns() - since_ns) / 1'000'000; }
std::uint64_t start() { return EventLoop::running().time_ns(); }

CORO_TEST(Ticker, BeatsDoNotDriftWithTheWork) {
    const std::uint64_t began = start();
    Ticker ticker(100ms);
    std::vector<std::uint64_t> beats;
    for (int i = 0; i < 4; ++i) {
        EXPECT_EQ(co_await ticker.next(), 1u);
        beats.push_back(now_ms(began));
        co_await sleep(30ms);
    }
    EXPECT_EQ(beats, (std::vector<std::uint64_t>{100, 200, 300, 400}));
}

CORO_TEST(Ticker, MissedBeatsAreCountedAndNotMadeUpFor) {
    const std::uint64_t began = start();
    Ticker ticker(100ms);
    co_await sleep(350ms);
    EXPECT_EQ(co_await ticker.next(), 4u);
    EXPECT_EQ(now_ms(began), 400u);
    EXPECT_EQ(co_await ticker.next(), 1u);
    EXPECT_EQ(now_ms(began), 500u);
}

CORO_TEST(Ticker, CanBeCancelledAndGoesOn) {
    const std::uint64_t began = start();
    Ticker ticker(100ms);
    const auto wait = [](Ticker& beat) -> Coro<> { co_await beat.next(); };
    EXPECT_TRUE(co_await thrown<TimeoutError>(with_timeout(30ms, wait(ticker))));
    co_await ticker.next();
    EXPECT_EQ(now_ms(began), 100u);
}

CORO_TEST(Ticker, RefusesAPeriodThatIsNotPositive) {
    EXPECT_THROW(Ticker(0ms), std::invalid_argument);
    EXPECT_THROW(Ticker(-1ms), std::invalid_argument);
    co_return;
}

CORO_TEST(RateLimiter, ABurstThenTheRate) {
    const std::uint64_t began = start();
    RateLimiter limit(10, 3);
    std::vector<std::uint64_t> times;
    for (int i = 0; i < 6; ++i) {
        co_await limit.acquire();
        times.push_back(now_ms(began));
    }
    EXPECT_EQ(times, (std::vector<std::uint64_t>{0, 0, 0, 100, 200, 300}));
    co_await sleep(10s);  // the burst is full again, and no fuller
    EXPECT_TRUE(limit.try_acquire(3));
    EXPECT_FALSE(limit.try_acquire());
}

CORO_TEST(RateLimiter, TasksHaveTheirTurnsInOrderAndACancelledOneTakesNothing) {
    const std::uint64_t began = start();
    RateLimiter limit(10);
    std::vector<std::string> order;
    const auto one = [](RateLimiter& of, std::vector<std::string>& log, std::string name,
                        std::uint64_t since) -> Coro<> {
        co_await of.acquire();
        log.push_back(name + " " + std::to_string(now_ms(since)));
    };
    auto a = create_task(one(limit, order, "a", began));
    auto b = create_task(one(limit, order, "b", began));
    auto c = create_task(one(limit, order, "c", began));
    co_await sleep(50ms);
    b.cancel();
    co_await c;
    EXPECT_EQ(order, (std::vector<std::string>{"a 0", "c 100"}));
}

CORO_TEST(RateLimiter, WhatCanNeverBeIsAnError) {
    EXPECT_THROW(RateLimiter(0), std::invalid_argument);
    EXPECT_THROW(RateLimiter(1, 0), std::invalid_argument);
    RateLimiter limit(1, 2);
    EXPECT_TRUE(co_await thrown<std::invalid_argument>(limit.acquire(3)));
}

int calls = 0;
Coro<int> fails_until(int good) {
    co_await sleep(1ms);
    if (++calls < good) throw FirstError("call " + std::to_string(calls));
    co_return calls;
}

double no_chance() { return 0; }
double all_chance() { return 1; }

CORO_TEST(Retry, TriesAgainUntilItSucceeds) {
    calls = 0;
    const std::uint64_t began = start();
    EXPECT_EQ(co_await retry({.attempts = 5, .chance = all_chance}, fails_until, 4), 4);
    EXPECT_EQ(now_ms(began), 4 * 1 + 100 + 200 + 400u);
}

CORO_TEST(Retry, TheLastErrorIsThrown) {
    calls = 0;
    const auto error = co_await thrown<FirstError>(retry({.attempts = 3, .chance = no_chance}, fails_until, 99));
    EXPECT_EQ(std::string(error->what()), "call 3");
}

CORO_TEST(Retry, PausesAreBoundedAndSpread) {
    calls = 0;
    const std::uint64_t began = start();
    const RetryOptions options{
        .attempts = 4, .first_pause = 1s, .most_pause = 1500ms, .factor = 10, .chance = no_chance};
    EXPECT_EQ(co_await retry(options, fails_until, 4), 4);
    EXPECT_EQ(now_ms(began), 4 + 500 + 750 + 750u);
    for (int i = 0; i < 100; ++i) {
        const auto pause = detail::pause_after({.first_pause = 100ms}, 1);
        EXPECT_GE(pause, 50ms);
        EXPECT_LE(pause, 100ms);
    }
}

CORO_TEST(Retry, WhatShouldNotBeTriedAgainIsThrownAtOnce) {
    calls = 0;
    const RetryOptions options{
        .should_retry = [](const std::exception& error) { return dynamic_cast<const FirstError*>(&error) == nullptr; }};
    EXPECT_TRUE(co_await thrown<FirstError>(retry(options, fails_until, 2)));
    EXPECT_EQ(calls, 1);
}

CORO_TEST(Retry, ACancellationIsNotTriedAgain) {
    calls = 0;
    const auto task = create_task(retry({.attempts = 9}, fails_until, 99));
    co_await sleep(5ms);
    task.cancel();
    co_await task.wait();
    EXPECT_TRUE(task.cancelled());
    EXPECT_EQ(calls, 1);
}

}  // namespace
}  // namespace coroscope::test
