// Deadlines: with_timeout(), wait_for(), timeout() and timeout_at(); and shield(). Cancellation points. Thread: the
// loop's.
//
//     std::string page = co_await wait_for(fetch(url), 2s);     // TimeoutError after 2 s; fetch has ended by then
//     int item = co_await wait_for(queue.get(), 2s);            // whatever can be awaited
//     co_await with_timeout(2s, copy_all, from, to);            // asyncio's `async with timeout(2)`, around a call
//
// Nothing runs on past its limit: at the limit the current task is cancelled, and the Cancelled that leaves the scope
// becomes TimeoutError. Scopes nest. A scope that expires while the task is cancelled from outside, too,
// lets Cancelled through. Limits are from now; zero or less has expired already: it takes effect at the next await.
// Unlike asyncio's, a limit comes before the callbacks of the same time, and the Cancelled that it throws says "timed
// out".
// Creating and cancelling a deadline allocates nothing.
#pragma once

#include <algorithm>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <source_location>
#include <type_traits>
#include <utility>

#include "coroscope/detail/temporary.hpp"
#include "coroscope/loop.hpp"

namespace coroscope {

// A limit of time, or none (std::nullopt), from any std::chrono::duration. One word: cheap to hand to a coroutine.
class TimeLimit {
public:
    constexpr TimeLimit(std::nullopt_t) noexcept {}
    template <class Rep, class Period>
    constexpr TimeLimit(std::chrono::duration<Rep, Period> limit) noexcept
        : ns_(std::max(std::chrono::ceil<std::chrono::nanoseconds>(limit).count(), none + 1)) {}
    constexpr TimeLimit(const std::optional<std::chrono::nanoseconds>& limit) noexcept
        : TimeLimit(limit ? TimeLimit(*limit) : TimeLimit(std::nullopt)) {}

    constexpr explicit operator bool() const noexcept { return ns_ != none; }
    constexpr std::chrono::nanoseconds operator*() const noexcept { return std::chrono::nanoseconds(ns_); }
    constexpr bool is_over() const noexcept { return ns_ <= 0 && ns_ != none; }

private:
    static constexpr std::int64_t none = std::numeric_limits<std::int64_t>::min();
    std::int64_t ns_ = none;
};

// asyncio.Timeout as an object: cancels the current task when the time is over, until it is destroyed or rescheduled.
//
//     Timeout limit = timeout(2s);
//     try { co_await work(); } catch (const Cancelled&) { limit.rethrow(); }   // TimeoutError if it was the limit's
//
// C++ cannot turn an exception into another one in a destructor, hence rethrow(): with_timeout() and wait_for() do
// that. A request for cancellation that is the scope's own is taken back at its end in any case. Must be destroyed by
// the task that made it.
class Timeout : detail::CallbackTimer {
public:
    // nullopt: no limit, until reschedule(). std::logic_error outside of tasks. `where`: for the debugger.
    explicit Timeout(TimeLimit delay, const std::source_location& where = std::source_location::current());
    ~Timeout();
    Timeout(const Timeout&) = delete;
    Timeout& operator=(const Timeout&) = delete;

    // The deadline in the loop's time, ns; nullopt: none.
    std::optional<std::uint64_t> when() const noexcept;
    // From now; nullopt: no limit any more. std::logic_error if it has expired.
    void reschedule(TimeLimit delay);
    void reschedule_at(std::optional<std::uint64_t> when_ns);
    // The time was over within the scope, and the task was asked to end it.
    bool expired() const noexcept { return expired_; }
    // In a handler of Cancelled: throws TimeoutError if this timeout, and nobody else, cancelled the task; else
    // rethrows.
    [[noreturn]] void rethrow();

private:
    friend std::optional<std::chrono::nanoseconds> time_left();
    friend Timeout timeout_at(std::optional<std::uint64_t> when_ns, const std::source_location& where);
    struct AtTime {};
    explicit Timeout(const std::source_location& where);
    Timeout(AtTime, std::optional<std::uint64_t> when_ns, const std::source_location& where);
    static void fire_limit(detail::CallbackTimer& timer) noexcept;
    std::uint32_t take_back() noexcept;
    void set_limit(std::uint64_t when_ns);
    void end_limit() noexcept;

    detail::TaskControl* task_;
    std::uint64_t when_ns_ = 0;  // if limited_
    std::uint32_t cancelling_before_;
    std::uint32_t node_ = 0;  // probe node of the place that made it
    bool limited_ = false;
    bool expired_ = false;
    bool taken_back_ = false;
};

inline Timeout timeout(TimeLimit delay, const std::source_location& where = std::source_location::current()) {
    return Timeout(delay, where);
}
// At a time of the loop's clock (EventLoop::time_ns()).
Timeout timeout_at(std::optional<std::uint64_t> when_ns,
                   const std::source_location& where = std::source_location::current());

// Until the first of the limits that the running task is in: what a request to somebody else may take, say. nullopt: it
// is in none, or no task runs. Not below zero. Limits of tasks that await this one do not count. Thread: the loop's.
// Not a cancellation point. Complexity: constant outside of limits, else linear in the number of the loop's timers.
// Trio's current_effective_deadline(), Go's Context.Deadline().
std::optional<std::chrono::nanoseconds> time_left();

namespace detail {

template <class F, class... A>
concept TimedBody = requires { typename CoroOf<std::invoke_result_t<F&, Timeout&, A...>>; };
template <class F, class... A>
concept PlainBody = requires { typename CoroOf<std::invoke_result_t<F&, A...>>; };

template <class F, class... A>
struct BodyResult {};
template <class F, class... A>
    requires(PlainBody<F, A...> && !TimedBody<F, A...>)
struct BodyResult<F, A...> {
    using type = CoroOf<std::invoke_result_t<F&, A...>>;
};
template <class F, class... A>
    requires TimedBody<F, A...>
struct BodyResult<F, A...> {
    using type = CoroOf<std::invoke_result_t<F&, Timeout&, A...>>;
};

template <class F, class... A>
auto call_with_timeout(TimeLimit delay, F function, A... arguments) -> typename BodyResult<F, A...>::type {
    Timeout limit(delay);
    try {
        if constexpr (TimedBody<F, A...>) {
            co_return co_await std::invoke(function, limit, std::move(arguments)...);
        } else {
            co_return co_await std::invoke(function, std::move(arguments)...);
        }
    } catch (const Cancelled&) {
        limit.rethrow();
    }
}

}  // namespace detail

// Runs a coroutine (or what else can be awaited), or a function that makes one, in a scope with a limit, inside the
// current task. The scope keeps function and arguments. A function that takes a Timeout& first gets the scope's, to
// reschedule it:
//
//     Coro<> read_lines(Timeout& limit, Reader& reader) { ... limit.reschedule(5s); ... }
//     co_await with_timeout(5s, read_lines, std::ref(reader));
template <class T>
Coro<T> with_timeout(TimeLimit delay, Coro<T> coro) {
    Timeout limit(delay);
    try {
        co_return co_await std::move(coro);
    } catch (const Cancelled&) {
        limit.rethrow();
    }
}
template <detail::MovableAwaiter A>
detail::CoroOf<A> with_timeout(TimeLimit delay, A awaiter) {
    return with_timeout(delay, detail::as_coro(std::move(awaiter)));
}
template <class T>
Coro<T> with_timeout(TimeLimit delay, Future<T> future) {
    return with_timeout(delay, detail::as_coro(std::move(future)));
}
template <class F, class... A>
    requires detail::TimedBody<std::decay_t<F>, std::decay_t<A>...> ||
             detail::PlainBody<std::decay_t<F>, std::decay_t<A>...>
auto with_timeout(TimeLimit delay, F&& function, A&&... arguments) {
    COROSCOPE_REFUSE_TEMPORARY_CALLABLE(F, "co_await with_timeout(limit, body)");
    COROSCOPE_REFUSE_TEMPORARY_AGGREGATES("co_await with_timeout(limit, function, item)", A...);
    return detail::call_with_timeout<std::decay_t<F>, std::decay_t<A>...>(delay, std::forward<F>(function),
                                                                          std::forward<A>(arguments)...);
}

// Awaits a coroutine with a limit, inside the current task (no task is made for it). With a limit of zero or less it
// does not begin. nullopt: no limit. The semantics are Python 3.12's, which are those of a timeout() around the await:
// where the end comes together with a cancellation or with the limit, that is thrown. (3.11's wait_for() returns.)
template <class T>
Coro<T> wait_for(Coro<T> coro, TimeLimit limit) {
    if (limit.is_over()) {
        coro.close();
        throw TimeoutError();
    }
    Timeout scope(limit);
    try {
        co_return co_await std::move(coro);
    } catch (const Cancelled&) {
        scope.rethrow();
    }
}

template <detail::MovableAwaiter A>
detail::CoroOf<A> wait_for(A awaiter, TimeLimit limit) {
    return wait_for(detail::as_coro(std::move(awaiter)), limit);
}
// A future is cancelled at the limit.
template <class T>
Coro<T> wait_for(Future<T> future, TimeLimit limit) {
    if (limit.is_over() && !future.done()) {
        future.cancel();
        throw TimeoutError();
    }
    co_return co_await with_timeout(limit.is_over() ? TimeLimit(std::nullopt) : limit, std::move(future));
}

// Awaits a task with a limit; at the limit the task is cancelled, and has ended when TimeoutError is thrown. If the
// task nevertheless returns a value or throws another exception, that is what the caller gets. With a limit of zero or
// less a task that is done gives its result.
template <class T>
Coro<T> wait_for(Task<T> task, TimeLimit limit) {
    if (limit.is_over()) {
        if (!task.done()) {
            task.control()->cancel({}, detail::cause_here(detail::CancelOrigin::timeout));
            co_await task.wait();
            if (task.cancelled()) throw TimeoutError();
        }
        co_return co_await task;
    }
    Timeout scope(limit);
    try {
        co_return co_await task;
    } catch (const Cancelled&) {
        scope.rethrow();
    }
}

// Awaits a task; cancelling the awaiting task does not cancel it. The loop keeps it running, unlike asyncio's, which
// needs a handle kept. If it fails with nobody left who awaits it, that is reported as never retrieved. Goes on
// together with those who await the task itself; asyncio's a turn later.
template <class T>
detail::JoinAwaiter<T, true> shield(const Task<T>& task) noexcept {
    return detail::JoinAwaiter<T, true>(task.control());
}
template <class T>
detail::JoinAwaiter<T, true> shield(Coro<T> coro, std::source_location where = std::source_location::current()) {
    return shield(create_task(std::move(coro), {}, where));
}
template <detail::MovableAwaiter A>
auto shield(A awaiter, std::source_location where = std::source_location::current()) {
    return shield(create_task(std::move(awaiter), {}, where));
}

}  // namespace coroscope
