// timeout(), wait_for() and shield().
#include "tests/conformance/oracle/support.hpp"

namespace coroscope::oracle {
namespace {

Coro<> says_when_cancelled(Timeout& limit) {
    try {
        co_await forever();
    } catch (const Cancelled&) {
        say("cancelled", limit.expired(), current_task().cancelling(), now_ms());
        throw;
    }
}
CASE(timeout_that_expires) {
    co_await attempt("limit", with_timeout(5ms, says_when_cancelled));
    say(current_task().cancelling());
}

Coro<> swallows_and_says() {
    bool expired = false;
    {
        Timeout limit = timeout(5ms);
        co_await swallow(1);
        say("goes on", limit.expired(), current_task().cancelling());
        co_await sleep(1ms);
        expired = limit.expired();
    }
    say("after", expired, current_task().cancelling(), now_ms());
}
CASE(timeout_that_is_swallowed) { co_await attempt("limit", swallows_and_says()); }

CASE(timeout_whose_cleanup_fails) {
    co_await attempt("limit", with_timeout(5ms, fail_in_cleanup("cleanup", 1)));
    say(current_task().cancelling());
    co_await yield();
    say("goes on");
}

Coro<> says_two_turns() {
    say("begins");
    co_await yield();
    say("after a turn");
    co_await yield();
    say("after two turns");
}
Coro<> says_no_await() {
    say("no await");
    co_await nothing();
}
CASE(timeout_of_zero) {
    co_await attempt("limit", with_timeout(0ms, says_two_turns()));
    co_await attempt("limit", with_timeout(0ms, says_no_await()));
    co_await yield();
    say("goes on");
}

CASE(timeout_below_zero) {
    co_await attempt("limit", with_timeout(-1s, forever()));
    say(now_ms());
}

CASE(timeout_at_the_time_of_the_end) {
    co_await attempt("same time", with_timeout(5ms, value_after(5ms, 1)));
    say(current_task().cancelling());
    co_await yield();
    say("goes on");
}

Coro<> awaits_and_says(Task<> sleeping) {
    co_await sleeping;
    say("slept");
}
Coro<> limits_an_older_timer() {
    auto sleeping = create_task(sleep(5ms));
    co_await yield();
    co_await with_timeout(5ms, awaits_and_says(sleeping));
}
CASE(timeout_after_the_timer_it_limits) {
    co_await attempt("limit", limits_an_older_timer());
    say(current_task().cancelling());
    co_await yield();
}

Coro<std::string> inner_expires() {
    co_await attempt("inner", with_timeout(5ms, forever()));
    say(now_ms(), current_task().cancelling());
    co_await sleep(1ms);
    co_return "done";
}
CASE(timeout_inner_expires) { co_await attempt("outer", with_timeout(9ms, inner_expires())); }

CASE(timeout_outer_expires) {
    co_await attempt("outer", with_timeout(5ms, noted("inner", with_timeout(9ms, noted("body", forever())))));
    say(now_ms(), current_task().cancelling());
}
DIFFERS(timeout_outer_expires, "timeout.hpp", "and the Cancelled that it throws says \"timed out\".",
        {"-body raised CancelledError", "-inner raised CancelledError", "+body raised CancelledError: timed out",
         "+inner raised CancelledError: timed out"});

Coro<> inner_of_the_same_time() { co_await with_timeout(5ms, noted("body", forever())); }
CASE(timeout_both_expire_at_once) {
    co_await attempt("outer", with_timeout(5ms, noted("inner", inner_of_the_same_time())));
    say(current_task().cancelling());
    co_await yield();
    say("goes on");
}
DIFFERS(timeout_both_expire_at_once, "timeout.hpp", "and the Cancelled that it throws says \"timed out\".",
        {"-body raised CancelledError", "-inner raised CancelledError", "+body raised CancelledError: timed out",
         "+inner raised CancelledError: timed out"});

Coro<> limited_forever() {
    co_await noted("limit", with_timeout(5ms, forever()));
    say("goes on");
}
CASE(timeout_and_a_request_from_outside) {
    auto task = create_task(limited_forever());
    EventLoop::running().call_later(3ms, [task] { task.cancel("outside"); });
    co_await attempt("task", task);
    say(now_ms(), task.cancelling());
}

CASE(timeout_and_a_request_of_the_same_time) {
    for (const auto delay : {5000us, 4999us, 5001us}) {
        auto task = create_task(limited_forever());
        EventLoop::running().call_later(delay, [task] { task.cancel("outside"); });
        co_await attempt("task", task);
        say(task.cancelling());
    }
}
DIFFERS(timeout_and_a_request_of_the_same_time, "timeout.hpp", "a limit comes before the callbacks of the same time",
        {"-limit raised CancelledError: outside", "-task raised CancelledError: outside",
         "+limit raised CancelledError: timed out", "+task raised CancelledError: timed out"});

Coro<> limited_cleanup() { co_await noted("limit", with_timeout(5ms, slow_cleanup("body", 6))); }
CASE(timeout_then_a_request_during_the_cleanup) {
    auto task = create_task(limited_cleanup());
    EventLoop::running().call_later(5ms, [] {});
    co_await sleep(5ms);
    co_await turns(2);
    const bool requested = task.cancel("outside");
    say(requested, task.cancelling());
    co_await attempt("task", task);
    say(task.cancelling());
}

Coro<> reschedules(Timeout& limit) {
    co_await sleep(3ms);
    limit.reschedule(5ms);
    co_await sleep(4ms);
    say("still here", now_ms());
    limit.reschedule(std::nullopt);
    say(limit.when());
    co_await sleep(9ms);
    limit.reschedule(0ms);
    co_await forever();
}
CASE(timeout_rescheduled) {
    co_await attempt("limit", with_timeout(5ms, reschedules));
    say(now_ms());
}

Coro<> reschedules_too_late(Timeout& limit) {
    co_await swallow(1);
    attempt_now("reschedule", [&] { limit.reschedule(std::nullopt); });
}
CASE(timeout_rescheduled_too_late) { co_await attempt("limit", with_timeout(1ms, reschedules_too_late)); }

CASE(timeout_of_none) { co_await attempt("limit", with_timeout(std::nullopt, value_after(3ms, 4))); }

CASE(timeout_body_raises) {
    co_await attempt("limit", with_timeout(5ms, fail_after(1ms, "body")));
    co_await sleep(9ms);
    say("goes on", current_task().cancelling());
}

CASE(wait_for_a_coroutine) {
    co_await attempt("in time", wait_for(value_after(1ms, 2), 5ms));
    co_await attempt("late", wait_for(noted("body", forever()), 5ms));
    say(now_ms(), current_task().cancelling());
    co_await attempt("zero", wait_for(noted("body", forever()), 0ms));
    co_await attempt("below", wait_for(noted("body", forever()), -1s));
    co_await attempt("none", wait_for(value_after(1ms, 3), std::nullopt));
    co_await attempt("error", wait_for(fail_after(1ms, "broken"), 5ms));
}
DIFFERS(wait_for_a_coroutine, "timeout.hpp", "and the Cancelled that it throws says \"timed out\".",
        {"-body raised CancelledError", "+body raised CancelledError: timed out"});

CASE(wait_for_a_task_that_cleans_up) {
    auto task = create_task(slow_cleanup("task", 2));
    co_await attempt("wait_for", wait_for(task, 5ms));
    say(state_of(task), task.cancelling());
}

CASE(wait_for_a_task_that_swallows) {
    auto task = create_task(swallow(8));
    co_await attempt("wait_for", wait_for(task, 5ms));
    say(state_of(task), task.cancelling());
}

CASE(wait_for_a_task_that_fails_in_cleanup) {
    auto task = create_task(fail_in_cleanup("cleanup"));
    co_await attempt("wait_for", wait_for(task, 5ms));
    say(state_of(task));
}

CASE(wait_for_a_task_with_zero) {
    auto done = create_task(value_now(3));
    co_await done;
    co_await attempt("done", wait_for(done, 0ms));
    auto pending = create_task(forever());
    co_await yield();
    co_await attempt("pending", wait_for(pending, 0ms));
    say(state_of(pending));
    auto stubborn = create_task(swallow(8));
    co_await yield();
    co_await attempt("stubborn", wait_for(stubborn, 0ms));
    say(state_of(stubborn));
}

CASE(wait_for_a_future) {
    Future<int> future;
    co_await attempt("late", wait_for(future, 5ms));
    say(state_of(future));
    Future<int> ready;
    ready.set_result(4);
    co_await attempt("ready", wait_for(ready, 0ms));
    Future<int> pending;
    co_await attempt("zero", wait_for(pending, 0ms));
    say(state_of(pending));
}

Coro<> waits_for(Task<> inner) { co_await wait_for(inner, 9ms); }
CASE(wait_for_cancelled_from_outside) {
    auto inner = create_task(noted("inner", forever()));
    auto task = create_task(waits_for(inner));
    co_await turns(2);
    task.cancel("outside");
    co_await attempt("task", task);
    say(state_of(inner), inner.cancelling(), task.cancelling(), now_ms());
}
DIFFERS(wait_for_cancelled_from_outside, "task.hpp",
        "Cancelled, with the message, is thrown at the task's await, or at its next one, and comes to whoever awaits "
        "the task.",
        {"-inner raised CancelledError", "+inner raised CancelledError: outside"});

Coro<> waits_for_a_future(Future<int> future) {
    co_await noted("wait_for", wait_for(future, 9ms));
    say("goes on");
    co_await yield();
}
CASE(wait_for_cancelled_on_the_turn_of_the_end) {
    Future<int> future;
    auto task = create_task(waits_for_a_future(future));
    co_await turns(2);
    future.set_result(1);
    say(task.cancel("outside"));
    co_await attempt("task", task);
    say(state_of(future), task.cancelling());
}
DIFFERS(
    wait_for_cancelled_on_the_turn_of_the_end, "timeout.hpp",
    "where the end comes together with a cancellation or with the limit, that is thrown. (3.11's wait_for() returns.)",
    {"-wait_for -> None", "-goes on", "-task -> None", "+wait_for raised CancelledError: outside",
     "+task raised CancelledError: outside"});

CASE(wait_for_ends_at_the_limit) {
    co_await attempt("same time", wait_for(value_after(5ms, 1), 5ms));
    auto task = create_task(value_after(5ms, 2));
    co_await yield();
    co_await attempt("task of the same time", wait_for(task, 5ms));
    say(state_of(task));
}
DIFFERS(
    wait_for_ends_at_the_limit, "timeout.hpp",
    "where the end comes together with a cancellation or with the limit, that is thrown. (3.11's wait_for() returns.)",
    {"-task of the same time -> 2", "-returned: 2", "+task of the same time raised TimeoutError", "+cancelled"});

CASE(wait_for_within_a_limit) {
    co_await attempt("limit", with_timeout(3ms, noted("wait_for", wait_for(forever(), 5ms))));
    say(now_ms(), current_task().cancelling());
}
DIFFERS(wait_for_within_a_limit, "timeout.hpp", "and the Cancelled that it throws says \"timed out\".",
        {"-wait_for raised CancelledError", "+wait_for raised CancelledError: timed out"});

template <class A>
auto shielded(A awaitable) -> Coro<typename A::value_type> {
    if constexpr (requires { std::move(awaitable).release(); }) {
        co_return co_await shield(std::move(awaitable));
    } else {
        co_return co_await shield(awaitable);
    }
}

Coro<> awaits_shielded(Task<int> inner) { co_await shield(inner); }
CASE(shield_keeps_its_task_running) {
    auto inner = create_task(value_after(5ms, 1));
    auto outer = create_task(awaits_shielded(inner));
    co_await turns(2);
    say(outer.cancel("outside"));
    co_await attempt("outer", outer);
    say(state_of(inner), inner.cancelling());
    const int value = co_await inner;
    say(value, now_ms());
}

CASE(shield_of_a_task_that_is_cancelled) {
    auto inner = create_task(forever());
    auto outer = create_task(noted("outer", shielded(inner)));
    co_await turns(2);
    inner.cancel("inner");
    co_await outer.wait();
    say(state_of(outer), outer.cancelling());
}
DIFFERS(shield_of_a_task_that_is_cancelled, "task.hpp",
        "Cancelled, with the message, is thrown at the task's await, or at its next one, and comes to whoever awaits "
        "the task.",
        {"-outer raised CancelledError", "+outer raised CancelledError: inner"});

CASE(shield_gives_results_and_errors) {
    co_await attempt("value", shielded(value_now(4)));
    co_await attempt("error", shielded(fail_after(1ms, "broken")));
    auto done = create_task(value_now(6));
    co_await done;
    co_await attempt("done", shielded(done));
}

CASE(shield_of_a_future) {
    Future<int> future;
    auto outer = create_task(noted("outer", shielded(future)));
    co_await turns(2);
    outer.cancel("outside");
    co_await outer.wait();
    say(state_of(future));
    future.set_result(2);
    co_await attempt("future", shielded(future));
}

CASE(shield_within_a_limit) {
    auto inner = create_task(value_after(9ms, 1));
    co_await attempt("wait_for", wait_for(shield(inner), 5ms));
    say(now_ms(), state_of(inner));
    const int value = co_await inner;
    say(value, now_ms());
}

CASE(shield_cancelled_on_the_turn_of_the_end) {
    auto inner = create_task(value_after(1ms, 1));
    auto outer = create_task(noted("outer", shielded(inner)));
    co_await yield();
    inner.add_done_callback([outer](const AnyTask&) { say("cancel:", outer.cancel("outside")); });
    co_await outer.wait();
    say(state_of(outer));
}
DIFFERS(shield_cancelled_on_the_turn_of_the_end, "timeout.hpp",
        "Goes on together with those who await the task itself; asyncio's a turn later.",
        {"-cancel: True", "-outer raised CancelledError: outside", "-cancelled", "+outer -> None", "+cancel: False",
         "+returned: None"});

Coro<> shields_three_times(Task<int> inner) {
    for (int count = 0; count < 2; ++count) co_await attempt("shield", shielded(inner));
    co_await attempt("at last", shielded(inner));
}
CASE(shield_cancelled_twice) {
    auto inner = create_task(value_after(5ms, 1));
    auto outer = create_task(shields_three_times(inner));
    for (int count = 0; count < 2; ++count) {
        co_await turns(2);
        outer.cancel(std::to_string(count));
    }
    co_await outer;
    say(outer.cancelling(), state_of(inner));
}

}  // namespace
}  // namespace coroscope::oracle
