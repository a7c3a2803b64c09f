// to_thread(): runs a blocking or CPU-bound function on a pool thread while the loop goes on. asyncio.to_thread.
//
//     std::string text = co_await to_thread(read_whole_file, path);
//
// Cancellation point: being cancelled ends the wait at once. A function that has begun runs on to its end and its
// result is dropped (a thread cannot be cancelled); one that has not begun is not called any more. It runs in a copy of
// the caller's context. Errors: as the function threw them. The arguments are copied or moved to the thread. asyncio's
// loop.run_in_executor() with an executor of its own: run_in_executor().
#pragma once

#include <atomic>
#include <coroutine>
#include <exception>
#include <functional>
#include <memory>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

#include "coroscope/detail/resource.hpp"
#include "coroscope/detail/temporary.hpp"
#include "coroscope/executor.hpp"
#include "coroscope/loop.hpp"

namespace coroscope {

namespace detail {

// Shared by the job and the awaiter; whichever goes last frees it.
struct ThreadJob : RemoteCall, std::enable_shared_from_this<ThreadJob> {
    virtual ~ThreadJob() = default;
    virtual void execute() noexcept = 0;  // on the pool's thread

    EventLoop* loop = nullptr;
    ThreadPoolExecutor* executor = nullptr;  // nullptr: the loop's, which the loop's end waits for
    std::shared_ptr<LoopLink> link;          // with an executor, whose jobs may end after the loop
    std::atomic<bool> abandoned{false};      // nobody waits; orders nothing
    std::uint64_t task_id = 0;
    class ThreadAwaiter* waiter = nullptr;  // the loop's thread only; nullptr: it does not wait any more
    std::shared_ptr<ThreadJob> self;        // while the job is on its way back
    ContextRef context;                     // a copy of the caller's
    Resource resource;                      // made before it is on its way to a pool's thread
};

class [[nodiscard]] ThreadAwaiter final : public Suspension {
public:
    explicit ThreadAwaiter(ThreadJob& job) noexcept : job_(job) {}
    ~ThreadAwaiter() { leave(); }
    bool await_ready() const noexcept { return false; }
    void start();
    void await_resume() { check_cancelled(); }
    void wake_up() noexcept { wake(); }

private:
    friend Suspension;
    void on_cancel() noexcept {
        leave();
        wake_cancelled();
    }
    std::uint64_t waits_for() const noexcept;
    void leave() noexcept {
        job_.waiter = nullptr;
        job_.abandoned.store(true, std::memory_order_relaxed);
    }
    ThreadJob& job_;
};

template <class R, class F, class... Args>
struct CallJob final : ThreadJob {
    template <class G, class... As>
    explicit CallJob(G&& g, As&&... as) : function(std::forward<G>(g)), arguments(std::forward<As>(as)...) {}
    void execute() noexcept override {
        try {
            if constexpr (std::is_void_v<R>) {
                std::apply(std::move(function), std::move(arguments));
                result.template emplace<1>();
            } else {
                result.template emplace<1>(std::apply(std::move(function), std::move(arguments)));
            }
        } catch (...) {
            result.template emplace<2>(std::current_exception());
        }
    }
    F function;
    std::tuple<Args...> arguments;
    std::variant<std::monostate, std::conditional_t<std::is_void_v<R>, std::monostate, R>, std::exception_ptr> result;
};

template <class R, class Job>
Coro<R> await_job(std::shared_ptr<Job> job) {
    ThreadAwaiter done(*job);
    co_await done;
    if (job->result.index() == 2) std::rethrow_exception(std::get<2>(job->result));
    if constexpr (!std::is_void_v<R>) co_return std::move(std::get<1>(job->result));
}

}  // namespace detail

template <class F, class... Args>
auto to_thread(F&& function, Args&&... arguments) {
    COROSCOPE_REFUSE_TEMPORARY_CALLABLE(F, "co_await to_thread(body)");
    COROSCOPE_REFUSE_TEMPORARY_AGGREGATES("co_await to_thread(function, item)", Args...);
    using R = std::invoke_result_t<std::decay_t<F>, std::decay_t<Args>...>;
    using Job = detail::CallJob<R, std::decay_t<F>, std::decay_t<Args>...>;
    return detail::await_job<R>(std::make_shared<Job>(std::forward<F>(function), std::forward<Args>(arguments)...));
}

// The same on a thread of `executor`.
template <class F, class... Args>
auto run_in_executor(ThreadPoolExecutor& executor, F&& function, Args&&... arguments) {
    COROSCOPE_REFUSE_TEMPORARY_CALLABLE(F, "co_await run_in_executor(executor, body)");
    COROSCOPE_REFUSE_TEMPORARY_AGGREGATES("co_await run_in_executor(executor, function, item)", Args...);
    using R = std::invoke_result_t<std::decay_t<F>, std::decay_t<Args>...>;
    using Job = detail::CallJob<R, std::decay_t<F>, std::decay_t<Args>...>;
    auto job = std::make_shared<Job>(std::forward<F>(function), std::forward<Args>(arguments)...);
    job->executor = &executor;
    return detail::await_job<R>(std::move(job));
}

}  // namespace coroscope
