// The control block of a task, and the base of everything a task can wait on. Thread: the loop's, all of it.
#pragma once

#include <cstdint>
#include <exception>
#include <memory>
#include <source_location>
#include <string>
#include <string_view>

#include "coroscope/context.hpp"
#include "coroscope/detail/promise.hpp"
#include "coroscope/detail/wait.hpp"

namespace coroscope {
class EventLoop;
}

namespace coroscope::detail {

class Suspension;
class TaskControl;

// An entry of the loop's FIFO of what is ready: a task or a callback.
struct ReadyNode {
    ReadyNode* next_ready = nullptr;
    void (*run)(ReadyNode&) = nullptr;  // nullptr: a task
};

// Called once when a task is done; lives in whoever waits, who holds a reference to the task. Also called when a loop
// that ends gives up a pending task: its outcome is cancelled then.
struct DoneHook {
    DoneHook* next = nullptr;
    DoneHook* previous = nullptr;
    TaskControl* task = nullptr;                                  // nullptr: not attached
    void (*on_done)(DoneHook&, TaskControl&) noexcept = nullptr;  // detached already
};

// A callable with its arguments, kept alive as long as the task that runs the coroutine it made.
struct Keep {
    virtual ~Keep() = default;
    static void* operator new(std::size_t size) { return allocate_frame(size); }
    static void operator delete(void* memory, std::size_t size) noexcept { free_frame(memory, size); }
};

enum class TaskState : std::uint8_t { created, ready, running, suspended, done };
enum class TaskOutcome : std::uint8_t { none, ok, error, cancelled };

class TaskControl : public ReadyNode {
public:
    static void* operator new(std::size_t size) { return allocate_frame(size); }
    static void operator delete(void* memory, std::size_t size) noexcept { free_frame(memory, size); }

    std::uint32_t references = 1;  // the loop's, until done; then the handles'
    TaskState state = TaskState::created;
    TaskOutcome outcome = TaskOutcome::none;
    bool must_cancel : 1 = false;      // Cancelled is to be thrown at the await where it is suspended, or at the next
    bool interrupted : 1 = false;      // what it waited on was given up for that: uncancel() cannot take it back
    bool unwinds : 1 = false;          // a cancellation destroys its frames instead of throwing, where it may
    bool must_throw : 1 = false;       // not this one: a scope of the task itself asked for it, and will catch it
    bool ended_in_queue : 1 = false;   // by end_now(): the queue of the loop holds a reference
    bool retrieved : 1 = false;        // somebody has seen the exception
    std::uint8_t throwing_scopes = 0;  // while not 0, a cancellation is thrown; at the most it stays there
    std::uint32_t cancel_requests = 0;
    std::uint32_t creation_node = 0;
    std::uint32_t name_id = 0;
    std::uint32_t suspended_node = 0;  // the probe's, of the last suspension
    std::uint64_t id = 0;
    std::uint64_t parent_id = 0;
    EventLoop* loop = nullptr;
    TaskControl* next_task = nullptr;  // all tasks of the loop
    TaskControl* previous_task = nullptr;
    PromiseBase* root = nullptr;  // nullptr: its frames were destroyed by a cancellation
    PromiseBase* leaf = nullptr;  // innermost frame while suspended
    Suspension* waiting_on = nullptr;
    std::uint64_t wait = 0;  // wait_bits()
    DoneHook* hooks = nullptr;
    std::unique_ptr<Keep> keep;
    std::unique_ptr<std::string> name;
    std::unique_ptr<std::string> cancel_message;
    std::source_location created_at;
    ContextRef context;

    bool done() const noexcept { return state == TaskState::done; }
    std::string display_name() const { return name ? *name : "Task-" + std::to_string(id); }
    void set_name(std::string_view text);

    // asyncio's Task.cancel(): false if done. Otherwise Cancelled is thrown at its await, or at its next one.
    bool cancel(std::string_view message, std::source_location where) noexcept;
    // The same by a scope of the task (a timeout, a task group) that catches what it asked for: always thrown.
    void cancel_for_scope(std::string_view message) noexcept;
    std::uint32_t uncancel() noexcept {
        if (cancel_requests > 0 && --cancel_requests == 0 && !interrupted) must_cancel = must_throw = false;
        return cancel_requests;
    }
    // Of the last cancel(); empty: none.
    std::string_view message() const noexcept { return cancel_message ? *cancel_message : std::string_view(); }

    void begin_throwing_scope() noexcept {
        if (throwing_scopes != 255) ++throwing_scopes;
    }
    void end_throwing_scope() noexcept {
        if (throwing_scopes != 255) --throwing_scopes;
    }

    void add_hook(DoneHook& hook) noexcept;
    static void remove_hook(DoneHook& hook) noexcept;
    void reverse_hooks() noexcept;
    std::exception_ptr error() const noexcept { return root != nullptr ? root->error : std::exception_ptr(); }
    // For a task that was cancelled: throws the Cancelled that ended it.
    [[noreturn]] void rethrow_cancelled() const;
    // Destroys its frames, innermost first. It must not be running.
    void destroy_frames() noexcept;

    void reference() noexcept { ++references; }
    void release() noexcept {
        if (--references == 0) destroy(this);
    }

private:
    static void destroy(TaskControl* task) noexcept;
};

// Makes a task of a coroutine's frame on `loop` (nullptr: the running one; error if there is none). One reference is
// the loop's, one the caller's.
TaskControl* spawn(EventLoop* loop, PromiseBase& root, std::unique_ptr<Keep> keep, std::string_view name,
                   const std::source_location& where);
// Ends a task that is not running, here and now, by destroying its frames.
void end_now(TaskControl& task) noexcept;
void make_ready(TaskControl& task) noexcept;
[[noreturn]] void throw_cancelled(TaskControl& task);  // in the task itself
[[noreturn]] void throw_no_running_loop();
EventLoop* running_loop() noexcept;  // nullptr: none on this thread

// The base of every leaf awaiter: what a task can be suspended on. A derived awaiter calls suspend() in await_suspend,
// wake() once when what it waits for happened, and check_cancelled() first in await_resume. It lives in the awaiting
// frame: no allocation.
class Suspension {
public:
    Suspension() = default;
    Suspension(const Suspension&) = delete;
    Suspension& operator=(const Suspension&) = delete;

    // Called when the task is cancelled while suspended here. Unlinks the awaiter and calls wake_cancelled(), now or
    // later.
    using OnCancel = void (*)(Suspension&) noexcept;

    void cancel() noexcept { on_cancel_(*this); }
    TaskControl* task() const noexcept { return task_; }

protected:
    void suspend(std::uint64_t wait, OnCancel on_cancel) noexcept {
        task_ = current_task;
        on_cancel_ = on_cancel;
        task_->leaf = current_frame;
        task_->wait = wait;
        task_->waiting_on = this;
        if (task_->must_cancel) [[unlikely]] {  // cancelled while it ran: thrown here, at its next await
            task_->must_cancel = task_->interrupted = false;
            on_cancel_(*this);
        }
    }
    void wake() noexcept {
        task_->waiting_on = nullptr;
        make_ready(*task_);
    }
    void wake_cancelled() noexcept {
        task_->must_cancel = true;
        task_->interrupted = true;
        wake();
    }
    bool cancelled() const noexcept { return task_ != nullptr && task_->must_cancel; }
    void check_cancelled() {
        if (cancelled()) [[unlikely]]
            throw_cancelled(*task_);
    }

private:
    TaskControl* task_ = nullptr;
    OnCancel on_cancel_ = nullptr;
};

// A doubly linked list of awaiters, in the order of their coming. `Node` has next_waiter and previous_waiter.
template <class Node>
class WaiterList {
public:
    bool empty() const noexcept { return first_ == nullptr; }
    Node* front() const noexcept { return first_; }
    void push(Node& node) noexcept {
        node.next_waiter = nullptr;
        node.previous_waiter = last_;
        (last_ != nullptr ? last_->next_waiter : first_) = &node;
        last_ = &node;
        ++size_;
    }
    void remove(Node& node) noexcept {
        (node.previous_waiter != nullptr ? node.previous_waiter->next_waiter : first_) = node.next_waiter;
        (node.next_waiter != nullptr ? node.next_waiter->previous_waiter : last_) = node.previous_waiter;
        --size_;
    }
    Node* pop() noexcept {
        Node* node = first_;
        if (node != nullptr) remove(*node);
        return node;
    }
    std::size_t size() const noexcept { return size_; }

private:
    Node* first_ = nullptr;
    Node* last_ = nullptr;
    std::size_t size_ = 0;
};

}  // namespace coroscope::detail
