// as_completed(): what asyncio.as_completed() does (3.13's form, which gives the tasks themselves).
#include "support.hpp"

namespace coroscope::test {
namespace {

std::vector<Task<int>> tasks_of(std::vector<int> seconds) {
    std::vector<Task<int>> tasks;
    for (const int each : seconds) tasks.push_back(create_task(value_later(std::chrono::seconds(each), each)));
    return tasks;
}

TEST(AsCompleted, GivesTasksInTheOrderOfTheirCompletion) {
    virtually([]() -> Coro<> {
        auto completed = as_completed(tasks_of({3, 1, 2}));
        std::vector<int> values;
        while (Task<int> task = co_await completed.next()) values.push_back(task.result());
        EXPECT_EQ(values, (std::vector<int>{1, 2, 3}));
    });
}

TEST(AsCompleted, GivesEachAsSoonAsItIsDone) {
    virtually([]() -> Coro<> {
        const std::uint64_t began = EventLoop::running().time_ns();
        auto completed = as_completed(tasks_of({3, 1, 2}));
        for (std::uint64_t second = 1; second <= 3; ++second) {
            co_await completed.next();
            EXPECT_EQ(EventLoop::running().time_ns() - began, second * 1'000'000'000);
        }
    });
}

TEST(AsCompleted, OfNothingEndsAtOnce) {
    virtually([]() -> Coro<> {
        auto completed = as_completed(std::vector<Task<int>>());
        const Task<int> task = co_await completed.next();
        EXPECT_FALSE(task);
    });
}

TEST(AsCompleted, GivesTheVeryTasks) {
    virtually([]() -> Coro<> {
        std::vector<Task<int>> tasks = tasks_of({1});
        auto completed = as_completed(tasks);
        const Task<int> task = co_await completed.next();
        EXPECT_TRUE(task == tasks[0]);
    });
}

TEST(AsCompleted, DoneOnesComeFirst) {
    virtually([]() -> Coro<> {
        std::vector<Task<int>> tasks = tasks_of({5, 1});
        co_await sleep(2s);
        auto completed = as_completed(std::move(tasks));
        const Task<int> first = co_await completed.next();
        EXPECT_EQ(first.result(), 1);
    });
}

TEST(AsCompleted, FailedAndCancelledTasksCountToo) {
    virtually([]() -> Coro<> {
        std::vector<Task<>> tasks;
        tasks.push_back(create_task(fail_later(1s, "failed")));
        tasks.push_back(create_task(for_ever()));
        co_await yield();
        tasks[1].cancel();
        auto completed = as_completed(tasks);
        const Task<> first = co_await completed.next();
        EXPECT_TRUE(first.cancelled());
        const Task<> second = co_await completed.next();
        EXPECT_NE(second.exception(), nullptr);
        const Task<> none = co_await completed.next();
        EXPECT_FALSE(none);
    });
}

Coro<> next_of(AsCompleted<Task<int>>& completed) { co_await completed.next(); }
TEST(AsCompleted, TheTimeIsCountedFromTheCall) {
    virtually([]() -> Coro<> {
        std::vector<Task<int>> tasks = tasks_of({1, 5});
        auto completed = as_completed(tasks, 2s);
        co_await completed.next();
        const std::uint64_t began = EventLoop::running().time_ns();
        EXPECT_TRUE((co_await thrown<TimeoutError>(next_of(completed))).has_value());
        EXPECT_EQ(EventLoop::running().time_ns() - began, 1'000'000'000u);
        EXPECT_FALSE(tasks[1].done()) << "a timeout cancels nothing";
        EXPECT_EQ(tasks[1].cancelling(), 0u);
    });
}

TEST(AsCompleted, ACancelledWaitCancelsNothingAndCanGoOn) {
    virtually([]() -> Coro<> {
        std::vector<Task<int>> tasks = tasks_of({2});
        auto completed = as_completed(tasks);
        Task<> waiting = create_task(next_of(completed));
        co_await turns();
        waiting.cancel();
        EXPECT_TRUE((co_await thrown<Cancelled>(awaiting(waiting))).has_value());
        const Task<int> task = co_await completed.next();
        EXPECT_EQ(task.result(), 2);
    });
}

TEST(AsCompleted, MayBeLeftInTheMiddle) {
    virtually([]() -> Coro<> {
        std::vector<Task<int>> tasks = tasks_of({1, 2, 3});
        {
            auto completed = as_completed(tasks);
            co_await completed.next();
        }
        co_await gather(tasks);
    });
}

}  // namespace
}  // namespace coroscope::test
