#include "thread_pool.hpp"

#include <pthread.h>

#include <algorithm>
#include <exception>
#include <utility>

#include "observe.hpp"

namespace coroscope::detail {

ThreadPool::ThreadPool() : ThreadPool(std::min<std::size_t>(32, std::thread::hardware_concurrency() + 4)) {}

ThreadPool::ThreadPool(std::size_t most_threads) : most_threads_(most_threads) {}

ThreadPool::~ThreadPool() {
    {
        const std::scoped_lock lock(mutex_);
        ending_ = true;
    }
    changed_.notify_all();
    for (std::thread& thread : threads_) thread.join();
}

void ThreadPool::run(std::function<void()> job) {
    const std::scoped_lock lock(mutex_);
    jobs_.push_back(std::move(job));
    if (idle_ < jobs_.size() && threads_.size() < most_threads_) threads_.emplace_back([this] { work(); });
    changed_.notify_one();
}

void ThreadPool::work() {
    const auto take_name = [](const char* name) { ::pthread_setname_np(::pthread_self(), name); };
    take_name(pool_thread_name);
    std::unique_lock lock(mutex_);
    for (;;) {
        ++idle_;
        changed_.wait(lock, [this] { return ending_ || !jobs_.empty(); });
        --idle_;
        if (jobs_.empty()) return;
        std::function<void()> job = std::move(jobs_.front());
        jobs_.pop_front();
        lock.unlock();
        const bool observed = probe::on();
        if (observed) take_name(job_thread_name);
        try {
            job();
        } catch (...) {
            report_callback_exception(std::current_exception());
        }
        job = nullptr;  // its captures die before the next wait
        if (observed) take_name(pool_thread_name);
        lock.lock();
    }
}

}  // namespace coroscope::detail
