// Cancellation: when it is thrown, whom it reaches, what is counted.
#include "tests/conformance/oracle/support.hpp"

namespace coroscope::oracle {
namespace {

Coro<> says_that_it_begins() {
    say("begins");
    co_return;
}
CASE(cancel_before_the_first_step) {
    auto task = create_task(says_that_it_begins());
    const bool requested = task.cancel("early");
    say(requested, task.cancelling());
    co_await attempt("task", task);
    say(state_of(task), task.cancelling());
}

CASE(cancel_twice_before_the_first_step) {
    auto task = create_task(forever());
    const bool one = task.cancel("one"), two = task.cancel("two");
    say(one, two, task.cancelling());
    co_await attempt("task", task);
}

CASE(cancel_twice_while_it_waits) {
    auto task = create_task(forever());
    co_await yield();
    const bool one = task.cancel("one"), two = task.cancel("two");
    say(one, two, task.cancelling());
    co_await attempt("task", task);
}

Coro<> says_the_value(Future<int> future) { say("got", co_await future); }
CASE(cancel_on_the_turn_of_a_wakeup) {
    Future<int> future;
    auto task = create_task(says_the_value(future));
    co_await yield();
    future.set_result(1);
    say(task.cancel("late"));
    co_await attempt("task", task);
    say(state_of(future), "/", state_of(task));
}

Coro<> forever_after(Event& event) {
    co_await event.wait();
    say("woken");
    co_await forever();
}
CASE(cancel_on_the_turn_of_an_event) {
    Event event;
    auto one = create_task(noted("one", event.wait()));
    auto two = create_task(noted("two", forever_after(event)));
    co_await yield();
    event.set();
    one.cancel("late");
    co_await yield();
    say(state_of(one), "/", state_of(two));
    two.cancel("later");
    co_await ends_of(one, two);
    say(state_of(one), "/", state_of(two), event.is_set());
}

CASE(cancel_on_the_turn_of_a_tasks_end) {
    auto inner = create_task(value_after(1ms, 5));
    auto outer = create_task(noted("outer", inner));
    co_await yield();
    inner.add_done_callback([outer](const AnyTask&) { say("inner ended; cancel:", outer.cancel("just now")); });
    co_await attempt("outer task", outer);
    say(state_of(inner), "/", state_of(outer));
}

CASE(cancel_by_a_callback_that_runs_before_the_waiter) {
    auto inner = create_task(value_after(1ms, 5));
    Task<> outer;
    inner.add_done_callback([&](const AnyTask&) { say("cancel:", outer.cancel("before the waiter")); });
    outer = create_task(noted("outer", inner));
    co_await attempt("outer task", outer);
    say(state_of(inner), "/", state_of(outer));
}

Coro<> waits_in_its_cleanup() {
    std::exception_ptr error;
    try {
        co_await forever();
    } catch (...) {
        error = std::current_exception();
    }
    say("cleanup");
    try {
        co_await forever();
    } catch (const Cancelled& cancelled) {
        say("again", cancelled.message());
        throw;
    }
    std::rethrow_exception(error);
}
CASE(cancel_during_cleanup) {
    auto task = create_task(waits_in_its_cleanup());
    co_await yield();
    task.cancel("one");
    co_await yield();
    task.cancel("two");
    co_await attempt("task", task);
    say(task.cancelling());
}

Coro<int> swallows_and_goes_on() {
    try {
        co_await forever();
    } catch (const Cancelled& cancelled) {
        say("swallowed", cancelled.message(), current_task().cancelling());
    }
    co_await yield();
    say("goes on", current_task().uncancel());
    co_return 3;
}
CASE(cancel_that_is_swallowed) {
    auto task = create_task(swallows_and_goes_on());
    co_await yield();
    task.cancel("please");
    co_await attempt("task", task);
    say(state_of(task), task.cancelling());
}

Coro<> awaits(std::string_view name, Task<> inner) {
    try {
        co_await inner;
    } catch (const Cancelled& cancelled) {
        say(name, cancelled.message());
        throw;
    }
}
CASE(cancel_of_a_chain) {
    auto leaf = create_task(noted("leaf", forever()));
    auto middle = create_task(awaits("middle", leaf));
    auto top = create_task(awaits("top", middle));
    co_await turns(3);
    say(top.cancel("from the top"));
    say(leaf.cancelling(), middle.cancelling(), top.cancelling());
    auto ticks = create_task(ticker(5));
    co_await attempt("awaited", top);
    say(state_of(leaf), state_of(middle), state_of(top));
    co_await ticks;
}

CASE(cancel_of_what_others_share) {
    auto shared = create_task(forever());
    auto one = create_task(noted("one", shared));
    auto two = create_task(noted("two", shared));
    co_await yield();
    one.cancel("of one");
    co_await ends_of(one, two);
    say(state_of(shared), shared.cancelling(), one.cancelling(), two.cancelling());
}
DIFFERS(cancel_of_what_others_share, "task.hpp",
        "Cancelled, with the message, is thrown at the task's await, or at its next one, and comes to whoever awaits "
        "the task.",
        {"-two raised CancelledError", "+two raised CancelledError: of one"});

CASE(cancel_of_what_is_awaited) {
    auto inner = create_task(forever());
    auto outer = create_task(noted("outer", inner));
    co_await turns(2);
    inner.cancel("the inner one");
    co_await outer.wait();
    say(state_of(outer), outer.cancelling(), inner.cancelling());
}

CASE(cancel_of_a_chain_whose_leaf_swallows) {
    auto leaf = create_task(swallow(9));
    auto outer = create_task(attempt("outer", leaf));
    co_await turns(2);
    outer.cancel("please");
    co_await outer;
    say(state_of(leaf), leaf.cancelling(), outer.cancelling(), state_of(outer));
}

CASE(cancel_turned_into_an_error) {
    auto task = create_task(fail_in_cleanup("cleanup"));
    co_await yield();
    task.cancel();
    co_await attempt("task", task);
    say(task.cancelled(), task.cancelling());
}

Coro<int> cancels_itself_and_returns() {
    current_task().cancel("self");
    co_return 1;
}
CASE(cancel_itself_then_return) {
    auto task = create_task(cancels_itself_and_returns());
    co_await attempt("task", task);
    say(state_of(task));
}

Coro<> cancels_itself_and_raises() {
    current_task().cancel("self");
    throw FirstError("own");
    co_return;
}
CASE(cancel_itself_then_raise) {
    auto task = create_task(cancels_itself_and_raises());
    co_await attempt("task", task);
    say(state_of(task), task.cancelling());
}

Coro<> cancels_itself_and_awaits(Task<int> done) {
    current_task().cancel("self");
    say("awaits a done task", co_await done);
    say("awaits nothing", co_await value_now(2));
    co_await yield();
    say("not reached");
}
CASE(cancel_itself_then_await) {
    auto done = create_task(value_now(4));
    co_await done;
    auto task = create_task(cancels_itself_and_awaits(done));
    co_await attempt("task", task);
}

Coro<> cancels_itself_and_takes_what_is_there() {
    Event event;
    event.set();
    Queue<int> queue;
    queue.put_nowait(6);
    current_task().cancel("self");
    co_await event.wait();
    say(true);
    say(co_await queue.get());
    event.clear();
    co_await event.wait();
}
CASE(cancel_itself_then_wait_for_an_event_that_is_set) {
    auto task = create_task(cancels_itself_and_takes_what_is_there());
    co_await attempt("task", task);
}

Coro<> says_that_it_is_not_cancelled() {
    co_await yield();
    say("not cancelled");
}
CASE(cancel_taken_back_before_it_was_thrown) {
    auto task = create_task(says_that_it_is_not_cancelled());
    task.cancel("one");
    const auto left = task.uncancel();
    say(left, task.cancelling());
    co_await attempt("task", task);
    say(state_of(task));
}
DIFFERS(cancel_taken_back_before_it_was_thrown, "task.hpp",
        "If none remain and Cancelled has not been thrown yet, it will not be.",
        {"-task raised CancelledError: one", "-cancelled", "+not cancelled", "+task -> None", "+returned: None"});

CASE(cancel_taken_back_once_of_twice) {
    auto task = create_task(forever());
    co_await yield();
    task.cancel("one");
    task.cancel("two");
    const auto left = task.uncancel();
    say(left, task.cancelling());
    co_await attempt("task", task);
    const auto now = task.cancelling(), one = task.uncancel(), two = task.uncancel();
    say(now, one, two);
}

Coro<> counts_to_five() {
    for (int count = 0; count < 5; ++count) {
        say(count);
        co_await yield();
    }
}
CASE(cancel_of_a_task_that_yields) {
    auto task = create_task(counts_to_five());
    co_await turns(2);
    task.cancel("between");
    co_await attempt("task", task);
}

Coro<std::string> survives_three() {
    for (int count = 0; count < 3; ++count) {
        try {
            co_await forever();
        } catch (const Cancelled& cancelled) {
            say("caught", cancelled.message(), current_task().cancelling());
        }
    }
    co_return "survived";
}
CASE(cancel_comes_again_and_again) {
    auto task = create_task(survives_three());
    for (int count = 0; count < 3; ++count) {
        co_await yield();
        task.cancel(std::to_string(count));
    }
    co_await attempt("task", task);
    say(task.cancelling());
}

CASE(cancel_while_it_awaits_a_future_that_is_shared) {
    Future<int> future;
    auto one = create_task(noted("one", future));
    auto two = create_task(noted("two", future));
    co_await yield();
    two.cancel("of two");
    say(state_of(future));
    co_await ends_of(one, two);
    say(state_of(one), state_of(two), one.cancelling(), two.cancelling());
    attempt_now("set", [&] { future.set_result(1); });
}

Coro<> fails_in_two_cleanups() {
    std::string first;
    try {
        try {
            co_await forever();
        } catch (...) {
            throw FirstError("first cleanup");
        }
    } catch (const FirstError&) {
        first = told();
    }
    say(first);
    co_await yield();
    throw SecondError("second cleanup");
}
CASE(cancel_with_an_error_while_cleaning_up_twice) {
    auto task = create_task(fails_in_two_cleanups());
    co_await yield();
    task.cancel();
    co_await attempt("task", task);
    say(state_of(task));
}

}  // namespace
}  // namespace coroscope::oracle
