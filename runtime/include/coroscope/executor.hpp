// ThreadPoolExecutor: a pool of threads for blocking work, beside the loop's pool that to_thread() uses.
// concurrent.futures.ThreadPoolExecutor, for run_in_executor() (to_thread.hpp).
//
//     ThreadPoolExecutor disk(2);                                       // at most two reads at a time
//     std::string text = co_await run_in_executor(disk, read_whole_file, path);
//
// Threads are started as needed, and jobs begin in the order in which they were submitted. The destructor waits for all
// jobs; the executor must live as long as jobs of it are awaited. Thread: any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <source_location>

namespace coroscope {

namespace detail {
class ThreadPool;
}

class ThreadPoolExecutor {
public:
    // Errors: std::invalid_argument for no workers. `where`: for the debugger.
    explicit ThreadPoolExecutor(std::size_t max_workers,
                                const std::source_location& where = std::source_location::current());
    ~ThreadPoolExecutor();
    ThreadPoolExecutor(const ThreadPoolExecutor&) = delete;
    ThreadPoolExecutor& operator=(const ThreadPoolExecutor&) = delete;

    // Runs the job on one of its threads, and does not wait for it: run_in_executor() does. What it throws is reported
    // as a callback's exception is. Any thread, until the destructor begins.
    void submit(std::function<void()> job);
    std::uint64_t resource_id() const noexcept;  // for the runtime; 0: debug mode was off when it was made

private:
    std::unique_ptr<detail::ThreadPool> pool_;
};

}  // namespace coroscope
