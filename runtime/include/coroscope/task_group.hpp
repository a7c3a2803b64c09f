// TaskGroup: tasks that end together. asyncio.TaskGroup, after trio's nurseries.
//
//     TaskGroup group;
//     auto a = group.create_task(process_item("A"));
//     auto b = group.create_task(process_item, "B");
//     co_await group.join();            // returns when all are done; then a.result(), b.result()
//
// The semantics are Python 3.13's. If one fails, the others are cancelled at the loop's next turn, and join() throws
// one ExceptionGroup with all errors when all have ended. If the task that joins is cancelled, the group's tasks are
// cancelled first, and join() throws Cancelled; with errors beside that, the ExceptionGroup comes first and Cancelled
// is thrown at the next await. A task of the group that is cancelled by itself is no error. Tasks may add tasks to
// their group. There is one kind of errors: Python's base errors (KeyboardInterrupt, SystemExit), which a group lets
// through alone, have no equal.
//
// No scope is left while its tasks run. C++ cannot wait in a destructor: when code between the first create_task and
// join() may throw, use with_task_group(), which always joins. A TaskGroup that is destroyed with tasks running ends
// them there and then, by destroying their frames: their destructors run, their catch blocks do not.
//
// When a task fails while the body waits before join(), the group interrupts the body there: Cancelled is thrown at its
// await, as asyncio does, and leaves the body with the group. In Python the end of the `async with` block then puts the
// ExceptionGroup in the place of that CancelledError. A C++ destructor can neither wait nor change the exception that
// flies. The coroutine that the exception leaves can: whoever awaits the coroutine in which the group stands gets the
// ExceptionGroup. A handler in that same coroutine, around the group, still sees Cancelled, whose message names the
// error; where it goes no further, and where the group is left by any other way without join(), the errors are
// reported as never retrieved. with_task_group() has none of these exceptions.
//
// Thread: the loop's. Only the task that made the group may join it. Errors of create_task(): std::logic_error after
// join() and once the group is ending; the coroutine is closed, the callable not called.
#pragma once

#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <source_location>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "coroscope/detail/resource.hpp"
#include "coroscope/detail/temporary.hpp"
#include "coroscope/loop.hpp"

namespace coroscope {

// How its tasks are made: create_task.hpp.
class TaskGroup : public detail::CreatesTasks<TaskGroup> {
public:
    // Errors: std::logic_error outside of tasks. `where`: for the debugger.
    TaskGroup(const std::source_location& where = std::source_location::current());
    ~TaskGroup();
    TaskGroup(const TaskGroup&) = delete;
    TaskGroup& operator=(const TaskGroup&) = delete;

    // Waits for all tasks of the group. Cancellation point if one runs. Throws ExceptionGroup, Cancelled. Goes on
    // together with those who await the last task itself; asyncio's a turn later.
    Coro<> join() { return join_after(nullptr); }
    // The same at the end of a body that failed with this, which counts like the error of a task.
    Coro<> join_after(std::exception_ptr body_error);
    // Cancels all its tasks; not an error, and tasks can still be added.
    void cancel(const std::source_location& where = std::source_location::current());
    std::size_t running() const noexcept { return running_; }

    // --- for the runtime
    // For the debugger, which shows the name beside the type. Any time; costs an allocation.
    void set_name(std::string_view name) noexcept { resource_.set_name(name, traits); }
    void before_make_task() const;
    template <class T>
    Task<T> make_task(Coro<T>&& coro, std::unique_ptr<detail::TaskExtras> extras, const TaskOptions& options) {
        Task<T> task = detail::spawn_coro(owner_->loop, std::move(coro), std::move(extras), options);
        add(task);
        return task;
    }

private:
    struct Member : detail::DoneHook {
        static void* operator new(std::size_t size) { return detail::allocate_frame(size); }
        static void operator delete(void* memory, std::size_t size) noexcept { detail::free_frame(memory, size); }
        TaskGroup* group = nullptr;
        Member* next_member = nullptr;
        Member* previous_member = nullptr;
        detail::TaskControl* control = nullptr;
    };
    class JoinAwaiter final : public detail::Suspension {
    public:
        explicit JoinAwaiter(TaskGroup& group) noexcept : group_(group) {}
        ~JoinAwaiter() { group_.joiner_ = nullptr; }
        bool await_ready() const noexcept { return group_.running_ == 0; }
        void start() noexcept;
        void await_resume() noexcept;
        void wake_up() noexcept { wake(); }

    private:
        friend detail::Suspension;
        void on_cancel() noexcept;
        std::uint64_t waits_for() const noexcept;
        TaskGroup& group_;
    };
    void add(const AnyTask& task);
    void cancel_members(const detail::CancelCause& cause);
    void abort(const detail::CancelCause& cause);
    void abort_because_of_error();
    void leave() noexcept;
    void close_scope() noexcept;
    void was_cancelled_in_join() noexcept;
    detail::CancelCause cause_of_body(bool body_cancelled) const noexcept;
    void member_done(Member& member, detail::TaskControl& task) noexcept;
    void remove(Member& member) noexcept;

    static constexpr detail::ResourceTraits traits{.type = detail::ResourceType::task_group};

    detail::TaskControl* owner_;
    detail::Resource resource_;
    Member* members_ = nullptr;
    std::size_t running_ = 0;
    std::vector<std::exception_ptr> errors_;
    std::vector<std::uint64_t> failed_;  // the tasks that threw them
    JoinAwaiter* joiner_ = nullptr;
    Handle abort_;                // scheduled by the first error
    bool scope_is_open_ = false;  // of the owner: while a task runs, or has failed and nobody was told
    bool aborting_ = false;
    bool owner_cancelled_by_group_ = false;
    bool cancelled_in_join_ = false;               // from outside, before anything else ended the group
    std::unique_ptr<std::string> cancel_message_;  // of that request; null: none
    bool joining_ = false;
};

namespace detail {

template <class Body>
auto run_with_task_group(Body body) -> std::invoke_result_t<Body&, TaskGroup&> {
    using T = typename std::invoke_result_t<Body&, TaskGroup&>::value_type;
    TaskGroup group;
    std::exception_ptr error;
    if constexpr (std::is_void_v<T>) {
        try {
            co_await body(group);
        } catch (...) {
            error = std::current_exception();
        }
        co_await group.join_after(error);
    } else {
        std::optional<T> value;
        try {
            value.emplace(co_await body(group));
        } catch (...) {
            error = std::current_exception();
        }
        co_await group.join_after(error);
        co_return std::move(*value);
    }
}

}  // namespace detail

// Runs `body(group)` and joins the group, whatever happens: also when the body throws. Gives what the body returned.
//
//     co_await with_task_group(serve_all);        // Coro<> serve_all(TaskGroup& group)
template <class Body>
auto with_task_group(Body&& body) {
    COROSCOPE_REFUSE_TEMPORARY_CALLABLE(Body, "co_await with_task_group(body)");
    return detail::run_with_task_group(std::decay_t<Body>(std::forward<Body>(body)));
}

}  // namespace coroscope
