// Signals: what asyncio's add_signal_handler() is for, awaited.
#include "coroscope/signals.hpp"

#include <unistd.h>

#include <csignal>
#include <thread>

#include "tests/runtime/net_support.hpp"

namespace coroscope::test {
namespace {

void (*handler_of(int signal))(int) {
    struct sigaction action{};
    ::sigaction(signal, nullptr, &action);
    return action.sa_handler;
}

Coro<int> one_of_two() { return wait_for_signal(SIGUSR1, SIGUSR2); }
Coro<int> usr1() { return wait_for_signal(SIGUSR1); }

// The eventfd of a wait is kept for the next one: so no count of descriptors here.
void run_with_signals(const std::function<Coro<>()>& body) { run(with_deadline(body)); }

TEST(Signal, TheOneThatCameIsReturned) {
    run_with_signals([]() -> Coro<> {
        Task<int> waiting = create_task(one_of_two());
        co_await yield();
        ::raise(SIGUSR2);
        EXPECT_EQ(co_await waiting, SIGUSR2);
    });
}

TEST(Signal, OneWhileTheLoopIsBusyIsNotLost) {
    run_with_signals([]() -> Coro<> {
        Task<int> waiting = create_task(usr1());
        co_await yield();
        ::raise(SIGUSR1);
        ::raise(SIGUSR1);
        for (int i = 0; i < 3; ++i) co_await yield();
        EXPECT_EQ(co_await waiting, SIGUSR1);
    });
}

TEST(Signal, EachWaitGetsIt) {
    run_with_signals([]() -> Coro<> {
        Task<int> one = create_task(usr1());
        Task<int> two = create_task(one_of_two());
        co_await yield();
        ::raise(SIGUSR1);
        EXPECT_EQ(co_await one, SIGUSR1);
        EXPECT_EQ(co_await two, SIGUSR1);
    });
}

TEST(Signal, AnotherSignalDoesNotEndTheWait) {
    run_with_signals([]() -> Coro<> {
        Task<int> waiting = create_task(usr1());
        Task<int> other = create_task(one_of_two());
        co_await yield();
        ::raise(SIGUSR2);
        EXPECT_EQ(co_await other, SIGUSR2);
        EXPECT_FALSE(waiting.done());
        ::raise(SIGUSR1);
        EXPECT_EQ(co_await waiting, SIGUSR1);
    });
}

TEST(Signal, WhatItDidBeforeItDoesAfterwards) {
    run_with_signals([]() -> Coro<> {
        EXPECT_EQ(handler_of(SIGUSR1), SIG_DFL);
        Task<int> waiting = create_task(usr1());
        co_await yield();
        EXPECT_NE(handler_of(SIGUSR1), SIG_DFL);
        ::raise(SIGUSR1);
        co_await waiting;
        EXPECT_EQ(handler_of(SIGUSR1), SIG_DFL);
    });
}

TEST(Signal, ACancelledWaitCatchesNothingMore) {
    run_with_signals([]() -> Coro<> {
        ::signal(SIGUSR1, SIG_IGN);
        Task<int> waiting = create_task(usr1());
        co_await yield();
        waiting.cancel();
        bool cancelled = false;
        try {
            co_await waiting;
        } catch (const Cancelled&) {
            cancelled = true;
        }
        EXPECT_TRUE(cancelled);
        EXPECT_EQ(handler_of(SIGUSR1), SIG_IGN);
        ::signal(SIGUSR1, SIG_DFL);
    });
}

TEST(Signal, OfSeveralWaitsTheLastOneRestores) {
    run_with_signals([]() -> Coro<> {
        Task<int> one = create_task(usr1());
        Task<int> two = create_task(usr1());
        co_await yield();
        one.cancel();
        for (int i = 0; i < 3; ++i) co_await yield();
        EXPECT_NE(handler_of(SIGUSR1), SIG_DFL);
        ::raise(SIGUSR1);
        EXPECT_EQ(co_await two, SIGUSR1);
        EXPECT_EQ(handler_of(SIGUSR1), SIG_DFL);
    });
}

TEST(Signal, AnyThreadMayGetIt) {
    run_with_signals([]() -> Coro<> {
        Task<int> waiting = create_task(usr1());
        co_await yield();
        std::thread other([] { ::raise(SIGUSR1); });
        other.join();
        EXPECT_EQ(co_await waiting, SIGUSR1);
    });
}

TEST(Signal, SigkillCannotBeCaught) {
    run_with_signals([]() -> Coro<> {
        EXPECT_NE(co_await error_of<std::system_error>(wait_for_signal(SIGKILL)), "");
        EXPECT_NE(co_await error_of<std::system_error>(wait_for_signal(SIGUSR1, SIGSTOP)), "");
        EXPECT_EQ(handler_of(SIGUSR1), SIG_DFL) << "nothing is left half done";
    });
}

TEST(Signal, WaitsAreBounded) {
    run_with_signals([]() -> Coro<> {
        std::vector<Task<int>> waits;
        for (int i = 0; i < 16; ++i) waits.push_back(create_task(usr1()));
        co_await yield();
        EXPECT_NE(co_await error_of<std::logic_error>(usr1()), "");
        ::raise(SIGUSR1);
        for (Task<int>& wait : waits) EXPECT_EQ(co_await wait, SIGUSR1);
    });
}

TEST(SignalHandler, IsCalledForEverySignalThatComes) {
    run_with_signals([]() -> Coro<> {
        int calls = 0;
        Event called;
        SignalHandler handler = add_signal_handler(SIGUSR1, [&] {
            ++calls;
            called.set();
        });
        for (int expected = 1; expected <= 3; ++expected) {
            ::raise(SIGUSR1);
            co_await called.wait();
            called.clear();
            EXPECT_EQ(calls, expected);
        }
    });
}

TEST(SignalHandler, AtItsEndTheSignalDoesWhatItDidBefore) {
    const auto before = handler_of(SIGUSR1);
    run_with_signals([before]() -> Coro<> {
        {
            SignalHandler handler = add_signal_handler(SIGUSR1, [] {});
            EXPECT_NE(handler_of(SIGUSR1), before);
            SignalHandler other = add_signal_handler(SIGUSR1, [] {});
            handler.remove();
            EXPECT_NE(handler_of(SIGUSR1), before);  // the other one still handles it
        }
        EXPECT_EQ(handler_of(SIGUSR1), before);
        co_return;
    });
}

TEST(SignalHandler, AllHandlersOfASignalAreCalledAndAWaitIsServedToo) {
    run_with_signals([]() -> Coro<> {
        int one = 0, two = 0;
        SignalHandler first = add_signal_handler(SIGUSR1, [&] { ++one; });
        SignalHandler second = add_signal_handler(SIGUSR1, [&] { ++two; });
        Task<int> waiting = create_task(usr1());
        co_await yield();
        ::raise(SIGUSR1);
        EXPECT_EQ(co_await waiting, SIGUSR1);
        while (one == 0 || two == 0) co_await yield();
        EXPECT_EQ(one, 1);
        EXPECT_EQ(two, 1);
    });
}

TEST(SignalHandler, WhatTheCallbackThrowsGoesToTheExceptionHandler) {
    run_with_signals([]() -> Coro<> {
        Event reported;
        EventLoop::running().set_exception_handler([&](EventLoop&, const std::exception_ptr&) { reported.set(); });
        SignalHandler handler = add_signal_handler(SIGUSR1, [] { throw std::runtime_error("in the handler"); });
        ::raise(SIGUSR1);
        co_await reported.wait();
        EventLoop::running().set_exception_handler({});
    });
}

TEST(SignalHandler, ASignalThatCannotBeCaughtIsRefused) {
    run_with_signals([]() -> Coro<> {
        EXPECT_THROW((void)add_signal_handler(SIGKILL, [] {}), std::system_error);
        EXPECT_THROW((void)add_signal_handler(0, [] {}), std::invalid_argument);
        EXPECT_THROW((void)add_signal_handler(64, [] {}), std::invalid_argument);
        co_return;
    });
}

}  // namespace
}  // namespace coroscope::test
