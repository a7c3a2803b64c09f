// Tasks that work for long between their awaits do not keep timers, I/O and other threads waiting: the loop looks at
// them after 50 us, or after the one step that took longer. On a clock that only the tests move.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <thread>
#include <vector>

#include "coroscope/coroscope.hpp"

namespace coroscope {
namespace {

using namespace std::chrono_literals;

class HandClock final : public EventLoop {
public:
    std::uint64_t now_ns = 1'000'000'000;
    std::vector<std::uint64_t> polled_ns;

private:
    std::uint64_t clock_ns() noexcept override { return now_ns; }
    int poll(std::int64_t timeout_ns) noexcept override {
        if (timeout_ns > 0) now_ns += static_cast<std::uint64_t>(timeout_ns);
        polled_ns.push_back(now_ns);
        return EventLoop::poll(0);
    }
};

HandClock& the_loop() { return static_cast<HandClock&>(EventLoop::running()); }

Coro<> work(int times, std::uint64_t ns_a_step) {
    for (int i = 0; i < times; ++i) {
        the_loop().now_ns += ns_a_step;
        co_await yield();
    }
}

// The longest time between two polls while `main` ran.
std::uint64_t longest_turn_ns(Coro<> main) {
    HandClock loop;
    loop.run_until_complete(std::move(main));
    std::uint64_t longest = 0;
    for (std::size_t i = 1; i < loop.polled_ns.size(); ++i)
        longest = std::max(longest, loop.polled_ns[i] - loop.polled_ns[i - 1]);
    return longest;
}

TEST(Fairness, ALongStepIsFollowedByAPoll) { EXPECT_LE(longest_turn_ns(work(100, 5'000'000)), 5'000'000u); }

TEST(Fairness, ShortStepsArePolledAfterFiftyMicroseconds) {
    EXPECT_LE(longest_turn_ns(work(10'000, 100)), 50'000u + 32 * 100);
    EXPECT_LE(longest_turn_ns(work(10'000, 1'000)), 50'000u + 32 * 1'000);
}

Coro<> beside_many(int others, std::uint64_t theirs_ns, std::uint64_t long_ns) {
    TaskGroup group;
    for (int i = 0; i < others; ++i) group.create_task(work(1'000, theirs_ns));
    group.create_task(work(100, long_ns));
    co_await group.join();
}

// Once the loop has met a long step, it meets each one alone.
TEST(Fairness, AmongManyShortStepsALongOneIsMetAlone) {
    EXPECT_LE(longest_turn_ns(beside_many(1'000, 20, 5'000'000)), 5'000'000u + 60'000);
}

Coro<> short_then_long() {
    co_await work(100'000, 10);
    co_await work(1'000, 5'000'000);
}

TEST(Fairness, StepsThatBecomeLongAreMetAfterAtMostThirtyTwo) {
    EXPECT_LE(longest_turn_ns(short_then_long()), 32 * 5'000'000u + 50'000);
}

TEST(Fairness, ATimerFiresWithinOneLongStep) {
    HandClock loop;
    std::uint64_t late_ns = 0;
    const auto sleeper = [&]() -> Coro<> {
        for (int i = 0; i < 50; ++i) {
            const std::uint64_t due = loop.now_ns + 1'000'000;
            co_await sleep(1ms);
            late_ns = std::max(late_ns, loop.now_ns - due);
        }
    };
    const auto main = [&]() -> Coro<> {
        auto busy = create_task(work(2'000, 5'000'000));
        co_await sleeper();
        busy.cancel();
        co_await busy.wait();
    };
    loop.run_until_complete(main());
    EXPECT_LE(late_ns, 10'000'000u);
}

TEST(Fairness, ManyReadyTasksKeepTheirOrderOverAPoll) {
    HandClock loop;
    std::vector<int> order;
    const auto once = [&](int i) -> Coro<> {
        loop.now_ns += 40'000;
        order.push_back(i);
        co_return;
    };
    const auto main = [&]() -> Coro<> {
        TaskGroup group;
        for (int i = 0; i < 100; ++i) group.create_task(once(i));
        co_await group.join();
    };
    loop.run_until_complete(main());
    EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
    EXPECT_EQ(order.size(), 100u);
    EXPECT_GE(loop.polled_ns.size(), 20u);
}

// Not behind a task that has just had its turn, and is ready again.
TEST(Fairness, WhatWasWokenGoesBeforeWhoYieldsAfterALongStep) {
    HandClock loop;
    std::uint64_t worst_ns = 0;
    const auto sleeper = [&]() -> Coro<> {
        for (int i = 0; i < 50; ++i) {
            const std::uint64_t due = loop.now_ns + 1'000'000;
            co_await sleep(1ms);
            worst_ns = std::max(worst_ns, loop.now_ns - due);
        }
    };
    const auto main = [&]() -> Coro<> {
        auto busy = create_task(work(2'000, 5'000'000));
        co_await sleeper();
        busy.cancel();
        co_await busy.wait();
    };
    loop.run_until_complete(main());
    EXPECT_LE(worst_ns, 5'000'000u);
}

// And they get theirs, however much is woken.
TEST(Fairness, WhoYieldsIsNotHeldUpByWhatIsWoken) {
    HandClock loop;
    std::uint64_t longest_ns = 0;
    bool done = false;
    const auto yielder = [&]() -> Coro<> {
        for (int i = 0; i < 100; ++i) {
            const std::uint64_t before = loop.now_ns;
            co_await yield();
            longest_ns = std::max(longest_ns, loop.now_ns - before);
        }
        done = true;
    };
    const auto again_and_again = [&]() -> Coro<> {
        while (!done) {
            loop.now_ns += 100'000;
            co_await sleep(0ns);
            loop.now_ns += 100'000;
            co_await sleep(1us);
        }
    };
    const auto main = [&]() -> Coro<> {
        TaskGroup group;
        for (int i = 0; i < 10; ++i) group.create_task(again_and_again());
        group.create_task(yielder());
        co_await group.join();
    };
    loop.run_until_complete(main());
    EXPECT_LE(longest_ns, 2 * 10 * 100'000u + 200'000u);
}

// What was scheduled comes before what another thread schedules later.
TEST(Fairness, CallsKeepTheirOrderOverALongStep) {
    HandClock loop;
    std::vector<int> order;
    const auto main = [&]() -> Coro<> {
        loop.call_soon([&] { order.push_back(1); });
        std::thread([&] { loop.call_soon_threadsafe([&] { order.push_back(2); }); }).join();
        loop.now_ns += 5'000'000;
        co_await yield();
        order.push_back(3);
    };
    loop.run_until_complete(main());
    EXPECT_EQ(order, (std::vector<int>{1, 2, 3}));
}

}  // namespace
}  // namespace coroscope
