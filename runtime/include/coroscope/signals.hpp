// wait_for_signal(): the orderly end of a program. add_signal_handler(): a signal that comes again and again.
//
//     int signal = co_await wait_for_signal(SIGINT, SIGTERM);
//     SignalHandler reloading = add_signal_handler(SIGHUP, [&] { reload(); });
//
// While somebody waits or handles them, the signals are caught; afterwards they do again what they did before: a second
// Ctrl-C ends a program that hangs. Works beside threads that were started before (no signal mask is needed).
// wait_for_signal() is a cancellation point. Thread: the loop's.
#pragma once

#include <concepts>
#include <csignal>
#include <cstdint>
#include <functional>
#include <memory>

#include "coroscope/coro.hpp"

namespace coroscope {

namespace detail {
class HandledSignal;
Coro<int> wait_for_signals(std::uint64_t mask);  // bit n: signal n
}  // namespace detail

// Until one of the signals (1 to 63) comes; returns its number. Throws std::system_error if one cannot be caught
// (SIGKILL, SIGSTOP), std::logic_error if more than 16 waits are under way.
template <std::same_as<int>... Signals>
    requires(sizeof...(Signals) > 0)
Coro<int> wait_for_signal(Signals... signals) {
    return detail::wait_for_signals(((std::uint64_t{1} << signals) | ...));
}

// What add_signal_handler() gives: the signal is handled while it lives, or until remove(). asyncio's
// remove_signal_handler(), as a scope. Its loop must live as long.
class [[nodiscard]] SignalHandler {
public:
    SignalHandler() noexcept;  // of no signal
    ~SignalHandler();
    SignalHandler(SignalHandler&&) noexcept;
    SignalHandler& operator=(SignalHandler&&) noexcept;

    void remove() noexcept;

private:
    friend SignalHandler add_signal_handler(int signal, std::function<void()> callback);
    explicit SignalHandler(std::unique_ptr<detail::HandledSignal> handled) noexcept;
    std::unique_ptr<detail::HandledSignal> handled_;
};

// asyncio's loop.add_signal_handler(): the running loop calls `callback` soon after the signal (1 to 63) came; once for
// several that come together. Unlike asyncio's, handlers do not replace each other, and work on any thread's loop. What
// the callback throws goes to the loop's exception handler. Errors: as wait_for_signal().
SignalHandler add_signal_handler(int signal, std::function<void()> callback);

}  // namespace coroscope
