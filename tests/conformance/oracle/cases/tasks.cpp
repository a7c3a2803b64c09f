// Tasks: the order in which they begin and end, their states, their callbacks.
#include "tests/conformance/oracle/support.hpp"

namespace coroscope::oracle {
namespace {

Coro<> says_begin_and_next(std::string_view name) {
    say(name, "begins");
    co_await yield();
    say(name, "goes on");
}
CASE(task_order_of_begin) {
    auto one = create_task(says_begin_and_next("one"));
    EventLoop::running().call_soon([] { say("callback"); });
    auto two = create_task(says_begin_and_next("two"));
    say("created");
    co_await one;
    co_await two;
}

CASE(task_await_of_a_done_task_takes_no_turn) {
    auto task = create_task(value_now(1));
    auto ticks = create_task(ticker(4));
    co_await yield();
    say("before");
    say(co_await task);
    say(co_await task);
    say("after");
    co_await ticks;
}

CASE(task_await_takes_a_turn) {
    auto ticks = create_task(ticker(6));
    auto task = create_task(nothing());
    say("before");
    co_await task;
    say("after");
    auto another = create_task(turns(1));
    co_await another;
    say("after another");
    co_await ticks;
}

CASE(task_states) {
    auto task = create_task(value_now(5));
    say(state_of(task));
    attempt_now("result", [&] { return task.result(); });
    attempt_now("exception", [&] { task.exception(); });
    co_await task;
    say(state_of(task), task.cancelling());
    auto failed = create_task(fail_now("broken"));
    co_await failed.wait();
    say(state_of(failed), failed.cancelled(), failed.done());
    attempt_now("result", [&] { failed.result(); });
    auto cancelled = create_task(forever());
    co_await yield();
    const bool requested = cancelled.cancel("enough");
    say(requested, state_of(cancelled), cancelled.done(), cancelled.cancelled());
    co_await cancelled.wait();
    say(state_of(cancelled), cancelled.done());
    attempt_now("result", [&] { cancelled.result(); });
    attempt_now("exception", [&] { cancelled.exception(); });
    const bool again = cancelled.cancel(), after_end = task.cancel();
    say(again, after_end, task.cancelling(), cancelled.cancelling());
}
DIFFERS(task_states, "task.hpp",
        "Cancelled, with the message, is thrown at the task's await, or at its next one, and comes to whoever awaits "
        "the task.",
        {"-exception raised CancelledError", "+exception raised CancelledError: enough"});

CASE(task_awaits_itself) {
    Task<> task;
    task = create_task([&]() -> Coro<> { co_await task; });
    co_await task.wait();
    say(state_of(task));
}

CASE(task_callbacks_and_waiters_in_order) {
    auto task = create_task(value_after(5ms, 7));
    task.add_done_callback([task](const AnyTask&) { say("callback one", state_of(task)); });
    auto one = create_task(attempt("waiter one", task));
    co_await yield();
    task.add_done_callback([task](const AnyTask&) { say("callback two", state_of(task)); });
    auto two = create_task(attempt("waiter two", task));
    co_await yield();
    task.add_done_callback([task](const AnyTask&) { say("callback three", state_of(task)); });
    co_await one;
    co_await two;
}

CASE(task_callback_of_a_done_task_comes_later) {
    auto task = create_task(nothing());
    co_await task;
    task.add_done_callback([](const AnyTask&) { say("callback"); });
    say("added");
    co_await yield();
    say("a turn later");
}

CASE(task_callback_that_raises) {
    EventLoop::running().set_exception_handler(
        [](EventLoop&, const std::exception_ptr& error) { say("handler:", told(error)); });
    auto task = create_task(nothing());
    task.add_done_callback([](const AnyTask&) { throw FirstError("callback"); });
    task.add_done_callback([](const AnyTask&) { say("the next one"); });
    co_await task;
    co_await turns(2);
    say(state_of(task));
}

CASE(task_callback_adds_another) {
    auto task = create_task(nothing());
    task.add_done_callback([](const AnyTask& done) {
        say("first");
        done.add_done_callback([](const AnyTask&) { say("added in a callback"); });
    });
    task.add_done_callback([](const AnyTask&) { say("second"); });
    co_await task;
    say("awaited");
    co_await turns(2);
}

CASE(task_callback_has_no_current_task) {
    auto task = create_task(nothing());
    task.add_done_callback([](const AnyTask&) { say("in a callback", static_cast<bool>(current_task())); });
    co_await task;
    co_await turns(2);
    say("in a task", static_cast<bool>(current_task()));
}

CASE(task_error_comes_to_all_who_wait) {
    auto task = create_task(fail_after(1ms, "broken"));
    co_await gather(attempt("one", task), attempt("two", task), attempt("three", task));
    co_await attempt("late", task);
}

Coro<> raises_cancelled() {
    co_await yield();
    throw Cancelled("by itself");
}
CASE(task_that_raises_cancelled_is_cancelled) {
    auto task = create_task(raises_cancelled());
    co_await attempt("task", task);
    say(state_of(task), task.cancelling());
}

Coro<> says_its_name() {
    say(current_task().name());
    current_task().set_name("renamed");
    co_return;
}
CASE(task_names) {
    auto task = create_task(says_its_name(), "first");
    say(task.name());
    co_await task;
    say(task.name());
}

CASE(task_all_tasks) {
    auto first = create_task(forever(), "first");
    auto second = create_task(nothing(), "second");
    say(all_tasks().size());
    co_await second;
    say(all_tasks().size());
    first.cancel();
    say(all_tasks().size());
    co_await first.wait();
    say(all_tasks().size());
}

Coro<> says_line(std::string_view line) {
    say(line);
    co_return;
}
CASE(task_made_in_a_callback_begins_after_what_is_ready) {
    Task<> made;
    EventLoop::running().call_soon([&] { made = create_task(says_line("made in the callback")); });
    auto ready = create_task(says_line("made before"));
    co_await yield();
    say("main");
    co_await ready;
    co_await made;
}

Coro<> says_when(std::string_view name, std::chrono::milliseconds delay) {
    co_await sleep(delay);
    say(name, now_ms());
}
CASE(task_wakes_in_order_of_the_timers) {
    std::vector<Task<>> tasks;
    tasks.push_back(create_task(says_when("a", 3ms)));
    tasks.push_back(create_task(says_when("b", 1ms)));
    tasks.push_back(create_task(says_when("c", 3ms)));
    tasks.push_back(create_task(says_when("d", 2ms)));
    tasks.push_back(create_task(says_when("e", 1ms)));
    tasks.push_back(create_task(says_when("f", 0ms)));
    co_await wait(tasks);
}

Coro<> turns_an_error_into_its_own(Task<> inner) {
    bool caught = false;
    try {
        co_await inner;
    } catch (const FirstError&) {
        caught = true;
    }
    if (!caught) co_return;
    say("caught");
    co_await yield();
    say("goes on");
    throw SecondError("own");
}
CASE(task_error_in_turn_of_its_waiter) {
    auto inner = create_task(fail_now("inner"));
    auto outer = create_task(turns_an_error_into_its_own(inner));
    co_await attempt("outer", outer);
    say(state_of(inner), "/", state_of(outer));
}

}  // namespace
}  // namespace coroscope::oracle
