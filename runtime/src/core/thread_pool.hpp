// The threads behind to_thread() and ThreadPoolExecutor, started as needed. Thread: any.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "coroscope/detail/resource.hpp"

namespace coroscope::detail {

// The names of a pool's threads: at rest, and with debug mode on while one runs a job. The debugger takes threads whose
// names begin with "coroscope" for coroscope's own, which wake no loop; a job may (see count_app_threads()).
inline constexpr char pool_thread_name[] = "coroscope-pool";
inline constexpr char job_thread_name[] = "coroscope-job";

class ThreadPool {
public:
    ThreadPool();  // at most as many threads as Python's default executor
    explicit ThreadPool(std::size_t most_threads);
    ~ThreadPool();  // runs what is queued, then joins
    ThreadPool(const ThreadPool&) = delete;
    ThreadPool& operator=(const ThreadPool&) = delete;

    ResourceTraits traits() const noexcept {
        return {.type = ResourceType::thread_pool, .capacity = static_cast<std::int64_t>(most_threads_)};
    }
    Resource resource;  // the owner makes it, before any job

    void run(std::function<void()> job);  // what it throws is reported as a callback's exception

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
