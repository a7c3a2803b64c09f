// How many streams are open: the bound on them, and the wait for the last one's end.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <mutex>

namespace coroscope::server {

// Any thread.
class StreamGauge {
public:
    explicit StreamGauge(std::size_t bound) : bound_(bound) {}

    // False: too many are open.
    bool enter() {
        const std::scoped_lock lock(mutex_);
        if (open_ >= bound_) return false;
        ++open_;
        return true;
    }
    void leave() {
        const std::scoped_lock lock(mutex_);
        --open_;
        changed_.notify_all();  // with the lock held: who waits may destroy this as soon as it has it
    }
    bool wait_until_none(std::chrono::steady_clock::time_point deadline) {
        std::unique_lock lock(mutex_);
        return changed_.wait_until(lock, deadline, [this] { return open_ == 0; });
    }

private:
    const std::size_t bound_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::size_t open_ = 0;  // under mutex_
};

}  // namespace coroscope::server
