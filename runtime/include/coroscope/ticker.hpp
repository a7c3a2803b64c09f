// Ticker: a beat that does not drift, for work that is to be done every so often. Cancellation point: next(). Thread:
// the loop's.
//
//     Ticker every_second(1s);
//     for (;;) {
//         co_await every_second.next();
//         report();                        // however long it takes, the beat stays that of whole seconds
//     }
//
// Beats that pass while nobody waits are not made up for: the next one is in the future (as Go's time.Ticker).
// Constant time, no allocation.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <stdexcept>

#include "coroscope/loop.hpp"
#include "coroscope/sleep.hpp"

namespace coroscope {

class Ticker {
public:
    // The first beat is one period from now. std::invalid_argument for a period that is not positive; std::logic_error
    // outside of a running loop.
    explicit Ticker(std::chrono::nanoseconds period)
        : period_ns_(static_cast<std::uint64_t>(period.count())), last_ns_(EventLoop::running().time_ns()) {
        if (period.count() <= 0) throw std::invalid_argument("Ticker: the period must be positive");
    }

    // Waits for the next beat. Returns how many beats there were since the one before: 1, or more if some were missed.
    // A beat that is due just now is not missed. One task at a time.
    Coro<std::uint64_t> next() {
        EventLoop& loop = EventLoop::running();
        const std::uint64_t since_ns = loop.time_ns() - last_ns_;
        const std::uint64_t due_ns =
            last_ns_ + std::max<std::uint64_t>(1, (since_ns + period_ns_ - 1) / period_ns_) * period_ns_;
        for (std::uint64_t now = loop.time_ns(); now < due_ns; now = loop.time_ns())
            co_await sleep(std::chrono::nanoseconds(due_ns - now));
        const std::uint64_t beats = (due_ns - last_ns_) / period_ns_;
        last_ns_ = due_ns;
        co_return beats;
    }

    std::chrono::nanoseconds period() const noexcept { return std::chrono::nanoseconds(period_ns_); }

private:
    std::uint64_t period_ns_, last_ns_;  // of the loop's clock: the last beat that was given
};

}  // namespace coroscope
