// run(), Runner and the loop: how programs begin and end.
#include "tests/conformance/oracle/support.hpp"

namespace coroscope::oracle {
namespace {

Coro<int> leaves_a_task() {
    create_task(noted("left", slow_cleanup("left", 2)));
    co_await turns(1);
    say("main ends");
    co_return 5;
}
PLAIN_CASE(run_cancels_what_is_left) { say(run<VirtualTimeLoop>(leaves_a_task())); }

Coro<> starts_another() {
    std::exception_ptr error;
    try {
        co_await forever();
    } catch (...) {
        error = std::current_exception();
    }
    say("first cleanup");
    auto another = create_task(turns(2));
    co_await another;
    say("awaited another");
    std::rethrow_exception(error);
}
Coro<> leaves_one_that_starts_another() {
    create_task(starts_another());
    co_await turns(1);
}
PLAIN_CASE(run_waits_for_what_cleanup_starts) {
    run<VirtualTimeLoop>(leaves_one_that_starts_another());
    say("end");
}

Coro<> leaves_one_that_fails() {
    EventLoop::running().set_exception_handler(
        [](EventLoop&, const std::exception_ptr& error) { say("handler:", told(error)); });
    create_task(fail_in_cleanup("left"));
    co_await turns(1);
}
PLAIN_CASE(run_with_what_is_left_failing) {
    run<VirtualTimeLoop>(leaves_one_that_fails());
    say("end");
}

Coro<> leaves_one_and_fails() {
    create_task(noted("left", forever()));
    co_await turns(1);
    throw FirstError("main");
}
PLAIN_CASE(run_gives_the_error) {
    attempt_now("run", [] { run<VirtualTimeLoop>(leaves_one_and_fails()); });
}

Coro<> cancels_itself() {
    current_task().cancel("self");
    co_await yield();
}
PLAIN_CASE(run_of_a_main_that_is_cancelled) {
    attempt_now("run", [] { run<VirtualTimeLoop>(cancels_itself()); });
}

Coro<> runs_within() {
    auto inner = nothing();
    attempt_now("inner run", [&] { run<VirtualTimeLoop>(std::move(inner)); });
    inner.close();
    co_return;
}
PLAIN_CASE(run_within_a_run) { run<VirtualTimeLoop>(runs_within()); }

Coro<Task<int>> first_run() {
    auto task = create_task(value_after(2ms, 7));
    co_await turns(1);
    co_return task;
}
Coro<int> second_run(Task<int> task) {
    say(state_of(task));
    co_return co_await task;
}
PLAIN_CASE(run_twice_with_one_runner) {
    Runner<VirtualTimeLoop> runner;
    const auto task = runner.run(first_run());
    say(state_of(task));
    say(runner.run(second_run(task)));
    say(state_of(task));
}

PLAIN_CASE(run_with_a_runner_after_an_error) {
    Runner<VirtualTimeLoop> runner;
    attempt_now("first", [&] { runner.run(fail_now("first")); });
    attempt_now("second", [&] { return runner.run(value_now(2)); });
    runner.close();
    auto coro = value_now(3);
    attempt_now("closed", [&] { return runner.run(std::move(coro)); });
    coro.close();
}

Coro<> stops_and_waits() {
    EventLoop::running().stop();
    co_await forever();
}
PLAIN_CASE(run_until_complete_stopped_early) {
    VirtualTimeLoop loop;
    auto task = loop.create_task(stops_and_waits());
    attempt_now("run", [&] { loop.run_until_complete(task); });
    say(state_of(task));
    task.cancel();
    attempt_now("run", [&] { loop.run_until_complete(task); });
}

PLAIN_CASE(run_forever_until_stopped) {
    VirtualTimeLoop loop;
    loop.call_soon([] { say("one"); });
    loop.call_soon([&loop] {
        loop.stop();
        loop.call_soon([] { say("after the stop"); });
    });
    loop.call_soon([] { say("two"); });
    loop.run_forever();
    say("stopped", loop.is_running());
    loop.call_soon([&loop] { loop.stop(); });
    loop.run_forever();
    say("stopped again");
    loop.stop();
    loop.call_soon([] { say("once"); });
    loop.run_forever();
}

Coro<> leaves_one_that_swallows() {
    create_task(noted("left", swallow(1)));
    co_await turns(1);
}
PLAIN_CASE(run_ends_while_a_task_swallows) {
    run<VirtualTimeLoop>(leaves_one_that_swallows());
    say("end");
}

Coro<> leaves_one_that_has_not_begun() {
    create_task(noted("left", forever()));
    co_return;
}
PLAIN_CASE(run_with_a_task_that_never_began) {
    run<VirtualTimeLoop>(leaves_one_that_has_not_begun());
    say("end");
}

}  // namespace
}  // namespace coroscope::oracle
