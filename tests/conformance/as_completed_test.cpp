// as_completed(): what CPython's test_tasks.py pins down of it.
#include "task_support.hpp"

namespace coroscope::test {
namespace {

std::vector<Task<int>> three_tasks() {
    return {create_task(value_after(30ms, 3)), create_task(value_after(10ms, 1)), create_task(value_after(20ms, 2))};
}

CORO_TEST(AsCompleted, GivesTasksInTheOrderOfTheirEnd) {
    std::vector<int> values;
    auto completed = as_completed(three_tasks());
    while (Task<int> task = co_await completed.next()) values.push_back(task.result());
    EXPECT_EQ(values, (std::vector{1, 2, 3}));
}

CORO_TEST(AsCompleted, GivesTheOriginalTasksEachOnce) {
    const auto tasks = three_tasks();
    auto completed = as_completed(tasks);
    Task<int> first = co_await completed.next();
    EXPECT_TRUE(first == tasks[1]);
    EXPECT_TRUE(first.done());
    Task<int> second = co_await completed.next();
    EXPECT_TRUE(second == tasks[2]);
}

CORO_TEST(AsCompleted, TakesCoroutines) {
    std::vector<Coro<int>> coros;
    coros.push_back(value_after(2ms, 2));
    coros.push_back(value_after(1ms, 1));
    auto completed = as_completed(std::move(coros));
    int order = 0;
    while (auto task = co_await completed.next()) order = order * 10 + task.result();
    EXPECT_EQ(order, 12);
}

CORO_TEST(AsCompleted, OfNothingEndsAtOnce) {
    auto completed = as_completed(std::vector<Task<int>>(), 1s);
    EXPECT_FALSE(co_await completed.next());
    EXPECT_FALSE(co_await completed.next());
}

CORO_TEST(AsCompleted, GivesTasksThatWereDoneFirst) {
    auto tasks = three_tasks();
    co_await sleep(25ms);
    auto completed = as_completed(tasks);
    const std::uint64_t before = now_ms();
    co_await completed.next();
    co_await completed.next();
    EXPECT_EQ(now_ms(), before);
    Task<int> last = co_await completed.next();
    EXPECT_EQ(last.result(), 3);
}

CORO_TEST(AsCompleted, GivesFailedAndCancelledTasksToo) {
    std::vector<Task<>> tasks{create_task(fail_after(1ms, "x")), create_task(forever())};
    EventLoop::running().call_later(5ms, [task = tasks[1]] { task.cancel("y"); });
    auto completed = as_completed(tasks);
    Task<> failed = co_await completed.next();
    EXPECT_EQ(thrown_in([&] { failed.result(); }), "FirstError: x");
    Task<> cancelled = co_await completed.next();
    EXPECT_EQ(thrown_in([&] { cancelled.result(); }), "Cancelled: y");
}

Coro<int> count_completed(AsCompleted<Task<int>>& completed) {
    int count = 0;
    while (auto task = co_await completed.next()) ++count;
    co_return count;
}
CORO_TEST(AsCompleted, GivesATaskThatCameTwiceOnce) {
    auto task = create_task(value_after(1ms, 1));
    const std::vector<Task<int>> tasks{task, task};
    auto completed = as_completed(tasks);
    EXPECT_EQ(co_await count_completed(completed), 1);
}

CORO_TEST(AsCompleted, ThrowsTimeoutErrorWhenTheTimeIsOver) {
    auto completed = as_completed(three_tasks(), 15ms);
    Task<int> first = co_await completed.next();
    EXPECT_EQ(first.result(), 1);
    EXPECT_EQ(co_await thrown_by(count_completed(completed)), "TimeoutError: timed out");
    EXPECT_EQ(co_await thrown_by(count_completed(completed)), "TimeoutError: timed out");
}

CORO_TEST(AsCompleted, TheTimeoutIsOneForAll) {
    const std::uint64_t before = now_ms();
    auto completed = as_completed(three_tasks(), 25ms);
    EXPECT_EQ(co_await thrown_by(count_completed(completed)), "TimeoutError: timed out");
    EXPECT_EQ(now_ms() - before, 25u);
}

CORO_TEST(AsCompleted, ATimeoutCancelsNoTask) {
    const auto tasks = three_tasks();
    auto completed = as_completed(tasks, 5ms);
    co_await thrown_by(count_completed(completed));
    EXPECT_EQ(co_await tasks[0], 3);
}

CORO_TEST(AsCompleted, ThatIsLeftEarlyLeavesItsTasksRunning) {
    const auto tasks = three_tasks();
    {
        auto completed = as_completed(tasks, 1h);
        co_await completed.next();
    }
    EXPECT_EQ(co_await tasks[0], 3);
    co_await sleep(2h);  // past the timeout
}

CORO_TEST(AsCompleted, CancellingTheWaitLeavesTheTasksAndLosesNone) {
    const auto tasks = three_tasks();
    auto completed = as_completed(tasks);
    auto counting = create_task(count_completed(completed));
    co_await sleep(1ms);
    counting.cancel("enough");
    EXPECT_EQ(co_await thrown_by(counting), "Cancelled: enough");
    EXPECT_EQ(co_await count_completed(completed), 3);
}

CORO_TEST(AsCompleted, OnlyOneTaskWaits) {
    auto completed = as_completed(three_tasks());
    auto counting = create_task(count_completed(completed));
    co_await yield();
    EXPECT_NE((co_await thrown_by(count_completed(completed))).find("two tasks"), std::string::npos);
    EXPECT_EQ(co_await counting, 3);
}

}  // namespace
}  // namespace coroscope::test
