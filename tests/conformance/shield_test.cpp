// shield(): what CPython's test_tasks.py pins down of it.
#include "task_support.hpp"

namespace coroscope::test {
namespace {

Coro<int> await_shielded(Task<int> inner) { co_return co_await shield(inner); }
Coro<int> await_shielded_coro(bool& ended) {
    const auto work = [](bool& its_end) -> Coro<int> {
        co_await sleep(10ms);
        its_end = true;
        co_return 3;
    };
    co_return co_await shield(work(ended));
}

CORO_TEST(Shield, GivesTheResult) {
    EXPECT_EQ(co_await shield(value_after(1ms, 3)), 3);
    auto task = create_task(value_after(1ms, 4));
    EXPECT_EQ(co_await shield(task), 4);
    EXPECT_EQ(co_await shield(task), 4);  // done
}

CORO_TEST(Shield, GivesTheError) {
    auto inner = create_task(fail_after(1ms, "x"));
    const auto await_it = [](Task<> task) -> Coro<> { co_await shield(task); };
    EXPECT_EQ(co_await thrown_by(await_it(inner)), "FirstError: x");
}

CORO_TEST(Shield, CancellingTheOuterTaskLeavesTheInnerOne) {
    auto inner = create_task(value_after(10ms, 5));
    auto outer = create_task(await_shielded(inner));
    co_await sleep(1ms);
    outer.cancel("outer");
    EXPECT_EQ(co_await thrown_by(outer), "Cancelled: outer");
    EXPECT_FALSE(inner.done());
    EXPECT_EQ(co_await inner, 5);
}

CORO_TEST(Shield, CancellingTheInnerTaskReachesTheOuterOne) {
    auto inner = create_task(value_after(1h, 5));
    auto outer = create_task(await_shielded(inner));
    co_await sleep(1ms);
    inner.cancel("inner");
    EXPECT_EQ(co_await thrown_by(outer), "Cancelled: inner");
    EXPECT_EQ(outer.cancelling(), 0u);
}

CORO_TEST(Shield, ACoroutineRunsOnWithoutAHandle) {
    bool ended = false;
    auto outer = create_task(await_shielded_coro(ended));
    co_await sleep(1ms);
    outer.cancel();
    co_await outer.wait();
    EXPECT_FALSE(ended);
    co_await sleep(20ms);
    EXPECT_TRUE(ended);
}

CORO_TEST(Shield, ATimeoutLeavesTheInnerTask) {
    auto inner = create_task(value_after(10ms, 6));
    EXPECT_EQ(co_await thrown_by(wait_for(await_shielded(inner), 1ms)), "TimeoutError: timed out");
    EXPECT_EQ(co_await inner, 6);
}

CORO_TEST(Shield, InsideAGatherStopsTheCancellation) {
    auto inner = create_task(value_after(10ms, 7));
    auto other = create_task(forever());
    const auto both = [](Task<int> shielded, Task<> exposed) -> Coro<> {
        co_await gather(await_shielded(shielded), exposed);
    };
    auto outer = create_task(both, inner, other);
    co_await sleep(1ms);
    outer.cancel();
    co_await outer.wait();
    EXPECT_TRUE(other.cancelled());
    EXPECT_EQ(co_await inner, 7);
}

}  // namespace
}  // namespace coroscope::test
