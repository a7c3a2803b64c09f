// wait_for_signal(): the orderly end of a program.
//
//     int signal = co_await wait_for_signal(SIGINT, SIGTERM);
//
// While it waits, the signals are caught; afterwards they do again what they did before: a second Ctrl-C ends a program
// that hangs. Works beside threads that were started before (no signal mask is needed). Cancellation point. Thread: the
// loop's.
#pragma once

#include <concepts>
#include <csignal>
#include <cstdint>

#include "coroscope/coro.hpp"

namespace coroscope {

namespace detail {
Coro<int> wait_for_signals(std::uint64_t mask);  // bit n: signal n
}

// Until one of the signals (1 to 63) comes; returns its number. Throws std::system_error if one cannot be caught
// (SIGKILL, SIGSTOP), std::logic_error if more than 16 waits are under way.
template <std::same_as<int>... Signals>
requires(sizeof...(Signals) > 0) Coro<int> wait_for_signal(Signals... signals) {
    return detail::wait_for_signals(((std::uint64_t{1} << signals) | ...));
}

}  // namespace coroscope
