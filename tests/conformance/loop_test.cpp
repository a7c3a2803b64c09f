// EventLoop: what asyncio's loops do with callbacks, time, stopping and other threads; several loops on several
// threads.
#include <poll.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <memory>
#include <thread>

#include "support.hpp"

namespace coroscope::test {
namespace {

TEST(Loop, CallbacksRunInTheOrderOfScheduling) {
    VirtualTimeLoop loop;
    std::string log;
    loop.call_soon([&] { log += "a"; });
    loop.call_soon([&] {
        log += "b";
        loop.call_soon([&] {
            log += "d";
            loop.stop();
        });
    });
    loop.call_soon([&] { log += "c"; });
    loop.run_forever();
    EXPECT_EQ(log, "abcd");
}

TEST(Loop, LaterCallbacksRunInTheOrderOfTheirTimes) {
    VirtualTimeLoop loop;
    std::string log;
    loop.call_later(3s, [&] { loop.stop(); });
    loop.call_later(2s, [&] { log += "b"; });
    loop.call_later(1s, [&] { log += "a"; });
    loop.call_at(loop.time_ns() + 2'500'000'000, [&] { log += "c"; });
    loop.run_forever();
    EXPECT_EQ(log, "abc");
}

TEST(Loop, CallbacksOfTheSameTimeRunInTheOrderOfScheduling) {
    VirtualTimeLoop loop;
    std::string log;
    for (const char c : {'a', 'b', 'c', 'd', 'e'}) loop.call_at(5'000'000'000, [&log, c] { log += c; });
    loop.call_at(6'000'000'000, [&] { loop.stop(); });
    loop.run_forever();
    EXPECT_EQ(log, "abcde");
}

TEST(Loop, ACancelledCallbackDoesNotRun) {
    VirtualTimeLoop loop;
    std::string log;
    Handle soon = loop.call_soon([&] { log += "soon"; });
    Handle later = loop.call_later(1s, [&] { log += "later"; });
    EXPECT_FALSE(soon.cancelled());
    soon.cancel();
    later.cancel();
    later.cancel();
    EXPECT_TRUE(soon.cancelled());
    EXPECT_TRUE(later.cancelled());
    loop.call_later(2s, [&] { loop.stop(); });
    loop.run_forever();
    EXPECT_EQ(log, "");
}

TEST(Loop, AHandleCancelledAfterItRanIsHarmless) {
    VirtualTimeLoop loop;
    int runs = 0;
    Handle handle = loop.call_soon([&] { ++runs; });
    loop.call_later(1s, [&] { loop.stop(); });
    loop.run_forever();
    handle.cancel();
    EXPECT_EQ(runs, 1);
}

TEST(Loop, StopLetsTheCurrentTurnEnd) {
    VirtualTimeLoop loop;
    std::string log;
    loop.call_soon([&] {
        loop.stop();
        loop.call_soon([&] { log += "next turn "; });
    });
    loop.call_soon([&] { log += "this turn "; });
    loop.run_forever();
    EXPECT_EQ(log, "this turn ");
    loop.call_soon([&] { loop.stop(); });
    loop.run_forever();
    EXPECT_EQ(log, "this turn next turn ");
}

class Noting : public VirtualTimeLoop {
public:
    std::string log;
    void call_exception_handler(const std::exception_ptr& error) noexcept override { log += describe(error); }
};
TEST(Loop, AnExceptionOfACallbackGoesToItsHandlerAndTheLoopGoesOn) {
    Noting loop;
    loop.call_soon([] { throw std::runtime_error("oops"); });
    loop.call_soon([&] { loop.stop(); });
    loop.run_forever();
    EXPECT_EQ(loop.log, "std::runtime_error: oops");
}

TEST(Loop, RunUntilCompleteGivesTheValueAndCanBeUsedAgain) {
    VirtualTimeLoop loop;
    EXPECT_EQ(loop.run_until_complete(value_after(1s, 1)), 1);
    EXPECT_EQ(loop.run_until_complete(value_after(1s, 2)), 2);
    EXPECT_THROW(loop.run_until_complete(fail_after(1s, "three")), std::runtime_error);
}

TEST(Loop, ATaskOfOneRunGoesOnInTheNext) {
    VirtualTimeLoop loop;
    Task<int> task = loop.create_task(value_after(5s, 9));
    loop.run_until_complete(value_after(1s, 0));
    EXPECT_FALSE(task.done());
    loop.run_until_complete(value_after(5s, 0));
    EXPECT_EQ(task.result(), 9);
}

TEST(Loop, CannotRunWithinAnother) {
    virtually([]() -> Coro<> {
        VirtualTimeLoop inner;
        EXPECT_THROW(inner.run_forever(), std::logic_error);
        Coro<int> unused = value_after(1s, 1);
        EXPECT_THROW(EventLoop::running().run_until_complete(std::move(unused)), std::logic_error);
        unused.close();
        co_return;
    });
}

TEST(Loop, OutsideThereIsNone) {
    EXPECT_THROW(EventLoop::running(), std::logic_error);
    EXPECT_THROW(all_tasks(), std::logic_error);
    EXPECT_FALSE(current_task());
}

TEST(Loop, TimeDoesNotGoBackAndSleepsLastAsLongAsTheyShould) {
    virtually([]() -> Coro<> {
        EventLoop& loop = EventLoop::running();
        std::uint64_t before = loop.time_ns();
        for (const auto time : {0ns, 1ns, 1'000'000ns, 3'000'000'000ns}) {
            co_await sleep(time);
            const std::uint64_t now = loop.time_ns();
            EXPECT_GE(now - before, static_cast<std::uint64_t>(time.count()));
            before = now;
        }
    });
}

TEST(Loop, DestroyedWithPendingTasksItSaysSoAndDestroysThem) {
    testing::internal::CaptureStderr();
    auto kept = std::make_shared<int>(1);
    auto holds = [](std::shared_ptr<int>) -> Coro<> { co_await forever(); };
    {
        VirtualTimeLoop loop;
        loop.create_task(holds(kept));
        loop.run_once();
        EXPECT_EQ(kept.use_count(), 2);
    }
    EXPECT_EQ(kept.use_count(), 1);
    EXPECT_NE(testing::internal::GetCapturedStderr().find("destroyed but it is pending"), std::string::npos);
}

TEST(Loop, CancelAllTasksEndsThemInOrder) {
    VirtualTimeLoop loop;
    bool noted = false;
    Task<> task = loop.create_task(note_cancellation(noted));
    loop.run_once();
    loop.cancel_all_tasks();
    EXPECT_TRUE(noted);
    EXPECT_TRUE(task.cancelled());
}

// --- driven by somebody else

TEST(ForeignLoop, TellsHowLongToWaitAndRunsAStepAtATime) {
    EventLoop loop;
    EXPECT_LT(loop.idle_time().count(), 0) << "nothing to wait for";
    Handle timer = loop.call_later(1h, [] {});
    EXPECT_GT(loop.idle_time(), 59min);
    int runs = 0;
    loop.call_soon([&] { ++runs; });
    EXPECT_EQ(loop.idle_time(), 0ns);
    loop.run_once();
    EXPECT_EQ(runs, 1);
    timer.cancel();
}

TEST(ForeignLoop, ACallFromAnotherThreadMakesItsDescriptorReadable) {
    EventLoop loop;
    bool called = false;
    EXPECT_LT(loop.idle_time().count(), 0);
    std::thread([&] { loop.call_soon_threadsafe([&] { called = true; }); }).join();
    pollfd ready{loop.poll_fd(), POLLIN, 0};
    EXPECT_EQ(::poll(&ready, 1, 30'000), 1);
    loop.run_once();
    EXPECT_TRUE(called);
    EXPECT_LT(loop.idle_time().count(), 0);
    EXPECT_EQ(::poll(&ready, 1, 0), 0) << "it must not stay readable";
}

// --- several threads, each with a loop

TEST(Loops, CallsFromManyThreadsAllArriveEachThreadsInItsOrder) {
    EventLoop loop;
    constexpr int threads = 4, calls = 2'000;
    std::vector<std::vector<int>> seen(threads);
    std::atomic<int> left{threads * calls};
    std::vector<std::thread> posters;
    for (std::size_t t = 0; t < threads; ++t) {
        posters.emplace_back([&, t] {
            for (int i = 0; i < calls; ++i) {
                loop.call_soon_threadsafe([&, t, i] {
                    seen[t].push_back(i);
                    if (left.fetch_sub(1) == 1) loop.stop();
                });
            }
        });
    }
    loop.run_forever();
    for (std::thread& poster : posters) poster.join();
    for (const std::vector<int>& each : seen) {
        EXPECT_EQ(each.size(), static_cast<std::size_t>(calls));
        EXPECT_TRUE(std::is_sorted(each.begin(), each.end()));
    }
}

// A ball goes round over loops on threads of their own; each hands it to the next.
TEST(Loops, HandWorkOverToEachOther) {
    constexpr int count = 3, rounds = 300;
    struct Player {
        EventLoop loop;
        std::thread thread;
        int touched = 0;
    };
    std::vector<std::unique_ptr<Player>> players;
    for (int i = 0; i < count; ++i) players.push_back(std::make_unique<Player>());
    std::function<void(int)> pass = [&](int ball) {
        ++players[static_cast<std::size_t>(ball % count)]->touched;
        if (ball + 1 == count * rounds) {
            for (auto& player : players) player->loop.stop_threadsafe();
            return;
        }
        players[static_cast<std::size_t>((ball + 1) % count)]->loop.call_soon_threadsafe(
            [&pass, ball] { pass(ball + 1); });
    };
    for (auto& player : players) player->thread = std::thread([&loop = player->loop] { loop.run_forever(); });
    players[0]->loop.call_soon_threadsafe([&] { pass(0); });
    for (auto& player : players) player->thread.join();
    for (const auto& player : players) EXPECT_EQ(player->touched, rounds);
}

TEST(Loops, EachThreadHasItsOwnTasks) {
    std::atomic<std::size_t> most{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&] {
            run<VirtualTimeLoop>([]() -> Coro<> {
                std::vector<Task<int>> tasks;
                for (int n = 0; n < 100; ++n) tasks.push_back(create_task(value_after(n * 1ms, n)));
                EXPECT_EQ(all_tasks().size(), 101u);
                co_await gather(std::move(tasks));
                EXPECT_EQ(all_tasks().size(), 1u);
            });
            ++most;
        });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(most, 4u);
}

}  // namespace
}  // namespace coroscope::test
