// Queues, locks and their kin, futures, threads, callbacks.
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "coroscope/coroscope.hpp"
#include "coroscope/virtual_time_loop.hpp"

namespace coroscope {
namespace {

using namespace std::chrono_literals;

Coro<> put_all(Queue<int>& queue, int count) {
    for (int i = 0; i < count; ++i) co_await queue.put(i);
}
Coro<> bounded_queue() {
    Queue<int> queue(2);
    auto putting = create_task(put_all(queue, 5));
    co_await sleep(1ms);
    EXPECT_TRUE(queue.full());
    EXPECT_THROW(queue.put_nowait(9), QueueFull);
    EXPECT_FALSE(putting.done());
    for (int i = 0; i < 5; ++i) EXPECT_EQ(co_await queue.get(), i);
    co_await putting;
    EXPECT_THROW(queue.get_nowait(), QueueEmpty);
}
TEST(Queue, IsBoundedAndFirstInFirstOut) { run<VirtualTimeLoop>(bounded_queue()); }

Coro<int> get_one(Queue<int>& queue) { co_return co_await queue.get(); }
Coro<> cancelled_get_loses_nothing() {
    Queue<int> queue;
    auto first = create_task(get_one(queue));
    auto second = create_task(get_one(queue));
    co_await sleep(1ms);
    queue.put_nowait(1);  // handed to the first
    first.cancel();       // ... which is cancelled before it runs
    EXPECT_THROW(co_await first, Cancelled);
    EXPECT_EQ(co_await second, 1);
}
TEST(Queue, ACancelledGetLosesNoItem) { run<VirtualTimeLoop>(cancelled_get_loses_nothing()); }

Coro<> work_off(Queue<int>& queue, int& sum) {
    for (;;) {
        sum += co_await queue.get();
        co_await sleep(1ms);
        queue.task_done();
    }
}
Coro<> join_queue() {
    Queue<int> queue;
    int sum = 0;
    auto worker = create_task(work_off(queue, sum));
    for (int i = 1; i <= 4; ++i) queue.put_nowait(i);
    co_await queue.join();
    EXPECT_EQ(sum, 10);
    EXPECT_THROW(queue.task_done(), std::logic_error);
    worker.cancel();
}
TEST(Queue, JoinWaitsForTaskDone) { run<VirtualTimeLoop>(join_queue()); }

Coro<> hold(Lock& lock, std::vector<int>& order, int number) {
    auto held = co_await lock.acquire();
    order.push_back(number);
    co_await sleep(1ms);
    order.push_back(-number);
}
Coro<> lock_excludes() {
    Lock lock;
    std::vector<int> order;
    std::vector<Task<>> tasks;
    for (const int number : {1, 2, 3}) tasks.push_back(create_task(hold(lock, order, number)));
    co_await sleep(0ms);
    tasks[1].cancel();
    co_await wait(tasks);
    EXPECT_EQ(order, (std::vector<int>{1, -1, 3, -3}));
    EXPECT_FALSE(lock.locked());
}
TEST(Lock, ExcludesInOrderAndSurvivesCancellation) { run<VirtualTimeLoop>(lock_excludes()); }

Coro<> event_wakes_all() {
    Event event;
    auto wait = [](Event& the_event) -> Coro<> { co_await the_event.wait(); };
    std::vector<Task<>> tasks;
    for (int i = 0; i < 3; ++i) tasks.push_back(create_task(wait(event)));
    co_await sleep(1ms);
    event.set();
    co_await gather(std::move(tasks));
    co_await event.wait();  // set: no waiting
}
TEST(Event, WakesAll) { run<VirtualTimeLoop>(event_wakes_all()); }

Coro<> consume(Condition& condition, std::vector<int>& items, int& got) {
    auto held = co_await condition.acquire();
    co_await condition.wait_for(held, [&] { return !items.empty(); });
    got = items.back();
    items.pop_back();
}
Coro<> condition_notifies() {
    Condition condition;
    std::vector<int> items;
    int got = 0;
    auto task = create_task(consume(condition, items, got));
    co_await sleep(1ms);
    {
        auto held = co_await condition.acquire();
        items.push_back(4);
        condition.notify();
    }
    co_await task;
    EXPECT_EQ(got, 4);
    EXPECT_FALSE(condition.lock().locked());
}
TEST(Condition, WaitsForItsPredicate) { run<VirtualTimeLoop>(condition_notifies()); }

Coro<> future_wakes() {
    Future<int> future;
    auto wait = [](Future<int> the_future) -> Coro<int> { co_return co_await the_future; };
    auto task = create_task(wait(future));
    co_await sleep(1ms);
    future.set_result(8);
    EXPECT_THROW(future.set_result(9), InvalidStateError);
    EXPECT_EQ(co_await task, 8);
}
TEST(Future, GivesItsResultToWhoWaits) { run<VirtualTimeLoop>(future_wakes()); }

int blocking(int value) { return value + 1; }
int throwing() { throw std::runtime_error("on the thread"); }
Coro<> threads() {
    EXPECT_EQ(co_await to_thread(blocking, 4), 5);
    EXPECT_THROW(co_await to_thread(throwing), std::runtime_error);
    const auto here = std::this_thread::get_id();
    const auto there = co_await to_thread(std::this_thread::get_id);
    EXPECT_NE(here, there);
}
TEST(ToThread, ReturnsAndThrowsFromAnotherThread) { run(threads()); }

Coro<> threadsafe() {
    EventLoop& loop = EventLoop::running();
    Future<int> future;
    std::thread other([&loop, future] { loop.call_soon_threadsafe([future] { future.set_result(3); }); });
    EXPECT_EQ(co_await future, 3);
    other.join();
}
TEST(Loop, TakesCallsFromOtherThreads) { run(threadsafe()); }

Coro<> callbacks(std::string& order) {
    EventLoop& loop = EventLoop::running();
    loop.call_later(2ms, [&] { order += 'c'; });
    loop.call_soon([&] { order += 'a'; });
    loop.call_soon([&] { order += 'b'; });
    Handle cancelled = loop.call_later(1ms, [&] { order += 'x'; });
    cancelled.cancel();
    co_await sleep(5ms);
}
TEST(Loop, CallbacksInOrder) {
    std::string order;
    run<VirtualTimeLoop>(callbacks(order));
    EXPECT_EQ(order, "abc");
}

TEST(Loop, RunForeverUntilStop) {
    EventLoop loop;
    int turns = 0;
    loop.call_soon([&] { ++turns; });
    loop.call_later(1ms, [&] { loop.stop(); });
    loop.run_forever();
    EXPECT_EQ(turns, 1);
}

// Driven by a foreign main loop.
TEST(Loop, RunOnceIsATurn) {
    VirtualTimeLoop loop;
    bool done = false;
    auto set = [](bool& flag) -> Coro<> {
        co_await yield();
        flag = true;
    };
    auto task = loop.create_task(set(done));
    EXPECT_EQ(loop.idle_time(), 0ns);
    for (int i = 0; i < 10 && !task.done(); ++i) loop.run_once();
    EXPECT_TRUE(done);
    EXPECT_LT(loop.idle_time(), 0ns);
}

}  // namespace
}  // namespace coroscope
