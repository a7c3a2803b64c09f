// Deadlines: timeout() / wait_for(), and shield(). Cancellation points. Thread: the loop's.
//
//     std::string page = co_await wait_for(fetch(url), 2s);     // TimeoutError after 2 s; fetch is cancelled and has
//     ended by then
//
// Nothing that lost against the clock keeps running. Creating and cancelling a deadline allocates nothing.
#pragma once

#include <chrono>
#include <type_traits>
#include <utility>

#include "coroscope/loop.hpp"

namespace coroscope {

// asyncio.timeout() as an object: cancels the current task when the time is over, until it is destroyed or rescheduled.
//
//     Timeout limit(2s);
//     try { co_await work(); } catch (const Cancelled&) { limit.rethrow(); }   // TimeoutError if it was the limit's
//
// wait_for() does just that. Must be destroyed by the task that made it.
class Timeout : detail::TimerNode {
public:
    explicit Timeout(std::chrono::nanoseconds delay);
    ~Timeout();
    Timeout(const Timeout&) = delete;
    Timeout& operator=(const Timeout&) = delete;

    bool expired() const noexcept { return expired_; }
    void reschedule(std::chrono::nanoseconds delay);  // from now
    // In a handler of Cancelled: throws TimeoutError if this timeout, and nobody else, cancelled the task; else
    // rethrows.
    [[noreturn]] void rethrow();

private:
    detail::TaskControl* task_;
    std::uint32_t cancelling_before_;
    bool expired_ = false;
};

// Awaits a coroutine with a limit, inside the current task (no task is made for it).
template <class T>
Coro<T> wait_for(Coro<T> coro, std::chrono::nanoseconds limit) {
    Timeout timeout(limit);
    try {
        co_return co_await std::move(coro);
    } catch (const Cancelled&) {
        timeout.rethrow();
    }
}

// Awaits a task with a limit; at the limit the task is cancelled, and has ended when TimeoutError is thrown.
template <class T>
Coro<T> wait_for(Task<T> task, std::chrono::nanoseconds limit) {
    Timeout timeout(limit);
    try {
        co_return co_await task;
    } catch (const Cancelled&) {
        timeout.rethrow();
    }
}

namespace detail {
template <class T>
class [[nodiscard]] ShieldAwaiter : public JoinAwaiter<T> {
public:
    explicit ShieldAwaiter(const Task<T>& task) noexcept : JoinAwaiter<T>(task.control(), false) {}
    template <class P>
    void await_suspend(std::coroutine_handle<P>) noexcept {
        this->suspend_until_done(false);
    }
};
}  // namespace detail

// Awaits a task; cancelling the awaiting task does not cancel it. Keep a handle if you want its result.
template <class T>
detail::ShieldAwaiter<T> shield(const Task<T>& task) noexcept {
    return detail::ShieldAwaiter<T>(task);
}
template <class T>
detail::ShieldAwaiter<T> shield(Coro<T> coro, std::source_location where = std::source_location::current()) {
    return detail::ShieldAwaiter<T>(create_task(std::move(coro), {}, where));
}

}  // namespace coroscope
