// Callbacks and their handles.
#include "tests/conformance/oracle/support.hpp"

namespace coroscope::oracle {
namespace {

CASE(callback_order) {
    EventLoop& loop = EventLoop::running();
    loop.call_soon([] { say("one"); });
    loop.call_soon([&loop] {
        say("two");
        loop.call_soon([] { say("made by two"); });
    });
    loop.call_soon([] { say("three"); });
    co_await yield();
    say("main");
    co_await yield();
}

CASE(callback_cancelled) {
    EventLoop& loop = EventLoop::running();
    auto handle = loop.call_soon([] { say("never"); });
    say(handle.cancelled());
    handle.cancel();
    say(handle.cancelled());
    auto later = loop.call_later(1ms, [] { say("never"); });
    loop.call_soon([&later] { later.cancel(); });
    auto done = loop.call_soon([] { say("called"); });
    co_await sleep(5ms);
    done.cancel();
    say(later.cancelled(), done.cancelled());
}

CASE(callback_cancelled_by_one_of_the_same_turn) {
    EventLoop& loop = EventLoop::running();
    Handle soon, timer;
    loop.call_soon([&soon] { soon.cancel(); });
    soon = loop.call_soon([] { say("never"); });
    loop.call_later(1ms, [&timer] {
        say("first timer");
        timer.cancel();
    });
    timer = loop.call_later(1010us, [] { say("never"); });
    loop.call_later(2ms, [] { say("second timer"); });
    co_await sleep(5ms);
}

CASE(callback_timers_in_order_of_their_times) {
    EventLoop& loop = EventLoop::running();
    for (const int delay : {5, 1, 3, 2, 4}) loop.call_later(std::chrono::milliseconds(delay), [delay] { say(delay); });
    loop.call_later(-1s, [] { say("in the past"); });
    loop.call_soon([] { say("soon"); });
    co_await sleep(9ms);
    say(now_ms());
}

CASE(callback_timer_of_zero_and_soon) {
    EventLoop& loop = EventLoop::running();
    loop.call_later(0ms, [] { say("later"); });
    loop.call_soon([] { say("soon"); });
    co_await yield();
    say("main");
    co_await sleep(1ms);
}

CASE(callback_at_a_time) {
    EventLoop& loop = EventLoop::running();
    const auto handle = loop.call_at(loop.time_ns() + 3'000'000, [] { say("called", now_ms()); });
    say((handle.when() - loop.time_ns()) / 1'000'000);
    loop.call_at(loop.time_ns() - 1'000'000, [] { say("in the past"); });
    co_await sleep(5ms);
}

CASE(callback_that_raises) {
    EventLoop& loop = EventLoop::running();
    loop.set_exception_handler([](EventLoop&, const std::exception_ptr& error) { say("handler:", told(error)); });
    loop.call_soon([] { throw FirstError("callback"); });
    loop.call_soon([] { say("the next one"); });
    loop.call_later(1ms, [] { throw FirstError("callback"); });
    co_await sleep(2ms);
    say("goes on");
}

CASE(callback_and_a_task_of_the_same_turn) {
    EventLoop& loop = EventLoop::running();
    Event event;
    auto task = create_task(noted("task", event.wait()));
    co_await turns(1);
    loop.call_soon([] { say("before the set"); });
    event.set();
    loop.call_soon([] { say("after the set"); });
    co_await task;
}

void again(EventLoop& loop, int& count) {
    if (++count < 5) loop.call_soon([&loop, &count] { again(loop, count); });
}
CASE(callback_chain_and_a_timer) {
    EventLoop& loop = EventLoop::running();
    int count = 0;
    loop.call_soon([&loop, &count] { again(loop, count); });
    loop.call_later(1ms, [&count] { say("timer", count); });
    co_await sleep(2ms);
    say(count);
}

std::string posts_three(EventLoop& loop) {
    for (int count = 0; count < 3; ++count) loop.call_soon_threadsafe([count] { say(count); });
    return "worked";
}
CASE(callback_from_a_thread_comes_in_order) {
    EventLoop& loop = EventLoop::running();
    const std::string result = co_await to_thread(posts_three, std::ref(loop));
    co_await turns(2);
    say(result);
}

}  // namespace
}  // namespace coroscope::oracle
