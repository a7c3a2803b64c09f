// The threads behind to_thread(): started as needed, at most as many as asyncio's default executor has. Thread: any.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace coroscope::detail {

class ThreadPool {
public:
    ThreadPool();
    ~ThreadPool();  // runs what is queued, then joins
    ThreadPool(const ThreadPool&) = delete;
    ThreadPool& operator=(const ThreadPool&) = delete;

    void run(std::function<void()> job);  // the job must not throw

private:
    void work();

    const std::size_t most_threads_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<std::function<void()>> jobs_;  // under mutex_, as all below
    std::size_t idle_ = 0;
    bool ending_ = false;
    std::vector<std::thread> threads_;
};

}  // namespace coroscope::detail
