// wait_for(): what CPython's test_waitfor.py pins down, for coroutines and for tasks.
#include "task_support.hpp"

namespace coroscope::test {
namespace {

CORO_TEST(WaitFor, GivesTheValueInTime) {
    EXPECT_EQ(co_await wait_for(value_after(5ms, 1), 10ms), 1);
    EXPECT_EQ(co_await wait_for(create_task(value_after(5ms, 2)), 10ms), 2);
}

CORO_TEST(WaitFor, WithoutALimitWaits) {
    EXPECT_EQ(co_await wait_for(value_after(1h, 1), std::nullopt), 1);
    EXPECT_EQ(co_await wait_for(create_task(value_after(1h, 2)), std::nullopt), 2);
}

CORO_TEST(WaitFor, ZeroDoesNotBeginTheCoroutine) {
    bool began = false;
    const auto begin = [](bool& its_began) -> Coro<> {
        its_began = true;
        co_return;
    };
    testing::internal::CaptureStderr();
    EXPECT_EQ(co_await thrown_by(wait_for(begin(began), 0ms)), "TimeoutError: timed out");
    EXPECT_EQ(co_await thrown_by(wait_for(begin(began), -1s)), "TimeoutError: timed out");
    EXPECT_FALSE(began);
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

CORO_TEST(WaitFor, ZeroGivesTheResultOfATaskThatIsDone) {
    auto task = create_task(value_now(3));
    co_await task.wait();
    EXPECT_EQ(co_await wait_for(task, 0ms), 3);
    EXPECT_EQ(co_await wait_for(task, -1ms), 3);
}

CORO_TEST(WaitFor, ZeroCancelsATaskThatIsNotDoneAndWaitsForItsEnd) {
    bool cleaned = false;
    auto task = create_task(clean_up_for(5ms, cleaned));
    co_await yield();
    EXPECT_EQ(co_await thrown_by(wait_for(task, 0ms)), "TimeoutError: timed out");
    EXPECT_TRUE(cleaned);
    EXPECT_TRUE(task.cancelled());
}

CORO_TEST(WaitFor, ATaskHasEndedWhenTheTimeoutIsThrown) {
    bool cleaned = false;
    auto task = create_task(clean_up_for(20ms, cleaned));
    const std::uint64_t before = now_ms();
    EXPECT_EQ(co_await thrown_by(wait_for(task, 10ms)), "TimeoutError: timed out");
    EXPECT_TRUE(cleaned);
    EXPECT_EQ(now_ms() - before, 30u);
}

CORO_TEST(WaitFor, ATaskThatReturnsDespiteItsCancellationGivesItsResult) {
    auto task = create_task(swallow_cancellation(4));
    EXPECT_EQ(co_await wait_for(task, 10ms), 4);
    EXPECT_EQ(current_task().cancelling(), 0u);
    auto other = create_task(swallow_cancellation(5));
    co_await yield();
    EXPECT_EQ(co_await wait_for(other, 0ms), 5);
}

CORO_TEST(WaitFor, ATaskThatFailsDuringItsCancellationGivesItsError) {
    auto task = create_task(fail_in_cleanup("cleanup"));
    EXPECT_EQ(co_await thrown_by(wait_for(task, 10ms)), "SecondError: cleanup");
    auto other = create_task(fail_in_cleanup("cleanup"));
    co_await yield();
    EXPECT_EQ(co_await thrown_by(wait_for(other, 0ms)), "SecondError: cleanup");
    EXPECT_EQ(current_task().cancelling(), 0u);
}

CORO_TEST(WaitFor, AnErrorInTimePassesUnchanged) {
    EXPECT_EQ(co_await thrown_by(wait_for(fail_after(1ms, "x"), 10ms)), "FirstError: x");
    EXPECT_EQ(co_await thrown_by(wait_for(create_task(fail_after(1ms, "y")), 10ms)), "FirstError: y");
}

Coro<> wait_for_task(Task<> task) { co_await wait_for(task, 1h); }
CORO_TEST(WaitFor, CancellingItCancelsTheTask) {
    auto inner = create_task(forever());
    auto outer = create_task(wait_for_task(inner));
    co_await sleep(1ms);
    outer.cancel("outside");
    EXPECT_EQ(co_await thrown_by(outer), "Cancelled: outside");
    EXPECT_TRUE(inner.cancelled());
}

CORO_TEST(WaitFor, ATaskCancelledByOthersIsNoTimeout) {
    auto inner = create_task(forever());
    auto outer = create_task(wait_for_task(inner));
    co_await sleep(1ms);
    inner.cancel("inner");
    EXPECT_EQ(co_await thrown_by(outer), "Cancelled: inner");
}

CORO_TEST(WaitFor, NestsLikeTimeouts) {
    EXPECT_EQ(co_await thrown_by(wait_for(wait_for(forever(), 1h), 5ms)), "TimeoutError: timed out");
    EXPECT_EQ(co_await thrown_by(wait_for(wait_for(forever(), 5ms), 1h)), "TimeoutError: timed out");
}

CORO_TEST(WaitFor, RunsTheCoroutineInTheSameTask) {
    const auto who = []() -> Coro<AnyTask> { co_return current_task(); };
    const AnyTask inside = co_await wait_for(who(), 1s);
    EXPECT_TRUE(inside == current_task());
}

}  // namespace
}  // namespace coroscope::test
