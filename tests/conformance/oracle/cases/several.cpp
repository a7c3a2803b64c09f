// gather(), wait() and as_completed().
#include "tests/conformance/oracle/support.hpp"

namespace coroscope::oracle {
namespace {

Coro<> gathers_values() {
    const auto [one, two, three] = co_await gather(value_after(3ms, 1), value_after(1ms, 2), value_now(3));
    say(std::vector<int>({one, two, three}));
}
CASE(gather_values_in_order) { co_await gathers_values(); }

CASE(gather_takes_turns) {
    auto ticks = create_task(ticker(8));
    co_await yield();
    co_await gather(nothing(), turns(1));
    say("gathered");
    auto done = create_task(nothing());
    co_await done;
    co_await gather(done);
    say("gathered what was done");
    co_await gather();
    say("gathered nothing");
    co_await ticks;
}
DIFFERS(gather_takes_turns, "gather.hpp",
        "They go on together with those who await the last task itself, and at once where nothing is left to wait for; "
        "asyncio's take a turn or two more.",
        {"-turn 5", "+turn 5", "-turn 7", "-turn 8", "+turn 7", "+turn 8"});

template <class... A>
Coro<> gathers(A... awaitables) {
    co_await gather(std::move(awaitables)...);
}

CASE(gather_first_error_and_the_others_run_on) {
    auto slow = create_task(value_after(3ms, 7));
    auto later = create_task(fail_after(2ms, "later"));
    co_await attempt("gather", gathers(slow, fail_after(1ms, "first"), later));
    say(now_ms(), state_of(slow), state_of(later));
    co_await ends_of(slow, later);
    say(now_ms(), state_of(slow), state_of(later));
}

CASE(gather_errors_of_the_same_time) {
    auto one = create_task(fail_after(1ms, "one"));
    auto two = create_task(fail_after<SecondError>(1ms, "two"));
    co_await attempt("gather", gathers(two, one));
    co_await turns(1);
    say(state_of(one), state_of(two));
}

template <class T>
std::string outcome_text(const std::variant<T, std::exception_ptr>& outcome) {
    if (const auto* error = std::get_if<1>(&outcome)) return told(*error);
    return text_of(std::get<0>(outcome));
}
CASE(gather_with_errors_as_values) {
    auto cancelled = create_task(forever());
    EventLoop::running().call_later(2ms, [&] { cancelled.cancel("alone"); });
    const auto [one, two, three] =
        co_await gather(return_exceptions, fail_after(1ms, "one"), value_after(3ms, 2), cancelled);
    say(outcome_text(one));
    say(outcome_text(two));
    say(outcome_text(three));
    say(now_ms());
}
DIFFERS(gather_with_errors_as_values, "task.hpp",
        "Cancelled, with the message, is thrown at the task's await, or at its next one, and comes to whoever awaits "
        "the task.",
        {"-CancelledError", "+CancelledError: alone"});

CASE(gather_with_a_child_that_is_cancelled) {
    auto one = create_task(forever());
    auto two = create_task(value_after(5ms, 2));
    EventLoop::running().call_later(2ms, [&] { one.cancel("alone"); });
    co_await attempt("gather", gathers(one, two));
    say(now_ms(), state_of(two), current_task().cancelling());
    co_await two;
}

CASE(gather_cancelled_from_outside) {
    auto one = create_task(noted("one", forever()));
    auto two = create_task(noted("two", forever()));
    auto task = create_task(gathers(one, two));
    co_await turns(2);
    say(task.cancel("outside"));
    co_await attempt("task", task);
    say(state_of(one), state_of(two), one.cancelling(), two.cancelling(), task.cancelling());
}

CASE(gather_cancelled_with_slow_cleanup) {
    auto task = create_task(noted("gather", gathers(slow_cleanup("one", 1), slow_cleanup("two", 4))));
    co_await turns(2);
    task.cancel("outside");
    co_await task.wait();
    say(state_of(task));
    co_await turns(6);
}
DIFFERS(gather_cancelled_with_slow_cleanup, "gather.hpp",
        "it ends when all have ended: asyncio's ends with the first, and leaves the others unobserved.",
        {"-gather raised CancelledError: outside", "+gather raised CancelledError: outside"});

CASE(gather_cancelled_and_a_cleanup_fails) {
    auto task = create_task(noted("gather", gathers(fail_in_cleanup("one"), forever())));
    co_await turns(2);
    task.cancel("outside");
    co_await task.wait();
    say(state_of(task), task.cancelling());
}

Coro<> attempts_and_goes_on(Coro<> gathering) {
    co_await attempt("gather", std::move(gathering));
    say("goes on", current_task().cancelling());
}
CASE(gather_cancelled_and_all_swallow) {
    auto task = create_task(attempts_and_goes_on(gathers(swallow(1), swallow(2))));
    co_await turns(2);
    task.cancel("outside");
    co_await task.wait();
    say(state_of(task));
}
DIFFERS(gather_cancelled_and_all_swallow, "task.hpp",
        "Cancelled, with the message, is thrown at the task's await, or at its next one, and comes to whoever awaits "
        "the task.",
        {"-gather raised CancelledError", "+gather raised CancelledError: outside"});

CASE(gather_with_errors_as_values_cancelled_from_outside) {
    auto task = create_task(attempts_and_goes_on(gathers(return_exceptions, swallow(1), fail_in_cleanup("two"))));
    co_await turns(2);
    task.cancel("outside");
    co_await task.wait();
    say(state_of(task));
}
DIFFERS(gather_with_errors_as_values_cancelled_from_outside, "task.hpp",
        "Cancelled, with the message, is thrown at the task's await, or at its next one, and comes to whoever awaits "
        "the task.",
        {"-gather raised CancelledError", "+gather raised CancelledError: outside"});

CASE(gather_of_one_task_twice) {
    auto task = create_task(value_after(1ms, 4));
    const auto [one, two, three] = co_await gather(task, task, value_now(5));
    say(std::vector<int>({one, two, three}));
}

Coro<> gathers_two_waits(Event& event) {
    co_await gather(event.wait(), event.wait());
    say("gathered");
    co_await yield();
}
CASE(gather_after_all_have_ended_cancelled_on_the_same_turn) {
    Event event;
    auto task = create_task(gathers_two_waits(event));
    co_await turns(3);
    event.set();
    co_await yield();
    say(task.cancel("just now"));
    co_await attempt("task", task);
}

CASE(wait_first_completed_of_the_same_time) {
    std::vector<Task<int>> tasks;
    for (const int delay : {1, 2, 1})
        tasks.push_back(create_task(value_after(std::chrono::milliseconds(delay), delay)));
    const auto first = co_await wait(tasks, FIRST_COMPLETED);
    say(first.done.size(), first.pending.size(), now_ms(), state_of(tasks[0]), state_of(tasks[1]), state_of(tasks[2]));
    const auto all = co_await wait(tasks);
    say(all.done.size(), all.pending.size(), now_ms());
}

CASE(wait_first_exception) {
    auto cancelled = create_task(forever());
    auto failing = create_task(fail_after(3ms, "broken"));
    auto waiting = create_task(value_after(9ms, 1));
    EventLoop::running().call_later(1ms, [&] { cancelled.cancel(); });
    std::vector<AnyTask> tasks({cancelled, failing, waiting});
    const auto first = co_await wait(tasks, FIRST_EXCEPTION);
    say(first.done.size(), first.pending.size(), now_ms(), state_of(cancelled), state_of(failing), state_of(waiting));
    const auto second = co_await wait(tasks, FIRST_EXCEPTION);
    say(second.done.size(), second.pending.size(), now_ms());
    co_await waiting;
}

CASE(wait_with_a_timeout) {
    std::vector<Task<int>> tasks;
    tasks.push_back(create_task(value_after(2ms, 1)));
    tasks.push_back(create_task(value_after(9ms, 2)));
    const auto first = co_await wait(tasks, ALL_COMPLETED, 5ms);
    say(first.done.size(), first.pending.size(), now_ms());
    const auto second = co_await wait(tasks, ALL_COMPLETED, 0ms);
    say(second.done.size(), second.pending.size(), now_ms());
    const auto third = co_await wait(tasks, ALL_COMPLETED, 4ms);
    say(third.done.size(), third.pending.size(), now_ms());
}

CASE(wait_of_what_is_done_takes_no_turn) {
    auto ticks = create_task(ticker(5));
    auto done = create_task(nothing());
    co_await done;
    std::vector<Task<>> tasks({done});
    co_await wait(tasks);
    say("waited");
    tasks.push_back(ticks);
    co_await wait(tasks, FIRST_COMPLETED);
    say("waited for the first");
    co_await ticks;
}
DIFFERS(wait_of_what_is_done_takes_no_turn, "gather.hpp",
        "They go on together with those who await the last task itself, and at once where nothing is left to wait for; "
        "asyncio's take a turn or two more.",
        {"+waited", "+waited for the first", "-waited", "-waited for the first"});

Coro<> waits(Task<int> task) {
    std::vector<Task<int>> tasks({task});
    co_await wait(std::move(tasks));
}
CASE(wait_cancelled_leaves_the_tasks) {
    auto task = create_task(value_after(5ms, 3));
    auto waiting = create_task(waits(task));
    co_await turns(2);
    waiting.cancel("outside");
    co_await attempt("waiting", waiting);
    say(state_of(task), task.cancelling());
    say(co_await task);
}

Coro<> waits_for_nothing() {
    std::vector<AnyTask> none;
    co_await wait(std::move(none));
}
CASE(wait_for_nothing_is_misuse) { co_await attempt("wait", waits_for_nothing()); }

CASE(as_completed_in_order_of_the_ends) {
    std::vector<Task<int>> tasks;
    for (const int delay : {4, 2, 6, 2, 0})
        tasks.push_back(create_task(value_after(std::chrono::milliseconds(delay), delay)));
    auto completed = as_completed(tasks);
    while (const Task<int> task = co_await completed.next()) say(task.result(), now_ms());
}

CASE(as_completed_with_errors) {
    auto value = create_task(value_after(3ms, 3));
    auto failing = create_task(fail_after(1ms, "one"));
    auto cancelled = create_task(forever());
    EventLoop::running().call_later(2ms, [&] { cancelled.cancel("alone"); });
    auto completed = as_completed(std::vector<AnyTask>({value, failing, cancelled}));
    while (const AnyTask task = co_await completed.next()) {
        if (task == value) attempt_now("next", [&] { return value.result(); });
        if (task == failing) attempt_now("next", [&] { failing.result(); });
        if (task == cancelled) attempt_now("next", [&] { cancelled.result(); });
    }
}

Coro<int> next_result(AsCompleted<Task<int>>& completed) {
    const Task<int> task = co_await completed.next();
    co_return task.result();
}
CASE(as_completed_with_a_timeout) {
    std::vector<Task<int>> tasks;
    for (const int delay : {1, 9}) tasks.push_back(create_task(value_after(std::chrono::milliseconds(delay), delay)));
    auto completed = as_completed(tasks, 5ms);
    co_await attempt("next", next_result(completed));
    co_await attempt("next", next_result(completed));
    say(now_ms(), state_of(tasks[1]));
    say(co_await tasks[1]);
}

}  // namespace
}  // namespace coroscope::oracle
