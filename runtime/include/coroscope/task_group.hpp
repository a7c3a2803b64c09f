// TaskGroup: tasks that end together. asyncio.TaskGroup, after trio's nurseries.
//
//     TaskGroup group;
//     auto a = group.create_task(process_item("A"));
//     auto b = group.create_task(process_item("B"));
//     co_await group.join();            // returns when all are done; then a.result(), b.result()
//
// If one fails, the others are cancelled, and join() throws one ExceptionGroup with all errors when all have ended. If
// the task that joins is cancelled, the group's tasks are cancelled first. Tasks may add tasks to their group.
//
// C++ cannot wait in a destructor. When code between the first create_task and join() may throw, use with_task_group(),
// which always joins; a TaskGroup destroyed with tasks running cancels them, but cannot wait for their end.
#pragma once

#include <memory>
#include <source_location>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "coroscope/loop.hpp"

namespace coroscope {

class TaskGroup {
public:
    TaskGroup();
    ~TaskGroup();
    TaskGroup(const TaskGroup&) = delete;
    TaskGroup& operator=(const TaskGroup&) = delete;

    // Throws std::logic_error when the group has been joined or is ending; the coroutine is closed then.
    template <class T>
    Task<T> create_task(Coro<T> coro, std::string_view name = {},
                        std::source_location where = std::source_location::current()) {
        if (!is_open()) {
            coro.close();
            throw_closed();
        }
        Task<T> task = coroscope::create_task(std::move(coro), name, where);
        add(task);
        return task;
    }
    template <class F>
    requires detail::IsCoro < std::invoke_result_t < std::decay_t<F>
    & >> ::value auto create_task(F&& make, std::string_view name = {},
                                  std::source_location where = std::source_location::current()) {
        if (!is_open()) throw_closed();
        auto task = coroscope::create_task(std::forward<F>(make), name, where);
        add(task);
        return task;
    }
    // Waits for all tasks of the group. Cancellation point. Throws ExceptionGroup, Cancelled.
    Coro<> join();
    void cancel();  // cancels all its tasks
    std::size_t running() const noexcept { return running_; }

    // For with_task_group(): the body failed with this; it counts like the error of a task.
    void fail(std::exception_ptr error);

private:
    struct Member : detail::DoneHook {
        TaskGroup* group = nullptr;
        Member* next_member = nullptr;
        Member* previous_member = nullptr;
        detail::TaskControl* control = nullptr;
    };
    class JoinAwaiter : public detail::Suspension {
    public:
        explicit JoinAwaiter(TaskGroup& group) noexcept : group_(group) {}
        ~JoinAwaiter() { group_.joiner_ = nullptr; }
        bool await_ready() const noexcept { return group_.running_ == 0; }
        template <class P>
        void await_suspend(std::coroutine_handle<P>) noexcept {
            start();
        }
        void await_resume() { check_cancelled(); }
        void wake_up() noexcept { wake(); }

    private:
        void start() noexcept;
        TaskGroup& group_;
    };
    void add(const AnyTask& task);
    bool is_open() const noexcept { return !closed_ && !aborting_; }
    [[noreturn]] void throw_closed() const;
    void abort_soon();
    void abort() noexcept;
    void member_done(Member& member, detail::TaskControl& task) noexcept;

    detail::TaskControl* owner_;
    Member* members_ = nullptr;
    std::size_t running_ = 0;
    std::vector<std::exception_ptr> errors_;
    JoinAwaiter* joiner_ = nullptr;
    std::shared_ptr<TaskGroup*> abort_pending_;  // for the callback that will abort it; nullptr within: it is gone
    bool aborting_ = false;
    bool owner_cancelled_by_group_ = false;
    bool closed_ = false;
};

// Runs `body(group)` and joins the group, whatever happens: also when the body throws.
//
//     co_await with_task_group(serve_all);        // Coro<> serve_all(TaskGroup& group)
template <class Body>
Coro<> with_task_group(Body body) {
    TaskGroup group;
    try {
        co_await body(group);
    } catch (...) {
        group.fail(std::current_exception());
    }
    co_await group.join();
}

}  // namespace coroscope
