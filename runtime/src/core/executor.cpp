#include "coroscope/executor.hpp"

#include <stdexcept>
#include <utility>

#include "thread_pool.hpp"

namespace coroscope {

ThreadPoolExecutor::ThreadPoolExecutor(std::size_t max_workers, const std::source_location& where) {
    if (max_workers == 0) throw std::invalid_argument("ThreadPoolExecutor: it needs at least one thread");
    pool_ = std::make_unique<detail::ThreadPool>(max_workers);
    pool_->resource.constructed(pool_->traits(), where);
}

std::uint64_t ThreadPoolExecutor::resource_id() const noexcept { return pool_->resource.id(); }

ThreadPoolExecutor::~ThreadPoolExecutor() = default;

void ThreadPoolExecutor::submit(std::function<void()> job) { pool_->run(std::move(job)); }

}  // namespace coroscope
