// Futures: their states, who is woken, what a cancellation does.
#include "tests/conformance/oracle/support.hpp"

namespace coroscope::oracle {
namespace {

CASE(future_states) {
    Future<int> future;
    say(state_of(future), future.done(), future.cancelled());
    attempt_now("result", [&] { return future.result(); });
    attempt_now("exception", [&] { future.exception(); });
    future.set_result(1);
    say(state_of(future), future.done());
    attempt_now("set again", [&] { future.set_result(2); });
    attempt_now("fail", [&] { future.set_exception(FirstError("late")); });
    say(future.cancel());
    Future<int> failed;
    failed.set_exception(FirstError("broken"));
    say(state_of(failed));
    attempt_now("result", [&] { return failed.result(); });
    Future<int> cancelled;
    const bool one = cancelled.cancel("enough"), two = cancelled.cancel("again");
    say(one, two);
    attempt_now("result", [&] { return cancelled.result(); });
    attempt_now("set", [&] { cancelled.set_result(1); });
    co_return;
}

CASE(future_wakes_in_order) {
    Future<int> future;
    auto one = create_task(attempt("one", future));
    auto two = create_task(attempt("two", future));
    co_await turns(1);
    future.add_done_callback([](const Future<int>&) { say("callback"); });
    auto three = create_task(attempt("three", future));
    co_await turns(1);
    future.set_result(7);
    say("set");
    co_await ends_of(one, two, three);
}

CASE(future_callback_after_it_is_done) {
    Future<int> future;
    future.set_result(3);
    future.add_done_callback([](const Future<int>& done) { say("callback", done.result()); });
    say("added");
    co_await turns(1);
    say("a turn later");
}

CASE(future_awaited_twice_by_one) {
    Future<int> future;
    future.set_exception(FirstError("broken"));
    co_await attempt("first", future);
    co_await attempt("second", future);
}

CASE(future_set_then_its_waiter_is_cancelled) {
    Future<int> future;
    auto task = create_task(noted("task", future));
    co_await turns(1);
    future.set_exception(FirstError("broken"));
    task.cancel("late");
    co_await attempt("awaited", task);
    say(state_of(future));
}

CASE(future_cancelled_with_a_message) {
    Future<int> future;
    auto one = create_task(noted("one", future));
    auto two = create_task(noted("two", future));
    co_await turns(1);
    future.cancel("the future");
    co_await ends_of(one, two);
    say(state_of(one), one.cancelling());
}

CASE(future_callback_sets_another) {
    Future<int> first, second;
    first.add_done_callback([second](const Future<int>& done) { second.set_result(done.result() + 1); });
    auto task = create_task(attempt("second", second));
    co_await turns(1);
    first.set_result(1);
    say(state_of(second));
    co_await task;
}

CASE(future_callback_that_raises) {
    EventLoop::running().set_exception_handler(
        [](EventLoop&, const std::exception_ptr& error) { say("handler:", told(error)); });
    Future<int> future;
    future.add_done_callback([](const Future<int>&) { throw FirstError("callback"); });
    future.add_done_callback([](const Future<int>&) { say("the next one"); });
    future.set_result(1);
    co_await turns(1);
    say(state_of(future));
}

CASE(future_that_nobody_looked_at) {
    EventLoop::running().set_exception_handler(
        [](EventLoop&, const std::exception_ptr& error) { say("handler:", told(error)); });
    {
        Future<int> future;
        future.set_exception(FirstError("lost"));
    }
    co_await turns(1);
    {
        Future<int> future;
        future.set_exception(FirstError("seen"));
        say(told(future.exception()));
    }
    co_await turns(1);
    {
        Future<int> future;
        future.cancel();
    }
    co_await turns(1);
    {
        auto task = create_task(fail_now("task"));
        co_await turns(2);
    }
    co_await turns(1);
    say("end");
}

}  // namespace
}  // namespace coroscope::oracle
