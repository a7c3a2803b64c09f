// gather() and wait(): several tasks at once. Cancellation points. Thread: the loop's. They go on together with those
// who await the last task itself, and at once where nothing is left to wait for; asyncio's take a turn or two more.
//
//     auto [a, b] = co_await gather(fetch("x"), fetch("y"));
//     co_await gather(sleep(1s), event.wait(), future);          // whatever can be awaited
//     std::vector<std::string> all = co_await gather(std::move(tasks));
//     auto outcomes = co_await gather(return_exceptions, fetch("x"), fetch("y"));   // errors as values
//     auto [done, pending] = co_await wait(tasks, FIRST_COMPLETED, 2s);
//
// as_completed(), which gives results as they come, has its own header.
#pragma once

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <optional>
#include <span>
#include <stdexcept>
#include <tuple>
#include <type_traits>
#include <unordered_set>
#include <utility>
#include <variant>
#include <vector>

#include "coroscope/detail/resource.hpp"
#include "coroscope/loop.hpp"

namespace coroscope {

enum class ReturnWhen : std::uint8_t { all_completed, first_completed, first_exception };
// asyncio's spelling, which examples and documentation use.
inline constexpr ReturnWhen ALL_COMPLETED = ReturnWhen::all_completed;
inline constexpr ReturnWhen FIRST_COMPLETED = ReturnWhen::first_completed;
inline constexpr ReturnWhen FIRST_EXCEPTION = ReturnWhen::first_exception;

namespace detail {

// Waits for several tasks, maybe with a deadline. Holds a reference to each.
class [[nodiscard]] WaitAwaiter final : public Suspension, CallbackTimer {
public:
    // What a cancellation of the waiting task does to the tasks waited for.
    enum class OnCancelled : std::uint8_t { leave, cancel };
    using Timeout = std::optional<std::chrono::nanoseconds>;  // nullopt: none

    WaitAwaiter(std::span<TaskControl* const> tasks, ReturnWhen when, bool cancelled_counts, OnCancelled on_cancelled,
                Timeout timeout);
    ~WaitAwaiter();
    bool await_ready() const noexcept { return pending_ == 0 || first_ != nullptr; }
    void start();
    void await_resume() { check_cancelled(); }
    // The first of those that ended the wait before its time; nullptr: none did.
    TaskControl* first() const noexcept { return first_; }

private:
    struct Hook : DoneHook {
        WaitAwaiter* owner = nullptr;
        TaskControl* target = nullptr;
    };
    void one_done(TaskControl& task) noexcept;
    friend Suspension;
    void on_cancel() noexcept;
    std::uint64_t waits_for() const noexcept;
    void stop_waiting() noexcept;
    bool satisfies(const TaskControl& task) const noexcept;

    std::vector<Hook> hooks_;
    std::size_t pending_ = 0;
    ReturnWhen when_;
    bool cancelled_counts_;  // a cancelled task counts as one with an exception (gather), or not (wait)
    OnCancelled on_cancelled_;
    bool waiting_ = false;
    [[no_unique_address]] PassingOn passing_on_;
    bool cancel_passed_on_ = false;
    TaskControl* first_ = nullptr;
    Timeout timeout_;
    mutable Resource resource_;  // of a wait for several tasks
};

template <Awaitable A>
auto as_task(A&& awaitable) {
    return create_task(as_coro(std::forward<A>(awaitable)));
}
template <class T>
Task<T> as_task(Task<T>&& task) {
    return std::move(task);
}

template <class T>
std::vector<Task<T>> as_tasks(std::vector<Coro<T>>&& coros) {
    std::vector<Task<T>> tasks;
    tasks.reserve(coros.size());
    for (auto& coro : coros) tasks.push_back(create_task(std::move(coro)));
    return tasks;
}

template <class A>
using ValueOf = typename decltype(as_task(std::declval<A>()))::value_type;
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

template <class T>
using Outcome = std::variant<Stored<T>, std::exception_ptr>;

template <class T>
Outcome<T> outcome_of(Task<T>& task) {
    try {
        return Outcome<T>(std::in_place_index<0>, stored_result(task));
    } catch (...) {
        return Outcome<T>(std::in_place_index<1>, std::current_exception());
    }
}

// The controls of tasks, in order.
template <class Tasks>
std::vector<TaskControl*> controls_of(const Tasks& tasks) {
    std::vector<TaskControl*> controls;
    if constexpr (requires { tasks.size(); }) {
        controls.reserve(tasks.size());
        for (const AnyTask& task : tasks) controls.push_back(task.control());
    } else {
        std::apply([&](const auto&... task) { (controls.push_back(task.control()), ...); }, tasks);
    }
    return controls;
}

// Waits for a gather's tasks; throws the first error in order of completion.
Coro<> gather_tasks(std::vector<TaskControl*> tasks);
// Waits until all have ended.
Coro<> gather_ends(std::vector<TaskControl*> tasks);

template <class A>
concept Gatherable = Awaitable<std::remove_cvref_t<A>> || IsTask<std::remove_cvref_t<A>>::value;

}  // namespace detail

// Makes gather() wait for all and give errors as values: asyncio's return_exceptions=True.
class ReturnExceptions {
public:
    constexpr ReturnExceptions() noexcept {}
};
inline constexpr ReturnExceptions return_exceptions;

// Runs all concurrently and returns their values in order, void as std::monostate. The first error is thrown at once,
// and the others run on, as in asyncio (what they throw then is dropped); a TaskGroup cancels them instead. Cancelling
// the gather cancels all, and it ends when all have ended: asyncio's ends with the first, and leaves the others
// unobserved. A task may be given twice.
template <detail::Gatherable... A>
    requires(sizeof...(A) > 0)
Coro<std::tuple<detail::Stored<detail::ValueOf<A>>...>> gather(A... awaitables) {
    std::tuple<Task<detail::ValueOf<A>>...> tasks{detail::as_task(std::move(awaitables))...};
    co_await detail::gather_tasks(detail::controls_of(tasks));
    co_return std::apply(
        [](auto&... task) { return std::tuple<detail::Stored<detail::ValueOf<A>>...>{detail::stored_result(task)...}; },
        tasks);
}
inline Coro<std::tuple<>> gather() { co_return std::tuple<>(); }

// The same for any number of one type.
template <class T>
Coro<std::conditional_t<std::is_void_v<T>, void, std::vector<detail::Stored<T>>>> gather(std::vector<Task<T>> tasks) {
    co_await detail::gather_tasks(detail::controls_of(tasks));
    if constexpr (!std::is_void_v<T>) {
        std::vector<T> values;
        values.reserve(tasks.size());
        for (auto& task : tasks) values.push_back(detail::stored_result(task));
        co_return values;
    }
}
template <class T>
auto gather(std::vector<Coro<T>> coros) {
    return gather(detail::as_tasks(std::move(coros)));
}

// With errors as values: std::variant<value, std::exception_ptr> for each. Cancelling it cancels all as above.
template <detail::Gatherable... A>
Coro<std::tuple<detail::Outcome<detail::ValueOf<A>>...>> gather(ReturnExceptions, A... awaitables) {
    std::tuple<Task<detail::ValueOf<A>>...> tasks{detail::as_task(std::move(awaitables))...};
    co_await detail::gather_ends(detail::controls_of(tasks));
    co_return std::apply(
        [](auto&... task) { return std::tuple<detail::Outcome<detail::ValueOf<A>>...>{detail::outcome_of(task)...}; },
        tasks);
}
template <class T>
Coro<std::vector<detail::Outcome<T>>> gather(ReturnExceptions, std::vector<Task<T>> tasks) {
    co_await detail::gather_ends(detail::controls_of(tasks));
    std::vector<detail::Outcome<T>> outcomes;
    outcomes.reserve(tasks.size());
    for (auto& task : tasks) outcomes.push_back(detail::outcome_of(task));
    co_return outcomes;
}
template <class T>
auto gather(ReturnExceptions, std::vector<Coro<T>> coros) {
    return gather(return_exceptions, detail::as_tasks(std::move(coros)));
}

// The tasks given to wait(), in their order.
template <std::derived_from<AnyTask> H>
class WaitResult {
public:
    WaitResult() {}  // user-declared: may stand in an expression with co_await on g++ 12.2
    std::vector<H> done, pending;
};

// Waits until the condition holds or the time is over (a timeout of zero or less: one turn of the loop); cancels
// nothing, throws no task's error. FIRST_EXCEPTION: a task that was cancelled does not count as one with an exception.
// A task given twice counts once. Coroutines are not taken, as in asyncio: make tasks, of one type or of any
// (std::vector<AnyTask>). Errors: std::invalid_argument for no tasks.
template <std::derived_from<AnyTask> H>
Coro<WaitResult<H>> wait(std::vector<H> tasks, ReturnWhen return_when = ALL_COMPLETED,
                         std::optional<std::chrono::nanoseconds> timeout = std::nullopt) {
    if (tasks.empty()) throw std::invalid_argument("wait: there are no tasks");
    const std::vector<detail::TaskControl*> controls = detail::controls_of(tasks);
    detail::WaitAwaiter some(controls, return_when, false, detail::WaitAwaiter::OnCancelled::leave, timeout);
    co_await some;
    WaitResult<H> result;
    std::unordered_set<detail::TaskControl*> seen;
    for (auto& task : tasks)
        if (seen.insert(task.control()).second) (task.done() ? result.done : result.pending).push_back(std::move(task));
    co_return result;
}
// The same without a vector. Tasks of different types are given back as AnyTask.
//
//     auto [done, pending] = co_await wait(reader, writer);
//     co_await wait(FIRST_COMPLETED, reader, writer);
template <std::derived_from<AnyTask> H, std::derived_from<AnyTask>... More>
auto wait(ReturnWhen return_when, const H& task, const More&... more) {
    using Given = std::conditional_t<(std::is_same_v<H, More> && ...), H, AnyTask>;
    std::vector<Given> tasks;
    tasks.reserve(1 + sizeof...(More));
    tasks.push_back(task);
    (tasks.push_back(more), ...);
    return wait(std::move(tasks), return_when);
}
template <std::derived_from<AnyTask> H, std::derived_from<AnyTask>... More>
auto wait(const H& task, const More&... more) {
    return wait(ALL_COMPLETED, task, more...);
}

}  // namespace coroscope
