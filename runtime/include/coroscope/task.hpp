// Task<T>: a coroutine scheduled on a loop, and the handle to it.
//
//     Task<int> task = create_task(compute(7));      // starts at the loop's next turn
//     int value = co_await task;                     // waits; throws what it threw
//
// A Task is a handle: copies refer to the same task; dropping all of them does not stop it (unlike Python's, the loop
// keeps it alive). An exception that nobody retrieved is reported when the last handle is destroyed. Awaiting a task
// and being cancelled cancels the awaited task too, as in asyncio; shield() prevents that. Thread: the loop's. Errors:
// as the coroutine threw them. How tasks are made: create_task.hpp.
#pragma once

#include <functional>
#include <source_location>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "coroscope/coro.hpp"
#include "coroscope/detail/task_control.hpp"
#include "coroscope/error.hpp"

namespace coroscope {

namespace detail {
class EndAwaiter;
}

// What all tasks have, whatever they return. Of an empty handle (default-constructed, or moved from) only operator
// bool, the comparison, assignment and destruction may be used; everything else needs a task.
class AnyTask {
public:
    AnyTask() noexcept = default;  // empty
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
    // For the runtime, as control() below. adopt() takes over one reference.
    static AnyTask adopt(detail::TaskControl* control) noexcept {
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

    bool done() const noexcept { return control()->done(); }
    bool cancelled() const noexcept { return control_->outcome == detail::TaskOutcome::cancelled; }
    // Asks for cancellation: Cancelled, with the message, is thrown at the task's await, or at its next one, and comes
    // to whoever awaits the task. False if it is done. Not a cancellation point.
    bool cancel(std::string_view message = {},
                std::source_location where = std::source_location::current()) const noexcept {
        return control_->cancel(message, where);
    }
    // Takes one request back and returns how many remain. If none remain and Cancelled has not been thrown yet, it will
    // not be.
    std::uint32_t uncancel() const noexcept { return control_->uncancel(); }
    std::uint32_t cancelling() const noexcept { return control_->cancel_requests; }
    // What it threw; nullptr if nothing. Throws InvalidStateError if not done, Cancelled if cancelled.
    std::exception_ptr exception(std::source_location where = std::source_location::current()) const;
    // co_await task.wait(): waits for the end of the task and ignores its result and its exception. Cancelling this
    // wait leaves the task alone. asyncio's wait() of one task. Cancellation point.
    detail::EndAwaiter wait() const noexcept;
    std::string name() const { return control_->display_name(); }
    void set_name(std::string_view name) const { control_->set_name(name); }
    std::uint64_t id() const noexcept { return control_->id; }
    // asyncio's add_done_callback: called by the loop soon after it is done, in the order of the adding. What it throws
    // goes to the loop's exception handler.
    void add_done_callback(std::function<void(AnyTask)> callback,
                           std::source_location where = std::source_location::current()) const;

    detail::TaskControl* control() const noexcept {  // for the runtime
        COROSCOPE_ASSERT(control_ != nullptr, "a handle that is used refers to a task");
        return control_;
    }

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
    decltype(auto) result(std::source_location where = std::source_location::current()) const {
        require_done();
        control_->retrieve(where);
        if (cancelled()) control_->rethrow_cancelled();
        return promise().get();
    }

    // For the runtime. Not of a cancelled task: its frames may be gone.
    detail::Promise<T>& promise() const noexcept { return static_cast<detail::Promise<T>&>(*control_->root); }
};

namespace detail {

// Waits for one task.
class JoinBase : public Suspension, public DoneHook {
public:
    bool await_ready() const {
        if (target_ == current_task) [[unlikely]]
            throw_awaits_itself();
        return target_->done();
    }
    std::uint64_t waits_for() const noexcept;

protected:
    explicit JoinBase(TaskControl* target) noexcept : target_(target) { target_->reference(); }
    JoinBase(JoinBase&& other) noexcept
        : Suspension(static_cast<Suspension&&>(other)), DoneHook(), target_(other.target_) {
        COROSCOPE_ASSERT(other.DoneHook::task == nullptr, "an awaiter that waits is not moved");
        target_->reference();
    }
    ~JoinBase() {
        TaskControl::remove_hook(*this);
        target_->release();
    }
    void wait_for_end(const SuspensionType& type) noexcept;
    // What a cancellation can do: end the wait, or cancel the target too, whose end then ends the wait.
    void leave() noexcept;
    void pass_on_cancel() noexcept;
    // What the target ended with is given to the waiting task now.
    void retrieve_target() {
        target_->retrieved = true;
        if (debug_enabled()) [[unlikely]]
            observe_end();
    }

    TaskControl* target_;

private:
    [[noreturn]] static void throw_awaits_itself();
    void target_done(const TaskControl& done) noexcept;
    void observe_end();

    [[no_unique_address]] PassingOn passing_on_;
    bool passed_on_ = false;
};

// Waits for the end of a task.
class [[nodiscard]] EndAwaiter final : public JoinBase {
public:
    explicit EndAwaiter(TaskControl* target) noexcept : JoinBase(target) {}
    void start() noexcept { wait_for_end(type_of<EndAwaiter>); }
    void await_resume() { check_cancelled(); }

private:
    friend Suspension;
    void on_cancel() noexcept { leave(); }
};

// Waits for what a task returns or throws. `shields`: it is not cancelled with the awaiting task.
template <class T, bool shields>
class [[nodiscard]] JoinAwaiter final : public JoinBase {
public:
    explicit JoinAwaiter(TaskControl* target) noexcept : JoinBase(target) {}
    void start() noexcept { wait_for_end(type_of<JoinAwaiter>); }
    T await_resume() {
        check_cancelled();
        retrieve_target();
        if (target_->root == nullptr) [[unlikely]]  // cancelled without a throw
            target_->rethrow_cancelled();
        auto& promise = static_cast<Promise<T>&>(*target_->root);
        if constexpr (std::is_void_v<T>) {
            promise.get();
        } else if constexpr (std::is_copy_constructible_v<T>) {
            return promise.get();
        } else {
            return promise.take();
        }
    }

private:
    friend Suspension;
    void on_cancel() noexcept { shields ? leave() : pass_on_cancel(); }
};

template <class U>
Awaiting<JoinAwaiter<U>> PromiseWithAwait::await_transform(const Task<U>& task, SitePointer where) noexcept {
    await_site = to_site(where);
    return Awaiting<JoinAwaiter<U>>(task.control());
}

template <class T>
struct IsCoro : std::false_type {};
template <class T>
struct IsCoro<Coro<T>> : std::true_type {};
template <class T>
struct IsTask : std::false_type {};
template <class T>
struct IsTask<Task<T>> : std::true_type {};

}  // namespace detail

inline detail::EndAwaiter AnyTask::wait() const noexcept { return detail::EndAwaiter(control_); }

// The task whose step runs; empty outside of tasks.
inline AnyTask current_task() noexcept { return AnyTask::share(detail::current_task); }
// The tasks of the running loop, or of another one on this thread, that are not done, oldest first. Errors:
// std::logic_error if no loop runs.
std::vector<AnyTask> all_tasks();
std::vector<AnyTask> all_tasks(EventLoop& loop);

// While it lives, a cancellation of the current task is thrown as Cancelled, also in a task that otherwise unwinds
// (TaskOptions::unwind_cancellation). For code that must await while it cleans up. Must be destroyed by the task that
// made it. Thread: the loop's.
class ThrowingCancellation {
public:
    ThrowingCancellation() noexcept : task_(detail::current_task) {
        if (task_ != nullptr) task_->begin_throwing_scope();
    }
    ~ThrowingCancellation() {
        if (task_ != nullptr) task_->end_throwing_scope();
    }
    ThrowingCancellation(const ThrowingCancellation&) = delete;
    ThrowingCancellation& operator=(const ThrowingCancellation&) = delete;

private:
    detail::TaskControl* task_;
};

}  // namespace coroscope
