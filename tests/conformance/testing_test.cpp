// Tests that hang explain themselves: coroscope/testing.hpp.
#include "coroscope/testing_gtest.hpp"

#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>

#include "coroscope/coroscope.hpp"

namespace coroscope::test {
namespace {

using namespace std::chrono_literals;

Coro<> take(Lock& first, Lock& second) {
    const auto one = co_await first.acquire();
    co_await yield();
    const auto other = co_await second.acquire();
}

Coro<> hang() {
    Lock a, b;
    const Task<> one = create_task(take(a, b), "one");
    const Task<> other = create_task(take(b, a), "other");
    co_await gather(one, other);
}

// Runs `main` until its time limit has described the tasks, then cancels all.
std::string description(Coro<> main) {
    Runner<> runner;
    EventLoop& loop = runner.loop();
    std::string text;
    testing::TimeLimit limit(50ms, "the program", [&](const std::string& tasks) {
        text = tasks;
        loop.call_soon_threadsafe([&] { loop.stop(); });
    });
    const Task<> task = loop.create_task(std::move(main), "main");
    loop.run_forever();
    return text;
}

void expect_has(const std::string& text, const std::string& part) {
    EXPECT_NE(text.find(part), std::string::npos) << part << " is not in:\n" << text;
}

TEST(Testing, ATimeLimitDescribesAllTasks) {
    const std::string text = description(hang());
    expect_has(text, "3 tasks are alive");
    expect_has(text, "waits for the tasks of a group, gather or wait");
    expect_has(text, "waits for a lock or semaphore, held by other (");
    expect_has(text, "waits for a lock or semaphore, held by one (");
    expect_has(text, "testing_test.cpp:");
}

TEST(Testing, WhatEndsInTimeIsNotDescribed) {
    bool called = false;
    {
        testing::TimeLimit limit(1h, "the program", [&](const std::string&) { called = true; });
        run([]() -> Coro<> { co_await sleep(1ms); });
    }
    EXPECT_FALSE(called);
}

TEST(Testing, ALoopThatHangsInAStepIsSaidToDoSo) {
    std::mutex mutex;
    std::condition_variable changed;
    bool in_step = false, leave = false;
    std::thread thread([&] {
        run([&]() -> Coro<> {
            std::unique_lock lock(mutex);
            in_step = true;
            changed.notify_all();
            changed.wait(lock, [&] { return leave; });
            co_return;
        });
    });
    {
        std::unique_lock lock(mutex);
        changed.wait(lock, [&] { return in_step; });
    }
    expect_has(testing::describe_all_tasks(10ms), "does not answer");
    {
        const std::scoped_lock lock(mutex);
        leave = true;
    }
    changed.notify_all();
    thread.join();
}

TEST(Testing, WithoutALoopThatIsSaid) { EXPECT_EQ(testing::describe_all_tasks(), "there is no event loop\n"); }

TEST(TestingDeathTest, AHangingTestIsExplainedAndAborted) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    EXPECT_DEATH(
        {
            testing::TestTimeLimits limits(50ms);
            ::testing::TestEventListener& listener = limits;
            listener.OnTestStart(*::testing::UnitTest::GetInstance()->current_test_info());
            run(hang());
        },
        "the test TestingDeathTest.AHangingTestIsExplainedAndAborted has not ended within 50.0 ms");
}

}  // namespace
}  // namespace coroscope::test
