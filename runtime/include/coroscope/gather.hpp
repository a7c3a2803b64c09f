// gather() and wait(): several tasks at once. Cancellation points. Thread: the loop's.
//
//     auto [a, b] = co_await gather(fetch("x"), fetch("y"));
//     std::vector<std::string> all = co_await gather(std::move(tasks));
//     auto [done, pending] = co_await wait(tasks, ReturnWhen::first_completed);
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "coroscope/loop.hpp"

namespace coroscope {

enum class ReturnWhen : std::uint8_t { all_completed, first_completed, first_exception };
// asyncio's spelling.
inline constexpr ReturnWhen ALL_COMPLETED = ReturnWhen::all_completed;
inline constexpr ReturnWhen FIRST_COMPLETED = ReturnWhen::first_completed;
inline constexpr ReturnWhen FIRST_EXCEPTION = ReturnWhen::first_exception;

namespace detail {

// Waits for several tasks, maybe with a deadline. Holds a reference to each.
class [[nodiscard]] WaitAwaiter : public Suspension, TimerNode {
public:
    // What a cancellation of the waiting task does to the tasks waited for.
    enum class OnCancelled : std::uint8_t { leave, cancel };

    WaitAwaiter(std::span<TaskControl* const> tasks, ReturnWhen when, bool cancelled_counts, OnCancelled on_cancelled,
                std::int64_t timeout_ns);
    ~WaitAwaiter();
    bool await_ready() const noexcept { return pending_ == 0 || satisfied_; }
    template <class P>
    void await_suspend(std::coroutine_handle<P>) {
        start();
    }
    void await_resume() { check_cancelled(); }

private:
    struct Hook : DoneHook {
        WaitAwaiter* owner = nullptr;
        TaskControl* target = nullptr;
    };
    void start();
    void one_done(const TaskControl& task) noexcept;
    void cancel_or_leave() noexcept;
    void stop_waiting() noexcept;
    bool satisfies(const TaskControl& task) const noexcept;

    std::vector<Hook> hooks_;
    std::size_t pending_ = 0;
    ReturnWhen when_;
    bool cancelled_counts_;  // a cancelled task counts as one with an exception (gather), or not (wait)
    OnCancelled on_cancelled_;
    bool satisfied_ = false;
    bool waiting_ = false;
    bool cancel_passed_on_ = false;
    std::int64_t timeout_ns_;  // negative: none
};

template <class T>
Task<T> as_task(Coro<T>&& coro) {
    return create_task(std::move(coro));
}
template <class T>
Task<T> as_task(Task<T>&& task) {
    return std::move(task);
}

template <class A>
using ValueOf = typename A::value_type;
template <class T>
using Stored = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

template <class T>
Stored<T> stored_result(Task<T>& task) {
    if constexpr (std::is_void_v<T>) {
        task.result();
        return {};
    } else if constexpr (std::is_copy_constructible_v<T>) {
        return task.result();
    } else {
        return std::move(task.result());
    }
}

// The first error in order of completion would be asyncio's; here in order of the arguments among those that are done.
template <class T>
void rethrow_error(const Task<T>& task) {
    if (task.done() && (task.cancelled() || task.control()->error())) task.result();
}

template <class A>
concept Gatherable = IsCoro<std::remove_cvref_t<A>>::value || IsTask<std::remove_cvref_t<A>>::value;

}  // namespace detail

// Runs all concurrently and returns their values in order, void as std::monostate. The first error is thrown at once
// and the others run on, as in asyncio; a TaskGroup cancels them instead. Cancelling the gather cancels all.
template <detail::Gatherable... A>
requires(sizeof...(A) > 0) Coro<std::tuple<detail::Stored<detail::ValueOf<A>>...>> gather(A... awaitables) {
    std::tuple<Task<detail::ValueOf<A>>...> tasks{detail::as_task(std::move(awaitables))...};
    std::vector<detail::TaskControl*> controls;
    std::apply([&](auto&... task) { (controls.push_back(task.control()), ...); }, tasks);
    detail::WaitAwaiter all(controls, ReturnWhen::first_exception, true, detail::WaitAwaiter::OnCancelled::cancel, -1);
    co_await all;
    std::apply([](auto&... task) { (detail::rethrow_error(task), ...); }, tasks);
    co_return std::apply(
        [](auto&... task) { return std::tuple<detail::Stored<detail::ValueOf<A>>...>{detail::stored_result(task)...}; },
        tasks);
}

// The same for any number of one type.
template <class T>
Coro<std::conditional_t<std::is_void_v<T>, void, std::vector<detail::Stored<T>>>> gather(std::vector<Task<T>> tasks) {
    std::vector<detail::TaskControl*> controls;
    for (auto& task : tasks) controls.push_back(task.control());
    detail::WaitAwaiter all(controls, ReturnWhen::first_exception, true, detail::WaitAwaiter::OnCancelled::cancel, -1);
    co_await all;
    for (const auto& task : tasks) detail::rethrow_error(task);
    if constexpr (!std::is_void_v<T>) {
        std::vector<T> values;
        values.reserve(tasks.size());
        for (auto& task : tasks) values.push_back(detail::stored_result(task));
        co_return values;
    }
}

template <class T>
auto gather(std::vector<Coro<T>> coros) {
    std::vector<Task<T>> tasks;
    tasks.reserve(coros.size());
    for (auto& coro : coros) tasks.push_back(create_task(std::move(coro)));
    return gather(std::move(tasks));
}

// As gather(tasks), but waits for all and gives errors as values: asyncio's return_exceptions=True.
template <class T>
Coro<std::vector<std::variant<detail::Stored<T>, std::exception_ptr>>> gather_all(std::vector<Task<T>> tasks) {
    std::vector<detail::TaskControl*> controls;
    for (auto& task : tasks) controls.push_back(task.control());
    detail::WaitAwaiter all(controls, ReturnWhen::all_completed, true, detail::WaitAwaiter::OnCancelled::cancel, -1);
    co_await all;
    std::vector<std::variant<detail::Stored<T>, std::exception_ptr>> results;
    for (auto& task : tasks) {
        try {
            results.emplace_back(std::in_place_index<0>, detail::stored_result(task));
        } catch (...) {
            results.emplace_back(std::in_place_index<1>, std::current_exception());
        }
    }
    co_return results;
}

template <class T>
class WaitResult {
public:
    WaitResult() {}  // user-declared: may stand in an expression with co_await on g++ 12.2
    std::vector<Task<T>> done, pending;
};

// Waits until the condition holds or the time is over; cancels nothing, throws no task's error. Negative timeout: none.
template <class T>
Coro<WaitResult<T>> wait(std::vector<Task<T>> tasks, ReturnWhen return_when = ALL_COMPLETED,
                         std::chrono::nanoseconds timeout = std::chrono::nanoseconds(-1)) {
    std::vector<detail::TaskControl*> controls;
    for (auto& task : tasks) controls.push_back(task.control());
    detail::WaitAwaiter some(controls, return_when, false, detail::WaitAwaiter::OnCancelled::leave, timeout.count());
    co_await some;
    WaitResult<T> result;
    for (auto& task : tasks) (task.done() ? result.done : result.pending).push_back(std::move(task));
    co_return result;
}

}  // namespace coroscope
