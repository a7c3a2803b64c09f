#include "coroscope/executor.hpp"

#include <stdexcept>
#include <utility>

#include "thread_pool.hpp"

namespace coroscope {

ThreadPoolExecutor::ThreadPoolExecutor(std::size_t max_workers) {
    if (max_workers == 0) throw std::invalid_argument("ThreadPoolExecutor: it needs at least one thread");
    pool_ = std::make_unique<detail::ThreadPool>(max_workers);
}

ThreadPoolExecutor::~ThreadPoolExecutor() = default;

void ThreadPoolExecutor::submit(std::function<void()> job) { pool_->run(std::move(job)); }

}  // namespace coroscope
