// Deadlines: timeout(), timeout_at(), wait_for(), wait_until(), and shield(). Cancellation points. Thread: the loop's.
//
//     std::string page = co_await wait_for(fetch(url), 2s);     // TimeoutError after 2 s; fetch is cancelled and has
//     ended by then
//
// Nothing that lost against the clock keeps running. Creating and cancelling a deadline allocates nothing. Points in
// time are EventLoop::time_ns()'s.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <type_traits>
#include <utility>

#include "coroscope/loop.hpp"

namespace coroscope {

// asyncio.Timeout as an object: cancels the current task when the time has come, until it is destroyed or rescheduled.
//
//     Timeout limit = timeout(2s);
//     try { co_await work(); } catch (const Cancelled&) { limit.rethrow(); }   // TimeoutError if it was the limit's
//
// wait_for() does just that. Must be destroyed by the task that made it. Errors: std::logic_error outside of a task,
// and for a reschedule after it expired.
class Timeout : detail::TimerNode {
public:
    Timeout();  // never, until it is rescheduled
    explicit Timeout(std::chrono::nanoseconds delay);
    ~Timeout();
    Timeout(const Timeout&) = delete;
    Timeout& operator=(const Timeout&) = delete;

    bool expired() const noexcept { return expired_; }
    std::optional<std::uint64_t> when() const noexcept;  // nothing: never
    void reschedule(std::chrono::nanoseconds delay);     // from now. (asyncio's takes a point in time: reschedule_at.)
    void reschedule_at(std::optional<std::uint64_t> when_ns);
    // In a handler of Cancelled: throws TimeoutError if this timeout, and nobody else, cancelled the task; else
    // rethrows.
    [[noreturn]] void rethrow();

private:
    detail::TaskControl* task_;
    std::uint32_t cancelling_before_;
    bool expired_ = false;
    bool taken_back_ = false;  // its request to cancel
    bool armed_ = false;
};

inline Timeout timeout(std::chrono::nanoseconds delay) { return Timeout(delay); }

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

// The same until a point in time: `async with asyncio.timeout_at(when)`.
template <class T>
Coro<T> wait_until(Coro<T> coro, std::uint64_t when_ns) {
    Timeout timeout;
    timeout.reschedule_at(when_ns);
    try {
        co_return co_await std::move(coro);
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
