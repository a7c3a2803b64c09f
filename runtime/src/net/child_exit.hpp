// Knowing when a child process has ended, and reaping it: by a pidfd on the loop's poller, or by a thread that waits
// where the system has none (Linux before 5.3). Thread: the loop's.
#pragma once

#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>

#include "coroscope/detail/net_socket_state.hpp"
#include "coroscope/sync.hpp"

namespace coroscope::detail {

class ChildExit : FdWatch {
public:
    // Throws std::system_error if the child cannot be watched; it is killed and reaped then.
    ChildExit(EventLoop& loop, pid_t pid, const std::string& command);  // `command`: for the debugger
    ~ChildExit();  // a child that still runs is reaped by a thread when it ends
    ChildExit(const ChildExit&) = delete;
    ChildExit& operator=(const ChildExit&) = delete;

    pid_t pid() const noexcept { return pid_; }
    std::optional<int> returncode() const noexcept { return returncode_; }
    // Never reaches another process that got the same number: the child is reaped by this object only.
    int send_signal(int signal) noexcept;  // 0 or errno
    Event ended{ResourceType::subprocess, Verb::exit};

private:
    struct Waiter;
    void watch_by_pidfd();
    void watch_by_thread();
    void look() noexcept;
    void stop_watching() noexcept;

    EventLoop& loop_;
    const pid_t pid_;
    std::optional<int> returncode_;
    std::shared_ptr<Waiter> waiter_;  // the thread's, if there is one
};

}  // namespace coroscope::detail
