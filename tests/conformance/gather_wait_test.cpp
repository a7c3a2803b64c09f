// gather() and wait(): what asyncio.gather() and asyncio.wait() do.
#include "support.hpp"

namespace coroscope::test {
namespace {

std::chrono::nanoseconds now() { return std::chrono::nanoseconds(EventLoop::running().time_ns()); }

Coro<int> int_failure(std::chrono::nanoseconds delay, std::string text) {
    co_await sleep(delay);
    throw std::runtime_error(text);
}

TEST(Gather, ValuesAreInTheOrderOfTheArguments) {
    virtually([]() -> Coro<> {
        auto [a, b, c] = co_await gather(value_later(3s, 1), value_later(1s, 2), value_later(2s, 3));
        EXPECT_EQ(a, 1);
        EXPECT_EQ(b, 2);
        EXPECT_EQ(c, 3);
    });
}

TEST(Gather, RunsThemAtTheSameTime) {
    virtually([]() -> Coro<> {
        const auto began = now();
        co_await gather(value_later(3s, 1), value_later(1s, 2), value_later(2s, 3));
        EXPECT_EQ(now() - began, 3s);
    });
}

TEST(Gather, OfNothingIsNothing) {
    virtually([]() -> Coro<> {
        std::vector<Task<int>> none;
        const std::vector<int> values = co_await gather(std::move(none));
        EXPECT_TRUE(values.empty());
    });
}

TEST(Gather, TakesTasksOfDifferentTypesAndVoid) {
    virtually([]() -> Coro<> {
        Task<std::string> text = create_task([]() -> Coro<std::string> { co_return "text"; });
        auto results = co_await gather(value_later(1s, 1), text);
        EXPECT_EQ(std::get<0>(results), 1);
        EXPECT_EQ(std::get<1>(results), "text");
    });
}

Coro<> gather_first_error(Task<int> slow) { co_await gather(slow, create_task(int_failure(1s, "first"))); }
TEST(Gather, TheFirstErrorComesAtOnceAndTheOthersGoOn) {
    virtually([]() -> Coro<> {
        const auto began = now();
        Task<int> slow = create_task(value_later(5s, 1));
        EXPECT_TRUE((co_await thrown<std::runtime_error>(gather_first_error(slow))).has_value());
        EXPECT_EQ(now() - began, 1s);
        EXPECT_FALSE(slow.done());
        EXPECT_EQ(co_await slow, 1);
    });
}

Coro<> gather_two_errors(Task<int> one, Task<int> two) { co_await gather(one, two); }
TEST(Gather, OfTwoErrorsTheFirstInTimeIsThrown) {
    virtually([]() -> Coro<> {
        Task<int> late = create_task(int_failure(2s, "late"));
        Task<int> early = create_task(int_failure(1s, "early"));
        const auto error = co_await thrown<std::runtime_error>(gather_two_errors(late, early));
        EXPECT_TRUE(error.has_value());
        if (error) {
            EXPECT_STREQ(error->what(), "early");
        }
        EXPECT_TRUE((co_await thrown<std::runtime_error>(awaiting(late))).has_value());
    });
}

Coro<> gather_both(Task<int> one, Task<int> two) { co_await gather(one, two); }
TEST(Gather, CancellingItCancelsAllItsTasks) {
    virtually([]() -> Coro<> {
        Task<int> one = create_task(value_later(5s, 1)), two = create_task(value_later(5s, 2));
        Task<> gathering = create_task(gather_both(one, two));
        co_await turns();
        gathering.cancel();
        EXPECT_TRUE((co_await thrown<Cancelled>(awaiting(gathering))).has_value());
        EXPECT_TRUE(one.cancelled());
        EXPECT_TRUE(two.cancelled());
    });
}

TEST(Gather, OneCancelledTaskIsACancellationAndTheOthersGoOn) {
    virtually([]() -> Coro<> {
        Task<int> one = create_task(value_later(5s, 1)), two = create_task(value_later(5s, 2));
        Task<> gathering = create_task(gather_both(one, two));
        co_await turns();
        one.cancel();
        EXPECT_TRUE((co_await thrown<Cancelled>(awaiting(gathering))).has_value());
        EXPECT_FALSE(two.done());
        EXPECT_EQ(co_await two, 2);
    });
}

TEST(Gather, TheSameTaskTwiceGivesItsValueTwice) {
    virtually([]() -> Coro<> {
        Task<int> task = create_task(value_later(1s, 8));
        auto [a, b] = co_await gather(task, task);
        EXPECT_EQ(a, 8);
        EXPECT_EQ(b, 8);
    });
}

TEST(Gather, DoneTasksAreGivenToo) {
    virtually([]() -> Coro<> {
        Task<int> task = create_task(value_later(0s, 8));
        co_await sleep(1s);
        auto [a, b] = co_await gather(task, value_later(1s, 9));
        EXPECT_EQ(a, 8);
        EXPECT_EQ(b, 9);
    });
}

TEST(Gather, OfManyKeepsTheOrder) {
    virtually([]() -> Coro<> {
        std::vector<Task<int>> tasks;
        for (int i = 0; i < 100; ++i) tasks.push_back(create_task(value_later((i * 37) % 100 * 1ms, i)));
        const std::vector<int> values = co_await gather(std::move(tasks));
        EXPECT_EQ(values.size(), 100u);
        for (int i = 0; i < 100; ++i) EXPECT_EQ(values[static_cast<std::size_t>(i)], i);
    });
}

Coro<> gather_with_limit(Task<int> task) { co_await wait_for(gather_both(task, task), 1s); }
TEST(Gather, ATimeoutAroundItCancelsItsTasks) {
    virtually([]() -> Coro<> {
        Task<int> task = create_task(value_later(5s, 1));
        EXPECT_TRUE((co_await thrown<TimeoutError>(gather_with_limit(task))).has_value());
        EXPECT_TRUE(task.cancelled());
    });
}

// --- wait

std::vector<Task<int>> three() {
    std::vector<Task<int>> tasks;
    tasks.push_back(create_task(value_later(3s, 3)));
    tasks.push_back(create_task(value_later(1s, 1)));
    tasks.push_back(create_task(value_later(2s, 2)));
    return tasks;
}

TEST(Wait, ForAll) {
    virtually([]() -> Coro<> {
        const auto began = now();
        const auto result = co_await wait(three());
        EXPECT_EQ(now() - began, 3s);
        EXPECT_EQ(result.done.size(), 3u);
        EXPECT_TRUE(result.pending.empty());
    });
}

TEST(Wait, ForTheFirstLeavesTheOthersRunning) {
    virtually([]() -> Coro<> {
        const auto result = co_await wait(three(), FIRST_COMPLETED);
        EXPECT_EQ(result.done.size(), 1u);
        EXPECT_EQ(result.pending.size(), 2u);
        if (result.done.size() == 1) {
            EXPECT_EQ(result.done[0].result(), 1);
        }
        for (const Task<int>& task : result.pending) EXPECT_FALSE(task.done());
        const auto rest = co_await wait(result.pending);
        EXPECT_EQ(rest.done.size(), 2u);
    });
}

TEST(Wait, ForTheFirstGivesAllThatAreDoneBythen) {
    virtually([]() -> Coro<> {
        std::vector<Task<int>> tasks = three();
        tasks.push_back(create_task(value_later(1s, 4)));
        const auto result = co_await wait(std::move(tasks), FIRST_COMPLETED);
        EXPECT_GE(result.done.size(), 1u);
        EXPECT_EQ(result.done.size() + result.pending.size(), 4u);
    });
}

TEST(Wait, ForTheFirstExceptionEndsAtOne) {
    virtually([]() -> Coro<> {
        std::vector<Task<int>> tasks = three();
        tasks.push_back(create_task(int_failure(1500ms, "failed")));
        const auto began = now();
        const auto result = co_await wait(std::move(tasks), FIRST_EXCEPTION);
        EXPECT_EQ(now() - began, 1500ms);
        EXPECT_EQ(result.done.size(), 2u);
        for (const Task<int>& task : result.done) static_cast<void>(task.exception());
    });
}

TEST(Wait, ForTheFirstExceptionWithoutOneWaitsForAll) {
    virtually([]() -> Coro<> {
        const auto result = co_await wait(three(), FIRST_EXCEPTION);
        EXPECT_EQ(result.done.size(), 3u);
    });
}

TEST(Wait, ACancelledTaskIsNoExceptionToEndAt) {
    virtually([]() -> Coro<> {
        std::vector<Task<int>> tasks = three();
        co_await yield();
        tasks[1].cancel();
        const auto began = now();
        const auto result = co_await wait(std::move(tasks), FIRST_EXCEPTION);
        EXPECT_EQ(now() - began, 3s);
        EXPECT_EQ(result.done.size(), 3u);
    });
}

TEST(Wait, AtTheLimitItGivesWhatIsDoneAndCancelsNothing) {
    virtually([]() -> Coro<> {
        const auto began = now();
        const auto result = co_await wait(three(), ALL_COMPLETED, 1500ms);
        EXPECT_EQ(now() - began, 1500ms);
        EXPECT_EQ(result.done.size(), 1u);
        EXPECT_EQ(result.pending.size(), 2u);
        for (const Task<int>& task : result.pending) {
            EXPECT_FALSE(task.done());
            EXPECT_EQ(task.cancelling(), 0u);
        }
    });
}

TEST(Wait, AnErrorIsNotThrownButKept) {
    virtually([]() -> Coro<> {
        std::vector<Task<int>> tasks;
        tasks.push_back(create_task(int_failure(1s, "kept")));
        const auto result = co_await wait(std::move(tasks));
        EXPECT_EQ(result.done.size(), 1u);
        if (result.done.size() == 1) {
            EXPECT_NE(result.done[0].exception(), nullptr);
        }
    });
}

Coro<> waits(std::vector<Task<int>> tasks) { co_await wait(std::move(tasks)); }
TEST(Wait, CancellingItCancelsNoTask) {
    virtually([]() -> Coro<> {
        std::vector<Task<int>> tasks = three();
        Task<> waiting = create_task(waits(tasks));
        co_await turns();
        waiting.cancel();
        EXPECT_TRUE((co_await thrown<Cancelled>(awaiting(waiting))).has_value());
        for (const Task<int>& task : tasks) EXPECT_FALSE(task.done());
        EXPECT_EQ(co_await tasks[0], 3);
    });
}

TEST(Wait, ForDoneTasksDoesNotWait) {
    virtually([]() -> Coro<> {
        std::vector<Task<int>> tasks = three();
        co_await sleep(5s);
        const auto began = now();
        const auto result = co_await wait(std::move(tasks));
        EXPECT_EQ(now() - began, 0s);
        EXPECT_EQ(result.done.size(), 3u);
    });
}

}  // namespace
}  // namespace coroscope::test
