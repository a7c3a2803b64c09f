// RateLimiter: so many operations a second and no more, with some at once allowed. A token bucket. Cancellation point:
// acquire(). Thread: the loop's.
//
//     RateLimiter limit(100, 10);             // 100 a second, up to 10 at once after a pause
//     for (const Url& url : urls) {
//         co_await limit.acquire();           // waits for its turn
//         group.create_task(fetch(url));
//     }
//
// Tasks have their turns in the order in which they came; one that is cancelled takes nothing. It must outlive the
// tasks that wait. Constant time.
#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <stdexcept>

#include "coroscope/loop.hpp"
#include "coroscope/sleep.hpp"
#include "coroscope/sync.hpp"

namespace coroscope {

class RateLimiter {
public:
    // `burst`: how many may come at once. Errors: std::invalid_argument if either is not positive.
    explicit RateLimiter(double per_second, double burst = 1)
        : ns_each_(1e9 / per_second), burst_(burst), tokens_(burst) {
        if (!(per_second > 0) || !(burst > 0) || !std::isfinite(ns_each_))
            throw std::invalid_argument("RateLimiter: the rate and the burst must be positive");
        turns_.set_name("rate limiter");
    }

    // Waits until `count` are allowed. Errors: std::invalid_argument for more than the burst, which would never be.
    Coro<> acquire(double count = 1) {
        if (!(count >= 0) || count > burst_)
            throw std::invalid_argument("RateLimiter: more at once than the burst allows");
        const Lock::Held turn = co_await turns_.acquire();
        for (refill(); tokens_ + rounding < count; refill())
            co_await sleep(
                std::chrono::nanoseconds(static_cast<std::int64_t>(std::ceil((count - tokens_) * ns_each_))));
        tokens_ = std::max(0.0, tokens_ - count);
    }
    // Takes them if nobody waits and they are there.
    bool try_acquire(double count = 1) {
        if (turns_.locked()) return false;
        refill();
        if (tokens_ + rounding < count) return false;
        tokens_ = std::max(0.0, tokens_ - count);
        return true;
    }

private:
    static constexpr double rounding = 1e-9;  // of a token: sums of parts of it

    void refill() {
        const std::uint64_t now = EventLoop::running().time_ns();
        if (filled_ns_ != 0) tokens_ = std::min(burst_, tokens_ + static_cast<double>(now - filled_ns_) / ns_each_);
        filled_ns_ = now;
    }

    const double ns_each_, burst_;
    double tokens_;
    std::uint64_t filled_ns_ = 0;  // 0: never, it is full
    Lock turns_;                   // held by the task whose turn it is
};

}  // namespace coroscope
