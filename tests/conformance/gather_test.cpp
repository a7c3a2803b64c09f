// gather(): what CPython's test_tasks.py pins down of it.
#include "task_support.hpp"

namespace coroscope::test {
namespace {

CORO_TEST(Gather, GivesValuesInTheOrderOfTheArguments) {
    const auto [a, b, c] = co_await gather(value_after(20ms, 1), create_task(value_after(1ms, 2)), value_now(3));
    EXPECT_EQ(a, 1);
    EXPECT_EQ(b, 2);
    EXPECT_EQ(c, 3);
}

CORO_TEST(Gather, RunsConcurrently) {
    const std::uint64_t before = now_ms();
    co_await gather(for_a_while(10ms), for_a_while(20ms), for_a_while(15ms));
    EXPECT_EQ(now_ms() - before, 20u);
}

CORO_TEST(Gather, OfNothingIsDoneAtOnce) {
    co_await gather();
    const auto none = co_await gather(std::vector<Task<int>>());
    EXPECT_TRUE(none.empty());
    const auto no_outcomes = co_await gather(return_exceptions, std::vector<Coro<int>>());
    EXPECT_TRUE(no_outcomes.empty());
}

CORO_TEST(Gather, TakesVectorsOfTasksAndOfCoroutines) {
    std::vector<Task<int>> tasks;
    std::vector<Coro<int>> coros;
    for (int i = 0; i < 5; ++i) {
        tasks.push_back(create_task(value_after(Milliseconds(10 - i), i)));
        coros.push_back(value_after(Milliseconds(10 - i), i));
    }
    const std::vector<int> expected{0, 1, 2, 3, 4};
    EXPECT_EQ(co_await gather(tasks), expected);
    EXPECT_EQ(co_await gather(std::move(coros)), expected);
}

CORO_TEST(Gather, GivesTheSameTaskTwice) {
    auto task = create_task(value_after(1ms, 7));
    const auto [a, b] = co_await gather(task, task);
    EXPECT_EQ(a + b, 14);
}

CORO_TEST(Gather, ThrowsTheErrorThatCameFirstAtOnce) {
    const std::uint64_t before = now_ms();
    auto slow = create_task(fail_after<SecondError>(20ms, "second"));
    EXPECT_EQ(co_await thrown_by(gather(slow, create_task(fail_after(5ms, "first")), forever())), "FirstError: first");
    EXPECT_EQ(now_ms() - before, 5u);
}

CORO_TEST(Gather, TheOthersRunOnAfterAnError) {
    auto slow = create_task(value_after(20ms, 4));
    co_await thrown_by(gather(slow, fail_after(5ms, "x")));
    EXPECT_FALSE(slow.done());
    EXPECT_EQ(co_await slow, 4);
}

Coro<> gather_two_that_fail() {
    co_await thrown_by(gather(fail_after(5ms, "first"), fail_after<SecondError>(10ms, "second")));
    co_await sleep(20ms);
}
TEST(Gather, LaterErrorsOfTheOthersAreDropped) {
    testing::internal::CaptureStderr();
    run<VirtualTimeLoop>(gather_two_that_fail());
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

CORO_TEST(Gather, OfTasksThatAreDoneTakesTheFirstErrorInOrder) {
    auto one = create_task(fail_after<SecondError>(2ms, "late, but first in order"));
    auto two = create_task(fail_after(1ms, "early"));
    co_await sleep(5ms);
    EXPECT_EQ(co_await thrown_by(gather(one, two)), "SecondError: late, but first in order");
}

CORO_TEST(Gather, ACancelledTaskIsAnError) {
    auto task = create_task(forever());
    EventLoop::running().call_later(5ms, [task] { task.cancel("child"); });
    EXPECT_EQ(co_await thrown_by(gather(task, forever())), "Cancelled: child");
    EXPECT_EQ(current_task().cancelling(), 0u);
}

Coro<> gather_these(std::vector<Task<>> tasks) { co_await gather(std::move(tasks)); }
CORO_TEST(Gather, CancellingItCancelsAllWithTheMessage) {
    const std::vector<Task<>> tasks{create_task(forever()), create_task(forever())};
    auto gathering = create_task(gather_these(tasks));
    co_await sleep(1ms);
    gathering.cancel("all of you");
    EXPECT_EQ(co_await thrown_by(gathering), "Cancelled: all of you");
    for (const auto& task : tasks) EXPECT_EQ(co_await thrown_by(task), "Cancelled: all of you");
}

CORO_TEST(Gather, WhenItIsCancelledItEndsWhenAllHaveEnded) {
    bool cleaned = false;
    std::vector<Task<>> tasks;
    tasks.push_back(create_task(forever()));
    tasks.push_back(create_task(clean_up_for(20ms, cleaned)));
    auto gathering = create_task(gather_these(tasks));
    co_await sleep(1ms);
    gathering.cancel();
    co_await gathering.wait();
    EXPECT_TRUE(cleaned);
    EXPECT_TRUE(gathering.cancelled());
}

// As it would be lost otherwise.
CORO_TEST(Gather, WhenItIsCancelledAnErrorOfTheCleanupIsThrown) {
    bool cleaned = false;
    std::vector<Task<>> tasks;
    tasks.push_back(create_task(forever()));
    tasks.push_back(create_task(fail_in_cleanup("while cleaning up")));
    tasks.push_back(create_task(clean_up_for(20ms, cleaned)));
    auto gathering = create_task(gather_these(tasks));
    co_await sleep(1ms);
    gathering.cancel();
    EXPECT_EQ(co_await thrown_by(gathering), "SecondError: while cleaning up");
    EXPECT_TRUE(cleaned);
}

CORO_TEST(Gather, WhenItIsCancelledAfterAllAreDoneItIsCancelled) {
    auto task = create_task(value_now(1));
    co_await task;
    const auto gather_done = [](Task<int> done) -> Coro<> {
        current_task().cancel();
        co_await gather(done, forever());
    };
    EXPECT_EQ(co_await thrown_by(create_task(gather_done, task)), "Cancelled");
}

CORO_TEST(Gather, ReturnExceptionsWaitsForAllAndGivesErrorsAsValues) {
    auto [value, error, nothing] =
        co_await gather(return_exceptions, value_after(1ms, 3), fail_after(5ms, "x"), for_a_while(20ms));
    EXPECT_EQ(std::get<0>(value), 3);
    EXPECT_EQ(text_of(std::get<1>(error)), "FirstError: x");
    EXPECT_EQ(nothing.index(), 0u);
}

CORO_TEST(Gather, ReturnExceptionsGivesCancelledTasksAsErrors) {
    std::vector<Task<int>> tasks{create_task(value_now(1)), create_task(value_after(1h, 2))};
    EventLoop::running().call_later(5ms, [task = tasks[1]] { task.cancel("child"); });
    const auto outcomes = co_await gather(return_exceptions, tasks);
    EXPECT_EQ(std::get<0>(outcomes[0]), 1);
    EXPECT_EQ(text_of(std::get<1>(outcomes[1])), "Cancelled: child");
}

Coro<> gather_outcomes(std::vector<Task<>> tasks) { co_await gather(return_exceptions, std::move(tasks)); }
CORO_TEST(Gather, CancellingItWithReturnExceptionsIsStillACancellation) {
    const std::vector<Task<>> tasks{create_task(forever()), create_task(forever())};
    auto gathering = create_task(gather_outcomes(tasks));
    co_await sleep(1ms);
    gathering.cancel("stop");
    EXPECT_EQ(co_await thrown_by(gathering), "Cancelled: stop");
    EXPECT_TRUE(tasks[0].cancelled() && tasks[1].cancelled());
}

Coro<std::unique_ptr<int>> unique_after(Milliseconds delay, int value) {
    co_await sleep(delay);
    co_return std::make_unique<int>(value);
}
CORO_TEST(Gather, GivesValuesThatCannotBeCopied) {
    auto [a, b] = co_await gather(unique_after(2ms, 1), unique_after(1ms, 2));
    EXPECT_EQ(*a + *b, 3);
}

CORO_TEST(Gather, NestsAndIsCancelledAsOne) {
    auto inner = create_task(forever());
    const auto nest = [](Task<> task) -> Coro<> { co_await gather(gather(task, forever()), forever()); };
    auto outer = create_task(nest, inner);
    co_await sleep(1ms);
    outer.cancel("down");
    EXPECT_EQ(co_await thrown_by(outer), "Cancelled: down");
    EXPECT_EQ(co_await thrown_by(inner), "Cancelled: down");
}

Coro<> gather_later(const Task<>& other) {
    co_await sleep(1ms);
    Task<> target = other;
    co_await gather(target, for_a_while(1h));
}
CORO_TEST(Gather, TasksThatGatherEachOtherEndWhenOneIsCancelled) {
    Task<> a, b;
    a = create_task(gather_later(b));
    b = create_task(gather_later(a));
    co_await sleep(5ms);
    a.cancel();
    co_await a.wait();
    co_await b.wait();
    EXPECT_TRUE(a.cancelled() && b.cancelled());
}

}  // namespace
}  // namespace coroscope::test
