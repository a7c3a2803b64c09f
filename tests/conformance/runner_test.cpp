// run() and Runner: what CPython's test_runners.py pins down, with SIGINT; and the loop's callbacks.
#include <csignal>

#include "task_support.hpp"

namespace coroscope::test {
namespace {

using VirtualRunner = Runner<VirtualTimeLoop>;

TEST(Runner, RunsSeveralCoroutinesOnOneLoop) {
    VirtualRunner runner;
    EventLoop* first = nullptr;
    const auto which = [](EventLoop*& loop) -> Coro<> {
        loop = &EventLoop::running();
        co_return;
    };
    runner.run(which, std::ref(first));
    EventLoop* second = nullptr;
    runner.run(which, std::ref(second));
    EXPECT_EQ(first, second);
    EXPECT_EQ(first, &runner.loop());
    EXPECT_EQ(runner.run(value_after(1ms, 3)), 3);
}

TEST(Runner, ThrowsWhatTheCoroutineThrewAndCanRunAgain) {
    VirtualRunner runner;
    EXPECT_EQ(thrown_in([&] { runner.run(fail_after(1ms, "x")); }), "FirstError: x");
    EXPECT_EQ(runner.run(value_now(2)), 2);
}

Coro<> leave_a_task(Task<int>& left) {
    left = create_task(value_after(10ms, 6));
    co_await yield();
}
Coro<int> await_left(Task<int> left) { co_return co_await left; }
TEST(Runner, TasksThatARunLeavesGoOnInTheNext) {
    VirtualRunner runner;
    Task<int> left;
    runner.run(leave_a_task(left));
    EXPECT_FALSE(left.done());
    EXPECT_EQ(runner.run(await_left(left)), 6);
}

Coro<> leave_cleaning_up(bool& cleaned) {
    create_task(clean_up_for(10ms, cleaned));
    co_await yield();
}
ContextVar<int> shown("shown", 0);
Coro<> set_shown(int value) {
    shown.set(value);
    co_return;
}
Coro<> set_shown_and_fail(int value) {
    shown.set(value);
    throw FirstError("after that");
    co_return;
}
Coro<int> what_is_shown() { co_return shown.get(); }
TEST(Runner, ItsRunsShareAContext) {
    shown.set(1);
    Runner<VirtualTimeLoop> runner;
    EXPECT_EQ(runner.run(what_is_shown()), 1) << "the context of its first run is a copy of the caller's";
    runner.run(set_shown(2));
    EXPECT_EQ(runner.run(what_is_shown()), 2);
    EXPECT_EQ(shown.get(), 1) << "the caller's is its own";
    shown.set(3);
    EXPECT_EQ(runner.run(what_is_shown()), 2);
    EXPECT_THROW(runner.run(set_shown_and_fail(4)), FirstError);
    EXPECT_EQ(runner.run(what_is_shown()), 4);
    shown.set(0);
}

TEST(Runner, CloseCancelsWhatIsLeftAndWaitsForIt) {
    bool cleaned = false;
    VirtualRunner runner;
    runner.run(leave_cleaning_up(cleaned));
    EXPECT_FALSE(cleaned);
    runner.close();
    EXPECT_TRUE(cleaned);
}

TEST(Runner, IsClosedByItsDestructorAndOnce) {
    bool cleaned = false;
    {
        VirtualRunner runner;
        runner.run(leave_cleaning_up(cleaned));
    }
    EXPECT_TRUE(cleaned);
    VirtualRunner runner;
    runner.close();
    runner.close();
    EXPECT_THROW(runner.loop(), std::logic_error);
    EXPECT_THROW(runner.run(value_now, 1), std::logic_error);
}

Coro<> leave_failing() {
    create_task(fail_in_cleanup("at the end"), "leftover");
    co_await yield();
}
TEST(Runner, ErrorsOfWhatWasLeftAreReported) {
    testing::internal::CaptureStderr();
    run<VirtualTimeLoop>(leave_failing());
    const std::string told = testing::internal::GetCapturedStderr();
    EXPECT_NE(told.find("at the end"), std::string::npos) << told;
    EXPECT_NE(told.find("leftover"), std::string::npos) << told;
}

Coro<> run_inside(std::string& thrown) {
    VirtualRunner runner;
    thrown = thrown_in([&] { runner.run(value_now, 1); });
    co_return;
}
TEST(Runner, DoesNotRunInsideALoop) {
    std::string thrown;
    run<VirtualTimeLoop>(run_inside(thrown));
    EXPECT_NE(thrown.find("running already"), std::string::npos) << thrown;
}

TEST(Runner, TakesFunctionsWithArgumentsAndLambdasWithCaptures) {
    VirtualRunner runner;
    EXPECT_EQ(runner.run(value_after, 1ms, 4), 4);
    const std::string text = "captured";
    const auto size = [text]() -> Coro<std::size_t> {
        co_await yield();
        co_return text.size();
    };
    EXPECT_EQ(runner.run(size), 8u);
    EXPECT_EQ(run<VirtualTimeLoop>(size), 8u);
}

Coro<> cancel_main() {
    current_task().cancel("by itself");
    co_await yield();
}
TEST(Runner, ACancelledMainTaskThrowsCancelled) {
    EXPECT_EQ(thrown_in([] { run<VirtualTimeLoop>(cancel_main()); }), "Cancelled: by itself");
}

Coro<> stop_the_loop() {
    EventLoop::running().stop();
    co_await forever();
}
TEST(Runner, ALoopThatIsStoppedUnderItsMainTaskIsAnError) {
    EXPECT_NE(thrown_in([] { run<VirtualTimeLoop>(stop_the_loop()); }).find("stopped before"), std::string::npos);
}

TEST(Runner, ALoopThatWasStoppedBeforehandRunsOneIteration) {
    VirtualTimeLoop loop;
    int calls = 0;
    loop.call_soon([&calls] { ++calls; });
    loop.call_later(1h, [&calls] { ++calls; });
    loop.stop();
    loop.run_forever();
    EXPECT_EQ(calls, 1);
    loop.call_later(2h, [&loop] { loop.stop(); });
    loop.run_forever();  // the stop of before is used up
    EXPECT_EQ(calls, 2);
}

// --- SIGINT

bool sigint_is_default() {
    struct sigaction now{};
    ::sigaction(SIGINT, nullptr, &now);
    return now.sa_handler == SIG_DFL;
}
Coro<> interrupted_main(std::string& log) {
    ::raise(SIGINT);
    try {
        co_await forever();
    } catch (const Cancelled& cancelled) {
        log += cancelled.message();
        throw;
    }
}

TEST(Sigint, CancelsTheMainTaskAndIsThrownAsInterruptedOnRequest) {
    std::string log;
    Runner<> runner({.sigint = OnSigint::throw_interrupted});
    EXPECT_THROW(runner.run(interrupted_main(log)), Interrupted);
    EXPECT_EQ(log, "interrupted (SIGINT)");
    EXPECT_TRUE(sigint_is_default());
    EXPECT_EQ(runner.run(value_now(3)), 3);  // the runner goes on
}

Coro<int> interrupted_but_goes_on() {
    ::raise(SIGINT);
    co_return co_await swallow_cancellation(9);
}
TEST(Sigint, AMainTaskThatSwallowsItReturns) {
    EXPECT_EQ(run(interrupted_but_goes_on(), {.sigint = OnSigint::throw_interrupted}), 9);
    EXPECT_TRUE(sigint_is_default());
}

Coro<> interrupted_and_cancelled() {
    ::raise(SIGINT);
    const AnyTask self = current_task();
    EventLoop::running().call_soon([self] { self.cancel("another"); });
    co_await forever();
}
TEST(Sigint, WithACancellationBesideItIsACancellation) {
    EXPECT_NE(
        thrown_in([] { run(interrupted_and_cancelled(), {.sigint = OnSigint::throw_interrupted}); }).find("Cancel"),
        std::string::npos);
}

TEST(SigintDeathTest, EndsTheProgramByTheSignalOnceAllHasEnded) {
    testing::FLAGS_gtest_death_test_style = "threadsafe";
    const auto program = [] {
        const auto main = []() -> Coro<> {
            static bool cleaned = false;  // it outlives the main task
            create_task(clean_up_for(1ms, cleaned));
            ::raise(SIGINT);
            try {
                co_await forever();
            } catch (const Cancelled&) {
                std::fputs("main cleaned up;", stderr);
                throw;
            }
        };
        run(main);
        std::fputs("not reached", stderr);
    };
    EXPECT_EXIT(program(), testing::KilledBySignal(SIGINT), "^main cleaned up;$");
}

TEST(SigintDeathTest, TheSecondEndsTheProgramAtOnce) {
    testing::FLAGS_gtest_death_test_style = "threadsafe";
    const auto program = [] {
        const auto main = []() -> Coro<> {
            ::raise(SIGINT);
            ::raise(SIGINT);
            co_return;
        };
        run(main);
        std::exit(0);
    };
    EXPECT_EXIT(program(), testing::KilledBySignal(SIGINT), "");
}

volatile std::sig_atomic_t own_handler_calls = 0;
Coro<> raise_once() {
    ::raise(SIGINT);
    co_return;
}
TEST(Sigint, IsLeftToWhoHasSetIt) {
    own_handler_calls = 0;
    const auto before = std::signal(SIGINT, [](int) { own_handler_calls = own_handler_calls + 1; });
    run(raise_once());
    EXPECT_EQ(own_handler_calls, 1);
    std::signal(SIGINT, before);
}

Coro<bool> sees_default() { co_return sigint_is_default(); }
TEST(Sigint, IsLeftAloneOnRequest) {
    EXPECT_TRUE(run(sees_default(), {.sigint = OnSigint::leave}));
    EXPECT_FALSE(run(sees_default()));
    EXPECT_TRUE(sigint_is_default());
}

// --- callbacks of the loop

CORO_TEST(Handle, ACancelledCallbackIsNotCalledAndItsCapturesGo) {
    int alive = 0;
    bool called = false;
    EventLoop& loop = EventLoop::running();
    const auto counted = std::make_shared<Counted>(alive);
    Handle soon = loop.call_soon([&called, counted] { called = true; });
    Handle later = loop.call_later(1ms, [&called, counted] { called = true; });
    EXPECT_EQ(counted.use_count(), 3);
    soon.cancel();
    later.cancel();
    EXPECT_TRUE(soon.cancelled() && later.cancelled());
    EXPECT_EQ(counted.use_count(), 1);
    co_await sleep(5ms);
    EXPECT_FALSE(called);
}

CORO_TEST(Handle, CancellingAfterTheCallIsHarmless) {
    int calls = 0;
    Handle handle;
    handle = EventLoop::running().call_soon([&] {
        ++calls;
        handle.cancel();  // in the call itself
        ++calls;
    });
    co_await yield();
    handle.cancel();
    EXPECT_EQ(calls, 2);
}

CORO_TEST(Handle, KnowsWhenItIsDue) {
    EventLoop& loop = EventLoop::running();
    const std::uint64_t now = loop.time_ns();
    EXPECT_EQ(loop.call_later(5ms, [] {}).when(), now + 5'000'000);
    EXPECT_EQ(loop.call_at(now + 3, [] {}).when(), now + 3);
    EXPECT_EQ(loop.call_soon([] {}).when(), 0u);
    co_return;
}

CORO_TEST(Handle, CallbacksScheduledByACallbackRunLater) {
    std::string order;
    EventLoop& loop = EventLoop::running();
    loop.call_soon([&] {
        loop.call_soon([&] { order += "c"; });
        order += "a";
    });
    loop.call_soon([&] { order += "b"; });
    co_await sleep(1ms);
    EXPECT_EQ(order, "abc");
}

CORO_TEST(Handle, TimersOfOneMomentAreCalledInTheirOrder) {
    std::string order;
    EventLoop& loop = EventLoop::running();
    for (const char name : {'a', 'b', 'c', 'd'}) loop.call_later(1ms, [&order, name] { order += name; });
    co_await sleep(2ms);
    EXPECT_EQ(order, "abcd");
}

CORO_TEST(ExceptionHandler, GetsWhatACallbackThrowsAndTheLoopGoesOn) {
    std::string handled;
    EventLoop& loop = EventLoop::running();
    loop.set_exception_handler([&](EventLoop& its_loop, const std::exception_ptr& error) {
        handled += text_of(error) + (&its_loop == &loop ? ";" : "?");
    });
    loop.call_soon([] { throw FirstError("one"); });
    loop.call_soon([] { throw SecondError("two"); });
    co_await sleep(1ms);
    EXPECT_EQ(handled, "FirstError: one;SecondError: two;");
}

CORO_TEST(ExceptionHandler, ThatThrowsIsReportedWithWhatItWasGiven) {
    EventLoop& loop = EventLoop::running();
    loop.set_exception_handler([](EventLoop&, const std::exception_ptr&) { throw SecondError("handler"); });
    loop.call_soon([] { throw FirstError("callback"); });
    testing::internal::CaptureStderr();
    co_await yield();
    const std::string told = testing::internal::GetCapturedStderr();
    EXPECT_NE(told.find("callback"), std::string::npos) << told;
    EXPECT_NE(told.find("handler"), std::string::npos) << told;
}

// As in asyncio: what nobody has looked at when its last handle goes.
CORO_TEST(ExceptionHandler, GetsWhatNobodyRetrieves) {
    std::string handled;
    EventLoop::running().set_exception_handler(
        [&](EventLoop&, const std::exception_ptr& error) { handled += text_of(error) + ";"; });
    testing::internal::CaptureStderr();
    {
        auto task = create_task(fail_after(0ms, "of a task"));
        co_await task.wait();
        Future<int> future;
        future.set_exception(std::make_exception_ptr(SecondError("of a future")));
        auto retrieved = create_task(fail_after(0ms, "retrieved"));
        co_await retrieved.wait();
        static_cast<void>(retrieved.exception());
    }
    EXPECT_EQ(handled, "SecondError: of a future;FirstError: of a task;");
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "") << "it replaces the line that is printed";
    EventLoop::running().set_exception_handler({});
}

class LoopWithHandler : public VirtualTimeLoop {
public:
    std::string handled;
    void call_exception_handler(const std::exception_ptr& error) noexcept override { handled = text_of(error); }
};
TEST(ExceptionHandler, ASubclassMayReplaceIt) {
    LoopWithHandler loop;
    loop.call_soon([] { throw FirstError("x"); });
    loop.run_once();
    EXPECT_EQ(loop.handled, "FirstError: x");
}

}  // namespace
}  // namespace coroscope::test
