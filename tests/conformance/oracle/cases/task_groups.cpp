// Task groups: who is cancelled when, in which order errors come, what is left of requests.
#include "tests/conformance/oracle/support.hpp"

namespace coroscope::oracle {
namespace {

Coro<> body_says(std::string_view line, TaskGroup& group) {
    group.create_task(turns(2));
    group.create_task(nothing());
    say(line);
    co_return;
}
CASE(group_join_takes_turns) {
    auto ticks = create_task(ticker(8));
    co_await yield();
    const auto body = [](TaskGroup& group) { return body_says("body ends", group); };
    co_await with_task_group(body);
    say("joined");
    co_await ticks;
}
DIFFERS(group_join_takes_turns, "task_group.hpp",
        "Goes on together with those who await the last task itself; asyncio's a turn later.", {"-turn 6", "+turn 6"});

Coro<> says_body(TaskGroup&) {
    say("body");
    co_return;
}
Coro<> awaits_its_task(TaskGroup& group) {
    auto done = group.create_task(nothing());
    co_await done;
}
CASE(group_without_tasks_takes_no_turn) {
    auto ticks = create_task(ticker(3));
    co_await yield();
    co_await with_task_group(says_body);
    say("joined");
    co_await with_task_group(awaits_its_task);
    say("joined with a task that is done");
    co_await ticks;
}

Coro<> one_of_four_fails(TaskGroup& group) {
    group.create_task(slow_cleanup("a", 2));
    group.create_task(slow_cleanup("b", 1));
    group.create_task(fail_after(1ms, "c"));
    group.create_task(slow_cleanup("d", 0));
    say("body ends");
    co_return;
}
CASE(group_failure_cancels_the_others) { co_await attempt("group", with_task_group(one_of_four_fails)); }

Coro<> all_fail(TaskGroup& group) {
    group.create_task(fail_in_cleanup("slow", 3));
    group.create_task(fail_in_cleanup("fast", 1));
    group.create_task(fail_after(1ms, "first"));
    group.create_task(fail_after(1ms, "same time"));
    co_await sleep(1ms);
    throw SecondError("body");
}
CASE(group_errors_in_order_of_completion) { co_await attempt("group", with_task_group(all_fail)); }

Coro<> body_and_child_fail(TaskGroup& group) {
    group.create_task(fail_in_cleanup("child"));
    co_await yield();
    throw FirstError("body");
}
CASE(group_body_error_comes_last) { co_await attempt("group", with_task_group(body_and_child_fail)); }

Coro<> body_fails_at_once(TaskGroup& group) {
    group.create_task(noted("child", nothing()));
    throw FirstError("body");
    co_return;
}
CASE(group_body_fails_before_a_task_begins) { co_await attempt("group", with_task_group(body_fails_at_once)); }

Coro<> body_is_interrupted(TaskGroup& group) {
    group.create_task(fail_after(1ms, "child"));
    try {
        co_await forever();
    } catch (const Cancelled&) {
        // Its message names the error.
        say("body", "CancelledError", current_task().cancelling());
        throw;
    }
}
CASE(group_interrupts_its_body) {
    co_await attempt("group", with_task_group(body_is_interrupted));
    say(current_task().cancelling());
    co_await yield();
    say("goes on");
}

Coro<> body_swallows(TaskGroup& group) {
    group.create_task(fail_after(1ms, "child"));
    co_await swallow(1);
    say("body goes on", current_task().cancelling());
    co_await yield();
    say("body ends");
}
CASE(group_body_swallows_the_interruption) {
    co_await attempt("group", with_task_group(body_swallows));
    say(current_task().cancelling());
}

Coro<> adds_late(TaskGroup& group) {
    try {
        co_await forever();
    } catch (...) {
        attempt_now("create", [&] { group.create_task(nothing()); });
        throw;
    }
}
Coro<> takes_no_more(TaskGroup& group) {
    group.create_task(adds_late(group));
    group.create_task(fail_after(1ms, "child"));
    co_return;
}
CASE(group_takes_no_tasks_while_it_ends) {
    co_await attempt("group", with_task_group(takes_no_more));
    TaskGroup joined;
    co_await joined.join();
    attempt_now("create", [&] { joined.create_task(nothing()); });
}

Coro<> grows(TaskGroup& group, int depth) {
    say("depth", depth);
    if (depth < 3) group.create_task(grows(group, depth + 1));
    co_await yield();
    say("end of depth", depth);
}
CASE(group_task_adds_tasks_during_the_join) {
    TaskGroup group;
    group.create_task(grows(group, 1));
    co_await group.join();
    say("joined");
}

CASE(group_task_that_is_cancelled_is_no_error) {
    TaskGroup group;
    auto one = group.create_task(forever());
    auto two = group.create_task(value_after(2ms, 2));
    co_await sleep(1ms);
    one.cancel("alone");
    co_await group.join();
    say(state_of(one), state_of(two), now_ms());
}

Coro<> two_clean_up(TaskGroup& group) {
    group.create_task(slow_cleanup("a", 1));
    group.create_task(slow_cleanup("b", 3));
    co_return;
}
Coro<> two_clean_up_while_the_body_waits(TaskGroup& group) {
    co_await two_clean_up(group);
    co_await noted("body", forever());
}
CASE(group_cancelled_from_outside) {
    auto task = create_task(with_task_group(two_clean_up_while_the_body_waits));
    co_await turns(2);
    task.cancel("outside");
    co_await attempt("task", task);
    say(state_of(task), task.cancelling());
}

CASE(group_cancelled_in_its_join) {
    auto task = create_task(with_task_group(two_clean_up));
    co_await turns(2);
    task.cancel("in the join");
    co_await turns(2);
    task.cancel("again");
    co_await attempt("task", task);
    say(state_of(task), task.cancelling());
}

Coro<> says_the_error_and_goes_on(Coro<> group) {
    try {
        co_await std::move(group);
    } catch (...) {
        say(told(), current_task().cancelling());
    }
    co_await yield();
    say("goes on");
}
Coro<> child_fails_in_cleanup(TaskGroup& group) {
    group.create_task(fail_in_cleanup("child"));
    co_return;
}
CASE(group_cancelled_and_a_child_fails) {
    auto task = create_task(says_the_error_and_goes_on(with_task_group(child_fails_in_cleanup)));
    co_await turns(2);
    task.cancel("outside");
    co_await attempt("task", task);
}
DIFFERS(group_cancelled_and_a_child_fails, "task_group.hpp",
        "with errors beside that, the ExceptionGroup comes first and Cancelled is thrown at the next await.",
        {"-goes on", "-task -> None", "+task raised CancelledError: outside"});

Coro<> fails_and_cleans_up(TaskGroup& group) {
    group.create_task(slow_cleanup("a", 4));
    group.create_task(fail_after(1ms, "child"));
    co_return;
}
CASE(group_cancelled_while_it_ends_with_an_error) {
    auto task = create_task(says_the_error_and_goes_on(with_task_group(fails_and_cleans_up)));
    co_await sleep(1ms);
    co_await turns(2);
    task.cancel("meanwhile");
    co_await attempt("task", task);
}
DIFFERS(group_cancelled_while_it_ends_with_an_error, "task_group.hpp",
        "with errors beside that, the ExceptionGroup comes first and Cancelled is thrown at the next await.",
        {"-ExceptionGroup: unhandled errors in a TaskGroup [FirstError: child] 2", "-goes on", "-task -> None",
         "+ExceptionGroup: unhandled errors in a TaskGroup [FirstError: child] 1",
         "+task raised CancelledError: meanwhile"});

Coro<> fail_when(Event& event) {
    co_await event.wait();
    throw FirstError("child");
}
Coro<> child_fails_when(TaskGroup& group, Event& event) {
    group.create_task(fail_when(event));
    co_await forever();
}
CASE(group_cancelled_on_the_turn_of_a_failure) {
    Event failed;
    const auto body = [&](TaskGroup& group) { return child_fails_when(group, failed); };
    auto task = create_task(says_the_error_and_goes_on(with_task_group(body)));
    co_await turns(2);
    failed.set();
    co_await yield();
    task.cancel("at once");
    co_await attempt("task", task);
}
DIFFERS(group_cancelled_on_the_turn_of_a_failure, "task_group.hpp",
        "with errors beside that, the ExceptionGroup comes first and Cancelled is thrown at the next await.",
        {"-goes on", "-task -> None", "+task raised CancelledError"});

Coro<> inner_fails(TaskGroup& group) {
    group.create_task(fail_after(1ms, "inner"));
    group.create_task(slow_cleanup("inner sibling", 1));
    co_return;
}
Coro<> outer_of_one_that_fails(TaskGroup& group) {
    group.create_task(slow_cleanup("outer sibling", 1));
    co_await with_task_group(inner_fails);
}
CASE(group_within_a_group) {
    co_await attempt("outer", with_task_group(outer_of_one_that_fails));
    say(current_task().cancelling());
}
DIFFERS(group_within_a_group, "task_group.hpp", "The semantics are Python 3.13's.", {"-1", "+0"});

Coro<> inner_waits(TaskGroup& group) {
    group.create_task(slow_cleanup("inner child", 2));
    co_await noted("inner body", forever());
}
Coro<> outer_fails(TaskGroup& group) {
    group.create_task(fail_after(1ms, "outer child"));
    co_await noted("inner", with_task_group(inner_waits));
}
CASE(group_around_a_group_fails) {
    co_await attempt("outer", with_task_group(outer_fails));
    say(current_task().cancelling());
}
DIFFERS(
    group_around_a_group_fails, "task_group.hpp", "still sees Cancelled, whose message names the error",
    {"-inner body raised CancelledError",
     "+inner body raised CancelledError: a task of its TaskGroup failed: coroscope::oracle::FirstError: outer child",
     "-inner raised CancelledError",
     "+inner raised CancelledError: a task of its TaskGroup failed: coroscope::oracle::FirstError: outer child"});

Coro<> cancels(AnyTask task) {
    co_await yield();
    task.cancel("by a child");
}
Coro<> child_cancels_its_parent(TaskGroup& group) {
    group.create_task(cancels(current_task()));
    group.create_task(slow_cleanup("sibling", 1));
    co_await noted("body", forever());
}
CASE(group_child_that_cancels_its_parent) {
    auto task = create_task(with_task_group(child_cancels_its_parent));
    co_await attempt("task", task);
    say(task.cancelling());
}

Coro<> body_with_a_limit(TaskGroup& group) {
    group.create_task(slow_cleanup("child", 1));
    co_await with_timeout(5ms, noted("body", forever()));
}
CASE(group_with_a_limit_inside) {
    co_await attempt("group", with_task_group(body_with_a_limit));
    say(now_ms(), current_task().cancelling());
}
DIFFERS(group_with_a_limit_inside, "timeout.hpp", "and the Cancelled that it throws says \"timed out\".",
        {"-body raised CancelledError", "+body raised CancelledError: timed out"});

Coro<> body_and_child_wait(TaskGroup& group) {
    group.create_task(slow_cleanup("child", 1));
    co_await noted("body", forever());
}
CASE(group_within_a_limit) {
    co_await attempt("limit", with_timeout(5ms, with_task_group(body_and_child_wait)));
    say(now_ms(), current_task().cancelling());
}
DIFFERS(group_within_a_limit, "timeout.hpp", "and the Cancelled that it throws says \"timed out\".",
        {"-body raised CancelledError", "+body raised CancelledError: timed out"});

CASE(group_within_a_limit_whose_child_fails_then) {
    co_await attempt("limit", with_timeout(5ms, with_task_group(child_fails_in_cleanup)));
    say(now_ms(), current_task().cancelling());
    co_await yield();
    say("goes on");
}

Coro<> child_fails_at_5(TaskGroup& group) {
    group.create_task(fail_after(5ms, "child"));
    co_await forever();
}
CASE(group_fails_at_the_time_of_a_limit) {
    co_await attempt("limit", with_timeout(5ms, with_task_group(child_fails_at_5)));
    say(current_task().cancelling());
    co_await yield();
    say("goes on");
}

Coro<> stubborn() {
    co_await swallow(1);
    say("swallowed");
    co_await sleep(5ms);
    say("ends", now_ms());
}
Coro<> child_swallows(TaskGroup& group) {
    group.create_task(stubborn());
    group.create_task(fail_after(1ms, "child"));
    co_return;
}
CASE(group_child_swallows_and_goes_on) { co_await attempt("group", with_task_group(child_swallows)); }

Coro<> body_raises_cancelled(TaskGroup& group) {
    group.create_task(slow_cleanup("child", 1));
    co_await yield();
    throw Cancelled("by itself");
}
CASE(group_body_raises_cancelled_itself) {
    auto task = create_task(with_task_group(body_raises_cancelled));
    co_await attempt("task", task);
    say(state_of(task), task.cancelling());
}

}  // namespace
}  // namespace coroscope::oracle
