// Whatever can be awaited can be given to what takes a coroutine: queue.get(), event.wait(), sleep(), a Future ... In
// asyncio these are coroutines, or futures, too.
#include "task_support.hpp"

namespace coroscope::test {
namespace {

CORO_TEST(Awaitables, HaveALimitByWaitFor) {
    Queue<int> queue(1);
    Event event;
    Lock lock;
    Barrier barrier(2);
    EXPECT_EQ(co_await thrown_by(wait_for(queue.get(), 5ms)), "TimeoutError: timed out");
    EXPECT_EQ(co_await thrown_by(wait_for(event.wait(), 5ms)), "TimeoutError: timed out");
    EXPECT_EQ(co_await thrown_by(wait_for(barrier.wait(), 5ms)), "TimeoutError: timed out");
    EXPECT_EQ(co_await thrown_by(wait_for(sleep(1h), 5ms)), "TimeoutError: timed out");
    {
        const Lock::Held held = co_await wait_for(lock.acquire(), 5ms);
        EXPECT_EQ(co_await thrown_by(wait_for(queue.join(), 5ms)), "");
        const auto again = [&lock]() -> Coro<> { const auto twice = co_await wait_for(lock.acquire(), 5ms); };
        EXPECT_EQ(co_await thrown_by(again()), "TimeoutError: timed out");
    }
    EXPECT_FALSE(lock.locked());
    co_await wait_for(queue.put(7), 5ms);
    EXPECT_EQ(co_await thrown_by(wait_for(queue.put(8), 5ms)), "TimeoutError: timed out");
    EXPECT_EQ(co_await wait_for(queue.get(), 5ms), 7);
    EXPECT_TRUE(queue.empty()) << "a put that was given up left nothing";
}

CORO_TEST(Awaitables, WithALimitOfZeroDoNotBegin) {
    Queue<int> queue;
    queue.put_nowait(1);
    EXPECT_EQ(co_await thrown_by(wait_for(queue.get(), 0s)), "TimeoutError: timed out");
    EXPECT_EQ(queue.qsize(), 1u);
}

CORO_TEST(Awaitables, AFutureIsCancelledAtTheLimit) {
    Future<int> future;
    EXPECT_EQ(co_await thrown_by(wait_for(future, 5ms)), "TimeoutError: timed out");
    EXPECT_TRUE(future.cancelled());
    Future<int> pending;
    EXPECT_EQ(co_await thrown_by(wait_for(pending, 0s)), "TimeoutError: timed out");
    EXPECT_TRUE(pending.cancelled());
    Future<int> done;
    done.set_result(3);
    EXPECT_EQ(co_await wait_for(done, 0s), 3);
    EXPECT_EQ(co_await wait_for(done, std::nullopt), 3);
}

CORO_TEST(Awaitables, AreGathered) {
    Queue<std::unique_ptr<int>> queue;
    Event event;
    Future<std::string> future;
    const auto feed = [&]() -> Coro<> {
        co_await queue.put(std::make_unique<int>(1));
        event.set();
        future.set_result("set");
    };
    auto [item, none, text, fed, slept] = co_await gather(queue.get(), event.wait(), future, feed(), sleep(1ms));
    EXPECT_EQ(*item, 1);
    EXPECT_EQ(text, "set");
    auto outcomes = co_await gather(return_exceptions, wait_for(queue.get(), 5ms), sleep(1ms));
    EXPECT_EQ(std::get<0>(outcomes).index(), 1u);
    EXPECT_EQ(std::get<1>(outcomes).index(), 0u);
}

CORO_TEST(Awaitables, BecomeTasks) {
    Queue<int> queue;
    Event event;
    Task<> waits = create_task(event.wait(), "waits");
    const Task<int> gets = create_task(named("gets"), queue.get());
    const Task<> sleeps = create_task([] { return sleep(1ms); });
    TaskGroup group;
    group.create_task(queue.put(4));
    group.create_task(yield());
    co_await group.join();
    EXPECT_EQ(co_await gets, 4);
    co_await sleeps;
    EXPECT_EQ(waits.name(), "waits");
    waits.cancel();
    co_await waits.wait();
    EXPECT_TRUE(waits.cancelled());
    EXPECT_EQ(all_tasks().size(), 1u);
}

CORO_TEST(Awaitables, AreShielded) {
    Event event;
    EXPECT_EQ(co_await thrown_by(wait_for(shield(event.wait()), 5ms)), "TimeoutError: timed out");
    event.set();  // what is shielded waits on, and the event goes
    co_await turns();
    const Task<> sleeps = create_task(sleep(10ms));
    EXPECT_EQ(co_await thrown_by(wait_for(shield(sleeps), 5ms)), "TimeoutError: timed out");
    EXPECT_FALSE(sleeps.done());
    EXPECT_EQ(co_await thrown_by(wait_for(sleeps.wait(), 1ms)), "TimeoutError: timed out");
    EXPECT_FALSE(sleeps.done());
    co_await sleeps;
}

CORO_TEST(Awaitables, AGeneratorsNextHasALimit) {
    const auto numbers = []() -> AsyncGenerator<int> {
        co_yield 1;
        co_await sleep(1h);
    };
    auto all = numbers();
    EXPECT_EQ(co_await wait_for(all.next(), 5ms), 1);
    EXPECT_EQ(co_await thrown_by(wait_for(all.next(), 5ms)), "TimeoutError: timed out");
}

CORO_TEST(Awaitables, AFunctionMayReturnThem) {
    Queue<int> queue;
    queue.put_nowait(2);
    EXPECT_EQ(co_await with_timeout(5ms, [&queue] { return queue.get(); }), 2);
    EXPECT_EQ(co_await thrown_by(with_timeout(5ms, [&queue] { return queue.get(); })), "TimeoutError: timed out");
    EXPECT_EQ(co_await thrown_by(with_timeout(5ms, queue.get())), "TimeoutError: timed out");
}

TEST(Awaitables, AreRun) {
    run<VirtualTimeLoop>(sleep(1h));
    run<VirtualTimeLoop>([] { return sleep(1h); });
}

TEST(Awaitables, ComeFromAnotherThread) {
    Queue<int> queue(1);
    run([&]() -> Coro<> {
        EventLoop& loop = EventLoop::running();
        co_await to_thread([&] {
            run_coroutine_threadsafe(queue.put(5), loop).get();
            EXPECT_EQ(run_coroutine_threadsafe(queue.get(), loop).get(), 5);
            run_coroutine_threadsafe([&] { return queue.put(6); }, loop).get();
        });
        EXPECT_EQ(queue.get_nowait(), 6);
    });
}

}  // namespace
}  // namespace coroscope::test
