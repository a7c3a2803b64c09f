// ThreadPoolExecutor: an own pool of threads for blocking work, beside the loop's that to_thread() uses.
// concurrent.futures.ThreadPoolExecutor, for run_in_executor() (to_thread.hpp).
//
//     ThreadPoolExecutor disk(2);                                       // at most two reads at a time
//     std::string text = co_await run_in_executor(disk, read_whole_file, path);
//
// Threads are started as needed, and jobs begun in the order of their coming. Its destructor waits for all jobs; it
// must live as long as jobs of it are awaited. Thread: any.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

namespace coroscope {

namespace detail {
class ThreadPool;
}

class ThreadPoolExecutor {
public:
    explicit ThreadPoolExecutor(std::size_t max_workers);  // at least 1; else std::invalid_argument
    ~ThreadPoolExecutor();
    ThreadPoolExecutor(const ThreadPoolExecutor&) = delete;
    ThreadPoolExecutor& operator=(const ThreadPoolExecutor&) = delete;

    // Runs the job on one of its threads. It must not throw.
    void submit(std::function<void()> job);

private:
    std::unique_ptr<detail::ThreadPool> pool_;
};

}  // namespace coroscope
