// What the debugger learns of waits that may never end: polls that nothing of the loop can end, time limits, unfinished
// items, futures that nobody can set, calls from other threads.
#include <gtest/gtest.h>

#include <optional>
#include <thread>

#include "coroscope/coroscope.hpp"
#include "coroscope/virtual_time_loop.hpp"
#include "probe_support.hpp"

namespace coroscope {
namespace {

using namespace std::chrono_literals;
using test::DebugOn;
using test::Observed;
using vocabulary::EventKind;

std::vector<probe::Record> idle_polls(Observed& seen, std::uint64_t loop) {
    return seen.events_about(loop, EventKind::loop_idle);
}
std::uint64_t loop_of(Observed& seen) {
    const auto started = seen.events_about(std::nullopt, EventKind::loop_started);
    return started.empty() ? 0 : started.back().subject;
}

TEST(Hangs, APollThatNothingOfTheLoopCanEndIsReported) {
    const DebugOn debug_on;
    Observed seen;
    std::thread other;
    run([&]() -> Coro<> {
        co_await sleep(1ms);  // a timer ends this poll
        Future<void> future;
        EventLoop& loop = EventLoop::running();
        other = std::thread([&loop, future] { loop.call_soon_threadsafe([future] { future.set_result(); }); });
        co_await future;
    });
    other.join();
    const auto idle = idle_polls(seen, loop_of(seen));
    ASSERT_EQ(idle.size(), 1u);
    EXPECT_EQ(idle.front().argument, 0u) << "no descriptor is watched";
}

TEST(Hangs, TimeLimitsBeginAndEnd) {
    const DebugOn debug_on;
    Observed seen;
    std::uint64_t task = 0;
    run<VirtualTimeLoop>([&]() -> Coro<> {
        task = current_task().id();
        co_await with_timeout(5ms, []() -> Coro<> { co_await sleep(1ms); });
        Timeout limit = timeout(10ms);
        limit.reschedule(std::nullopt);
        co_await sleep(1ms);
    });
    EXPECT_EQ(seen.events_of(task, EventKind::time_limit_begin).size(), 2u);
    EXPECT_EQ(seen.events_of(task, EventKind::time_limit_end).size(), 2u);
}

TEST(Hangs, UnfinishedItemsAreToldWhileATaskJoins) {
    const DebugOn debug_on;
    Observed seen;
    std::uint64_t queue_id = 0;
    run<VirtualTimeLoop>([&]() -> Coro<> {
        Queue<int> queue;
        for (int i = 0; i < 3; ++i) queue.put_nowait(i);
        queue.task_done();
        const Task<> joins = create_task([](Queue<int>& all) -> Coro<> { co_await all.join(); }, std::ref(queue));
        co_await sleep(1ms);
        queue.task_done();
        queue.task_done();
        co_await joins;
        queue_id = vocabulary::operand_of(seen.wait_of(joins, vocabulary::Verb::all_done));
    });
    std::vector<std::uint64_t> counts;
    for (const probe::Record& record : seen.events_about(queue_id, EventKind::unfinished))
        counts.push_back(record.argument);
    EXPECT_EQ(counts, (std::vector<std::uint64_t>{2, 1, 0}));
}

Coro<> keep(Future<int> future, std::chrono::milliseconds time) {
    co_await sleep(time);
    static_cast<void>(future);
}
Coro<> borrow(const Future<int>& future) {
    co_await sleep(5ms);
    future.set_result(1);
}

std::size_t orphans(Observed& seen) { return seen.events_about(std::nullopt, EventKind::orphaned).size(); }

TEST(Hangs, AFutureWhoseOtherHandlesWentIsAnOrphan) {
    const DebugOn debug_on;
    Observed seen;
    run<VirtualTimeLoop>([&]() -> Coro<> {
        const Task<> asks = create_task([]() -> Coro<> {
            const Future<int> future;
            create_task(keep(future, 1ms));
            co_await future;
        });
        co_await sleep(500us);
        EXPECT_EQ(orphans(seen), 0u) << "another task has a handle";
        co_await sleep(5ms);
        EXPECT_EQ(orphans(seen), 1u);
        asks.cancel();
    });
}

TEST(Hangs, AFutureThatATaskRefersToIsNoOrphan) {
    const DebugOn debug_on;
    Observed seen;
    run<VirtualTimeLoop>([&]() -> Coro<> {
        const Future<int> future;
        const Task<> sets = create_task(borrow(future));
        co_await future;
        co_await sets;
    });
    EXPECT_EQ(orphans(seen), 0u);
}

TEST(Hangs, AFutureInATableIsNoOrphan) {
    const DebugOn debug_on;
    Observed seen;
    run<VirtualTimeLoop>([&]() -> Coro<> {
        std::vector<Future<int>> table(1);
        const Task<> waits = create_task([](const Future<int>& future) -> Coro<> { co_await future; }, table[0]);
        {
            const Future<int> copy = table[0];
        }
        co_await sleep(1ms);
        EXPECT_EQ(orphans(seen), 0u) << "whoever reaches the table can set it";
        table[0].set_result(1);
        co_await waits;
    });
}

TEST(Hangs, ACallFromAnotherThreadIsReported) {
    const DebugOn debug_on;
    Observed seen;
    const auto wrong = [] {
        std::size_t count = 0;
        const std::scoped_lock lock(probe::process_registry().reports_mutex);
        for (const probe::Report& report : probe::process_registry().reports)
            count += report.kind == static_cast<std::uint32_t>(vocabulary::ReportKind::wrong_thread);
        return count;
    };
    const std::size_t before = wrong();
    run([&]() -> Coro<> {
        EventLoop& loop = EventLoop::running();
        // The loop's thread waits: the two do not run at once.
        std::thread([&] { loop.call_soon([] {}); }).join();
        EXPECT_EQ(wrong(), before + 1);
        std::thread([&] { loop.call_soon_threadsafe([] {}); }).join();
        loop.call_soon([] {});
        EXPECT_EQ(wrong(), before + 1);
        co_return;
    });
}

}  // namespace
}  // namespace coroscope
