// The poller: epoll, edge-triggered, one registration per file descriptor, and an eventfd to wake it. Thread: the
// loop's, but wake().
#pragma once

#include <cstdint>
#include <vector>

#include "coroscope/loop.hpp"

namespace coroscope::detail {

class Poller {
public:
    Poller();
    ~Poller();
    Poller(const Poller&) = delete;
    Poller& operator=(const Poller&) = delete;

    void add(FdWatch& watch);
    void remove(FdWatch& watch) noexcept;
    // Waits at most timeout_ns (negative: for ever) and calls the watches. Returns how many were ready.
    int poll(std::int64_t timeout_ns) noexcept;
    void wake() noexcept;  // any thread, also a signal handler
    int epoll_fd() const noexcept { return epoll_; }

private:
    int epoll_ = -1;
    int event_ = -1;
    std::vector<FdWatch*> removed_;  // while events are being handled: watches that must not be called any more
    bool handling_ = false;
};

}  // namespace coroscope::detail
