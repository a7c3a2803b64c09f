// VirtualTimeLoop: an event loop for tests, after trio's MockClock. Sleeping costs no time: when nothing is ready the
// clock jumps to the next timer. Order is deterministic. Threads and sockets still take real time, and the clock does
// not wait for them: it jumps whenever a timer is pending. So a job of a pool that races with a sleep loses.
//
//     run<VirtualTimeLoop>(test());      // an hour of sleeps takes milliseconds
#pragma once

#include "coroscope/loop.hpp"

namespace coroscope {

class VirtualTimeLoop : public EventLoop {
public:
    VirtualTimeLoop() = default;

protected:
    std::uint64_t clock_ns() noexcept override { return virtual_now_ns_; }
    int poll(std::int64_t timeout_ns) noexcept override {
        if (timeout_ns <= 0) return EventLoop::poll(timeout_ns);
        const int events = EventLoop::poll(0);
        if (events == 0) virtual_now_ns_ += static_cast<std::uint64_t>(timeout_ns);
        return events;
    }

private:
    std::uint64_t virtual_now_ns_ = 1'000'000'000;
};

}  // namespace coroscope
