// What a debugger can learn of a task: where it was made, and what it waits for.
#include "runtime/src/core/observe.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "coroscope/coroscope.hpp"
#include "coroscope/virtual_time_loop.hpp"
#include "probe_support.hpp"
#include "runtime/src/probe/process_registry.hpp"
#include "waits.hpp"

namespace coroscope {
namespace {

using namespace std::chrono_literals;
using detail::pack_wait;
using detail::Verb;
using test::get;
using test::join_queue;
using test::put;
using test::wait_barrier;
using test::wait_future;

Coro<int> value_now(int value) { co_return value; }
Coro<int> sum_of_six(int a, int b, int c, int d, int e, int f) { co_return a + b + c + d + e + f; }
Coro<> sleep_a_second() { co_await sleep(1s); }

std::uint32_t line_of_making(const AnyTask& task) {
    const auto& all = probe::process_registry().definitions;
    const auto path = all.path(task.control()->creation_node);
    return path.empty() ? 0 : all.site(path.front().site).line;
}

Coro<> make_tasks_in_all_ways() {
    const auto here = std::source_location::current();
    const auto plain = create_task(value_now(1));
    const auto call = create_task(value_now, 1);
    const auto options = create_task(named("x"), value_now, 1);
    TaskGroup group;
    const auto of_group = group.create_task(value_now, 1);
    const auto of_loop = EventLoop::running().create_task(value_now, 1);
    const auto many = create_task(sum_of_six, 1, 2, 3, 4, 5, 6);
    EXPECT_EQ(line_of_making(plain), here.line() + 1);
    EXPECT_EQ(line_of_making(call), here.line() + 2);
    EXPECT_EQ(line_of_making(options), here.line() + 3);
    EXPECT_EQ(line_of_making(of_group), here.line() + 5);
    EXPECT_EQ(line_of_making(of_loop), here.line() + 6);
    EXPECT_EQ(line_of_making(many), here.line() + 7);
    EXPECT_EQ(co_await many, 21);
    co_await group.join();
}
TEST(Observe, ATaskKnowsWhereItWasMade) {
    const probe::OnWithoutLibrary debug_on;
    run<VirtualTimeLoop>(make_tasks_in_all_ways());
}

Coro<> callbacks_in_all_ways() {
    test::Observed observed;
    Future<int> future;
    auto task = create_task(sleep_a_second());
    const auto here = std::source_location::current();
    EventLoop::running().call_soon([] {});
    EventLoop::running().call_later(500ms, [] {});
    EventLoop::running().call_soon_threadsafe([] {});
    task.add_done_callback([](AnyTask) {});
    future.add_done_callback([](const Future<int>&) {});
    co_await task;
    future.set_result(1);
    co_await sleep(1ms);
    future.add_done_callback([](const Future<int>&) {});
    task.add_done_callback([](AnyTask) {});
    co_await sleep(1ms);
    std::set<std::uint32_t> lines;
    const auto& definitions = probe::process_registry().definitions;
    for (const probe::Record& record : observed.events_about(std::nullopt, vocabulary::EventKind::callback_begin)) {
        const auto path = definitions.path(record.stack);
        if (path.empty()) {
            ADD_FAILURE() << "a callback that nobody scheduled";
            continue;
        }
        lines.insert(definitions.site(path.front().site).line - here.line());
        // Not the coroutine at whose end it was called.
        for (const auto& node : path)
            EXPECT_EQ(std::string_view(definitions.site(node.site).function).find("sleep_a_second"),
                      std::string_view::npos);
    }
    EXPECT_EQ(lines, (std::set<std::uint32_t>{1, 2, 3, 4, 5, 9, 10}));
}
TEST(Observe, ACallbackKnowsWhereItWasScheduled) {
    const probe::OnWithoutLibrary debug_on;
    run<VirtualTimeLoop>(callbacks_in_all_ways());
}

// Of a task that ran until it had to wait. Then it is cancelled, which every wait must allow.
Coro<std::uint64_t> what_it_waits_for(Coro<> work) {
    auto task = create_task(std::move(work));
    while (task.control()->state == detail::TaskState::created) co_await yield();
    const std::uint64_t wait = detail::waits_for(*task.control());
    task.cancel();
    co_await task.wait();
    EXPECT_TRUE(task.cancelled());
    co_return wait;
}
constexpr Verb verb_of(std::uint64_t wait) { return static_cast<Verb>(vocabulary::verb_of(wait)); }

Coro<> await_task(Task<> task) { co_await task; }
Coro<> await_two(Task<> one, Task<> two) { co_await gather(one, two); }
Coro<> await_end(Task<> task) { co_await task.wait(); }
Coro<> await_group() {
    TaskGroup group;
    group.create_task(sleep_a_second());
    co_await group.join();
}
Coro<> wait_event(Event& event) { co_await event.wait(); }
template <class L>
Coro<> acquire(L& lock) {
    const auto held = co_await lock.acquire();
}
Coro<> yield_forever() {
    for (;;) co_await yield();
}

Coro<> wait_in_all_ways() {
    EXPECT_EQ(vocabulary::verb_of(co_await what_it_waits_for(sleep_a_second())),
              static_cast<std::uint8_t>(Verb::timer));
    EXPECT_EQ(co_await what_it_waits_for(yield_forever()), pack_wait(Verb::turn));
    EXPECT_EQ(verb_of(co_await what_it_waits_for(await_group())), Verb::members);

    auto one = create_task(sleep_a_second());
    auto two = create_task(sleep_a_second());
    const std::uint64_t for_one = pack_wait(Verb::join, one.id());
    EXPECT_EQ(co_await what_it_waits_for(await_end(one)), for_one);
    EXPECT_EQ(co_await what_it_waits_for(await_task(one)), for_one);  // which cancels it, too
    one = create_task(sleep_a_second());
    EXPECT_EQ(verb_of(co_await what_it_waits_for(await_two(one, two))), Verb::members);

    EXPECT_EQ(verb_of(co_await what_it_waits_for(wait_future(Future<int>()))), Verb::result);

    Queue<int> queue(1), other(1);
    const std::uint64_t for_item = co_await what_it_waits_for(get(queue));
    EXPECT_EQ(verb_of(for_item), Verb::get);
    EXPECT_EQ(co_await what_it_waits_for(get(queue)), for_item) << "the same queue has the same number";
    EXPECT_NE(co_await what_it_waits_for(get(other)), for_item) << "another has another";
    queue.put_nowait(1);
    EXPECT_EQ(co_await what_it_waits_for(put(queue)), pack_wait(Verb::put, vocabulary::operand_of(for_item)));
    EXPECT_EQ(co_await what_it_waits_for(join_queue(queue)),
              pack_wait(Verb::all_done, vocabulary::operand_of(for_item)));

    Event event;
    EXPECT_EQ(verb_of(co_await what_it_waits_for(wait_event(event))), Verb::until_set);
    Semaphore semaphore(0);
    EXPECT_EQ(verb_of(co_await what_it_waits_for(acquire(semaphore))), Verb::acquire);
    Lock lock;
    const auto held = co_await lock.acquire();
    EXPECT_EQ(verb_of(co_await what_it_waits_for(acquire(lock))), Verb::acquire);
    Barrier barrier(2);
    EXPECT_EQ(verb_of(co_await what_it_waits_for(wait_barrier(barrier))), Verb::others);
}
TEST(Observe, ATaskSaysWhatItWaitsFor) {
    const probe::OnWithoutLibrary debug_on;
    run<VirtualTimeLoop>(wait_in_all_ways());
}

}  // namespace
}  // namespace coroscope
