// Task<T>: a coroutine scheduled on a loop, and the handle to it.
//
//     Task<int> task = create_task(compute(7));      // starts at the loop's next turn
//     int value = co_await task;                     // waits; throws what it threw
//
// A Task is a handle: copies refer to the same task; dropping all of them does not stop it (unlike Python's, the loop
// keeps it alive). An exception that nobody retrieved is reported when the last handle goes. Awaiting a task and being
// cancelled cancels the awaited task too, as in asyncio; shield() prevents that. Thread: the loop's. Errors: as the
// coroutine threw them.
#pragma once

#include <functional>
#include <memory>
#include <source_location>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "coroscope/coro.hpp"
#include "coroscope/detail/task_control.hpp"
#include "coroscope/error.hpp"

namespace coroscope {

// What all tasks have, whatever they return.
class AnyTask {
public:
    AnyTask() noexcept = default;
    AnyTask(const AnyTask& other) noexcept : control_(other.control_) {
        if (control_ != nullptr) control_->reference();
    }
    AnyTask(AnyTask&& other) noexcept : control_(std::exchange(other.control_, nullptr)) {}
    AnyTask& operator=(AnyTask other) noexcept {
        std::swap(control_, other.control_);
        return *this;
    }
    ~AnyTask() {
        if (control_ != nullptr) control_->release();
    }
    static AnyTask adopt(detail::TaskControl* control) noexcept {  // takes over one reference
        AnyTask task;
        task.control_ = control;
        return task;
    }
    static AnyTask share(detail::TaskControl* control) noexcept {
        if (control != nullptr) control->reference();
        return adopt(control);
    }

    explicit operator bool() const noexcept { return control_ != nullptr; }
    bool operator==(const AnyTask& other) const noexcept { return control_ == other.control_; }

    bool done() const noexcept { return control_->done(); }
    bool cancelled() const noexcept { return control_->outcome == detail::TaskOutcome::cancelled; }
    // Asks for cancellation: Cancelled is thrown at the task's await. False if it is done. Not a cancellation point.
    bool cancel(std::string_view message = {},
                std::source_location where = std::source_location::current()) const noexcept {
        return control_->cancel(message, where);
    }
    // Takes one request back and returns how many are left.
    std::uint32_t uncancel() const noexcept { return control_->uncancel(); }
    std::uint32_t cancelling() const noexcept { return control_->cancel_requests; }
    // What it threw; nullptr if nothing. Throws InvalidStateError if not done, Cancelled if cancelled.
    std::exception_ptr exception() const;
    std::string name() const { return control_->display_name(); }
    void set_name(std::string_view name) const { control_->set_name(name); }
    std::uint64_t id() const noexcept { return control_->id; }
    // asyncio's add_done_callback: called by the loop soon after it is done.
    void add_done_callback(std::function<void(AnyTask)> callback) const;

    detail::TaskControl* control() const noexcept { return control_; }

protected:
    void require_done() const {
        if (!done()) throw InvalidStateError("the task is not done: " + name());
    }
    detail::TaskControl* control_ = nullptr;
};

template <class T = void>
class Task : public AnyTask {
public:
    using value_type = T;

    Task() noexcept = default;
    explicit Task(AnyTask&& task) noexcept : AnyTask(std::move(task)) {}

    // The value; throws what the task threw, Cancelled if it was cancelled, InvalidStateError if it is not done.
    decltype(auto) result() const {
        require_done();
        control_->retrieved = true;
        if (cancelled()) [[unlikely]]
            detail::throw_was_cancelled(*control_);
        return promise().get();
    }

    detail::Promise<T>& promise() const noexcept { return static_cast<detail::Promise<T>&>(*control_->root); }
};

namespace detail {

template <class T>
std::exception_ptr error_of(const PromiseBase& root) noexcept {
    return static_cast<const Promise<T>&>(root).error();
}

// Waits for one task.
class JoinBase : public Suspension, public DoneHook {
public:
    explicit JoinBase(TaskControl* target) noexcept : target_(target) { target_->reference(); }
    ~JoinBase() {
        TaskControl::remove_hook(*this);
        target_->release();
    }
    bool await_ready() const noexcept { return target_->done(); }
    template <class P>
    void await_suspend(std::coroutine_handle<P>) noexcept {
        suspend_until_done();
    }

protected:
    // `pass_on`: being cancelled cancels the target, and its end ends the wait; else the wait ends at once.
    void suspend_until_done(bool pass_on = true) noexcept;
    TaskControl* target_;
};

template <class T>
class [[nodiscard]] JoinAwaiter : public JoinBase {
public:
    JoinAwaiter(TaskControl* target, bool consume) noexcept : JoinBase(target), consume_(consume) {}
    T await_resume() {
        check_cancelled();
        target_->retrieved = true;
        auto& promise = static_cast<Promise<T>&>(*target_->root);
        if (target_->outcome == TaskOutcome::cancelled) [[unlikely]]
            throw_was_cancelled(*target_);
        if constexpr (std::is_void_v<T>) {
            promise.get();
        } else if constexpr (std::is_copy_constructible_v<T>) {
            if (!consume_) return promise.get();
            return promise.take();
        } else {
            return promise.take();
        }
    }

private:
    bool consume_;
};

template <class U>
JoinAwaiter<U> PromiseWithAwait::await_transform(Task<U>& task, std::source_location where) noexcept {
    await_site = where;
    return JoinAwaiter<U>(task.control(), false);
}
template <class U>
JoinAwaiter<U> PromiseWithAwait::await_transform(Task<U>&& task, std::source_location where) noexcept {
    await_site = where;
    return JoinAwaiter<U>(task.control(), false);
}

// A callable with its arguments, which the coroutine it makes may refer to for as long as the task exists: captures are
// safe.
template <class F, class... Args>
struct KeptCall final : Keep {
    template <class G, class... As>
    explicit KeptCall(G&& g, As&&... as) : function(std::forward<G>(g)), arguments(std::forward<As>(as)...) {}
    auto call() { return std::apply(function, arguments); }
    F function;
    std::tuple<Args...> arguments;
};

template <class T>
struct IsCoro : std::false_type {};
template <class T>
struct IsCoro<Coro<T>> : std::true_type {};
template <class T>
struct IsTask : std::false_type {};
template <class T>
struct IsTask<Task<T>> : std::true_type {};

template <class T>
Task<T> spawn_coro(EventLoop* loop, Coro<T>&& coro, std::unique_ptr<Keep> keep, std::string_view name,
                   const std::source_location& where) {
    Promise<T>* promise = coro.release();
    if (promise == nullptr) throw std::logic_error("create_task: the coroutine object was moved from");
    return Task<T>(AnyTask::adopt(spawn(loop, *promise, &error_of<T>, std::move(keep), name, where)));
}

}  // namespace detail

// Schedules the coroutine as a task of the running loop. Throws std::logic_error if no loop runs on this thread.
template <class T>
Task<T> create_task(Coro<T> coro, std::string_view name = {},
                    std::source_location where = std::source_location::current()) {
    return detail::spawn_coro(nullptr, std::move(coro), nullptr, name, where);
}

// The same for something that makes a coroutine. The task keeps the callable, so a lambda's captures live as long as
// its coroutine.
template <class F>
requires detail::IsCoro < std::invoke_result_t < std::decay_t<F>
& >> ::value auto create_task(F&& make, std::string_view name = {},
                              std::source_location where = std::source_location::current()) {
    auto keep = std::make_unique<detail::KeptCall<std::decay_t<F>>>(std::forward<F>(make));
    auto coro = keep->call();
    return detail::spawn_coro(nullptr, std::move(coro), std::move(keep), name, where);
}

// The task whose step runs; empty outside of tasks.
inline AnyTask current_task() noexcept { return AnyTask::share(detail::current_task); }
// The tasks of the running loop that are not done, oldest first.
std::vector<AnyTask> all_tasks();

}  // namespace coroscope
