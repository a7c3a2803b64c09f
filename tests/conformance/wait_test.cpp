// wait(): what CPython's test_tasks.py pins down of it.
#include "task_support.hpp"

namespace coroscope::test {
namespace {

CORO_TEST(Wait, ForAllGivesAllAsDoneInTheOrderGiven) {
    std::vector<Task<int>> tasks{create_task(value_after(5ms, 1)), create_task(value_after(1ms, 2))};
    const auto result = co_await wait(tasks);
    EXPECT_EQ(result.done.size(), 2u);
    EXPECT_TRUE(result.done[0] == tasks[0] && result.done[1] == tasks[1]);
    EXPECT_TRUE(result.pending.empty());
}

CORO_TEST(Wait, ForTheFirstLeavesTheOthersRunning) {
    std::vector<Task<int>> tasks{create_task(value_after(5ms, 1)), create_task(value_after(1ms, 2))};
    const auto result = co_await wait(tasks, FIRST_COMPLETED);
    EXPECT_EQ(result.done.size(), 1u);
    EXPECT_EQ(result.done[0].result(), 2);
    EXPECT_EQ(result.pending.size(), 1u);
    EXPECT_EQ(co_await tasks[0], 1);
}

CORO_TEST(Wait, ForTheFirstGivesAllThatEndedInThatMoment) {
    std::vector<Task<int>> tasks{create_task(value_now(1)), create_task(value_now(2)), create_task(value_after(1h, 3))};
    co_await yield();
    const auto result = co_await wait(tasks, FIRST_COMPLETED);
    EXPECT_EQ(result.done.size(), 2u);
}

CORO_TEST(Wait, ForTheFirstOfTasksThatAreDoneDoesNotWait) {
    std::vector<Task<int>> tasks{create_task(value_now(1)), create_task(value_after(1h, 2))};
    co_await tasks[0];
    const std::uint64_t before = now_ms();
    co_await wait(tasks, FIRST_COMPLETED);
    EXPECT_EQ(now_ms(), before);
}

CORO_TEST(Wait, ForTheFirstExceptionEndsWithIt) {
    std::vector<Task<>> tasks{create_task(for_a_while(1ms)), create_task(fail_after(5ms, "x")), create_task(forever())};
    const std::uint64_t before = now_ms();
    const auto result = co_await wait(tasks, FIRST_EXCEPTION);
    EXPECT_EQ(now_ms() - before, 5u);
    EXPECT_EQ(result.done.size(), 2u);
    EXPECT_EQ(result.pending.size(), 1u);
    EXPECT_EQ(text_of(tasks[1].exception()), "FirstError: x");
}

CORO_TEST(Wait, ForTheFirstExceptionWithoutOneWaitsForAll) {
    std::vector<Task<>> tasks{create_task(for_a_while(1ms)), create_task(for_a_while(5ms))};
    const auto result = co_await wait(tasks, FIRST_EXCEPTION);
    EXPECT_EQ(result.done.size(), 2u);
}

CORO_TEST(Wait, ForTheFirstExceptionACancelledTaskIsNone) {
    std::vector<Task<>> tasks{create_task(forever()), create_task(for_a_while(10ms))};
    EventLoop::running().call_later(1ms, [task = tasks[0]] { task.cancel(); });
    const std::uint64_t before = now_ms();
    const auto result = co_await wait(tasks, FIRST_EXCEPTION);
    EXPECT_EQ(now_ms() - before, 10u);
    EXPECT_EQ(result.done.size(), 2u);
}

CORO_TEST(Wait, ForTheFirstExceptionOfTasksThatAreDoneDoesNotWait) {
    std::vector<Task<>> tasks{create_task(forever()), create_task(fail_after(1ms, "x"))};
    co_await tasks[1].wait();
    const auto result = co_await wait(tasks, FIRST_EXCEPTION);
    EXPECT_EQ(result.done.size(), 1u);
    tasks[1].exception();
}

CORO_TEST(Wait, WithATimeoutGivesWhatIsDoneAndCancelsNothing) {
    std::vector<Task<int>> tasks{create_task(value_after(5ms, 1)), create_task(value_after(20ms, 2))};
    const auto result = co_await wait(tasks, ALL_COMPLETED, 10ms);
    EXPECT_EQ(result.done.size(), 1u);
    EXPECT_EQ(result.pending.size(), 1u);
    EXPECT_EQ(co_await tasks[1], 2);
}

CORO_TEST(Wait, WithATimeoutOfZeroGivesTheTasksATurn) {
    std::vector<Task<int>> tasks{create_task(value_now(1)), create_task(value_after(1ms, 2))};
    const auto result = co_await wait(tasks, ALL_COMPLETED, 0ms);
    EXPECT_EQ(result.done.size(), 1u);
    EXPECT_EQ(result.pending.size(), 1u);
}

CORO_TEST(Wait, ThatEndsInTimeLeavesNoTimer) {
    std::vector<Task<int>> tasks{create_task(value_after(5ms, 1))};
    co_await wait(tasks, ALL_COMPLETED, 1h);
    const std::uint64_t before = now_ms();
    co_await sleep(2h);
    EXPECT_EQ(now_ms() - before, 7'200'000u);
}

CORO_TEST(Wait, ThrowsNoTasksError) {
    std::vector<Task<>> tasks{create_task(fail_after(1ms, "x")), create_task(forever())};
    tasks[1].cancel();
    co_await wait(tasks);
    EXPECT_EQ(text_of(tasks[0].exception()), "FirstError: x");
    EXPECT_TRUE(tasks[1].cancelled());
}

Coro<> wait_for_these(std::vector<Task<>> tasks) { co_await wait(std::move(tasks)); }
CORO_TEST(Wait, CancellingItLeavesTheTasks) {
    const std::vector<Task<>> tasks{create_task(for_a_while(10ms))};
    auto waiting = create_task(wait_for_these(tasks));
    co_await sleep(1ms);
    waiting.cancel("enough");
    EXPECT_EQ(co_await thrown_by(waiting), "Cancelled: enough");
    co_await tasks[0];
}

CORO_TEST(Wait, ForNothingIsAnError) {
    EXPECT_NE((co_await thrown_by(wait(std::vector<Task<>>()))).find("no tasks"), std::string::npos);
}

CORO_TEST(Wait, CountsATaskGivenTwiceOnce) {
    auto task = create_task(value_after(1ms, 1));
    std::vector<Task<int>> tasks{task, task};
    const auto result = co_await wait(tasks);
    EXPECT_EQ(result.done.size(), 1u);
}

CORO_TEST(Wait, TakesTasksOfAnyType) {
    std::vector<AnyTask> tasks{create_task(value_after(1ms, 1)), create_task(forever())};
    const auto result = co_await wait(tasks, FIRST_COMPLETED);
    EXPECT_EQ(result.done.size(), 1u);
    EXPECT_TRUE(result.done[0] == tasks[0]);
}

CORO_TEST(Wait, TakesTasksWithoutAVector) {
    auto number = create_task(sleep(1ms));
    auto late = create_task(sleep(1h));
    auto first = co_await wait(FIRST_COMPLETED, number, late);
    EXPECT_EQ(first.done.size(), 1u);
    EXPECT_EQ(first.pending.size(), 1u);
    EXPECT_EQ(first.done.front(), number);
    late.cancel();
    auto text = create_task([]() -> Coro<std::string> { co_return "text"; });
    auto all = co_await wait(late, text);  // of different types: AnyTask
    EXPECT_EQ(all.done.size(), 2u);
    EXPECT_TRUE(all.pending.empty());
}

}  // namespace
}  // namespace coroscope::test
