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
    explicit ReadyNode(bool a_task) noexcept : is_task(a_task) {}
    union {
        ReadyNode* next_ready = nullptr;  // while it is in the queue
        Suspension* waiting_on;           // of a task that is not: what it is suspended on; nullptr: nothing known
    };
    const bool is_task;
};

// Called once when a task is done; lives in whoever waits, who holds a reference to the task. Also called when a loop
// that ends gives up a pending task: its outcome is cancelled then.
struct DoneHook {
    DoneHook* next = nullptr;
    DoneHook* previous = nullptr;
    TaskControl* task = nullptr;                                  // nullptr: not attached
    void (*on_done)(DoneHook&, TaskControl&) noexcept = nullptr;  // detached already
};

// What few tasks have: one allocation for all of it. Derived: a callable with its arguments, kept alive as long as the
// task that runs the coroutine it made.
struct TaskExtras {
    std::string name;
    std::uint32_t name_id = 0;                    // the probe's; 0: not asked for yet
    std::unique_ptr<std::string> cancel_message;  // of the last cancel()

    TaskExtras() = default;
    TaskExtras(const TaskExtras&) = delete;
    TaskExtras& operator=(const TaskExtras&) = delete;
    virtual ~TaskExtras() = default;
    static void* operator new(std::size_t size) { return allocate_frame(size); }
    static void operator delete(void* memory, std::size_t size) noexcept { free_frame(memory, size); }
};

enum class TaskState : std::uint8_t { created, ready, running, suspended, done };
using TaskOutcome = vocabulary::Outcome;  // unknown: it has not ended

// A sleeping task shall cost no more than 256 bytes with its frame and timer: every word here is worth a thought.
class TaskControl : public ReadyNode {
public:
    TaskControl() noexcept : ReadyNode(true) {}
    static void* operator new(std::size_t size) { return allocate_frame(size); }
    static void operator delete(void* memory, std::size_t size) noexcept { free_frame(memory, size); }

    TaskState state = TaskState::created;
    TaskOutcome outcome = TaskOutcome::unknown;
    std::uint8_t throwing_scopes = 0;  // while not 0, a cancellation is thrown; at the most it stays there
    bool must_cancel : 1 = false;      // Cancelled is to be thrown at the await where it is suspended, or at the next
    bool interrupted : 1 = false;      // what it waited on was given up for that: uncancel() cannot take it back
    bool unwinds : 1 = false;          // a cancellation destroys its frames instead of throwing, where it may
    bool must_throw : 1 = false;       // not this one: a scope of the task itself asked for it, and will catch it
    bool ended_in_queue : 1 = false;   // by end_now(): the queue of the loop holds a reference
    bool retrieved : 1 = false;        // somebody has seen the exception
    bool yielded = false;              // it gave up its turn, and was ready at once
    std::uint32_t references = 1;      // the loop's, until done; then the handles'
    std::uint32_t cancel_requests = 0;
    std::uint32_t creation_node = 0;   // the probe's, and so is this:
    std::uint32_t suspended_node = 0;  // of the last suspension
    std::uint64_t id = 0;
    std::uint64_t parent_id = 0;
    EventLoop* loop = nullptr;
    TaskControl* next_task = nullptr;  // all tasks of the loop
    TaskControl* previous_task = nullptr;
    PromiseBase* root = nullptr;  // nullptr: its frames were destroyed by a cancellation
    PromiseBase* leaf = nullptr;  // innermost frame while suspended
    DoneHook* hooks = nullptr;
    std::unique_ptr<TaskExtras> extras;
    ContextRef context;

    bool done() const noexcept { return state == TaskState::done; }
    bool in_queue() const noexcept { return state == TaskState::created || state == TaskState::ready; }  // if not done
    bool has_name() const noexcept { return extras && !extras->name.empty(); }
    std::string display_name() const { return has_name() ? extras->name : "Task-" + std::to_string(id); }
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
    std::string_view message() const noexcept {
        return extras && extras->cancel_message ? *extras->cancel_message : std::string_view();
    }

    void begin_throwing_scope() noexcept {
        if (throwing_scopes != 255) ++throwing_scopes;
    }
    void end_throwing_scope() noexcept {
        if (throwing_scopes != 255) --throwing_scopes;
    }

    void add_hook(DoneHook& hook) noexcept;
    static void remove_hook(DoneHook& hook) noexcept;
    void reverse_hooks() noexcept;
    std::exception_ptr error() const noexcept { return root != nullptr ? root->error() : std::exception_ptr(); }
    // For a task that was cancelled: throws the Cancelled that ended it.
    [[noreturn]] void rethrow_cancelled() const;
    // Destroys its frames, innermost first. It must not be running.
    void destroy_frames() noexcept;

    void reference() noexcept { ++references; }
    void release() noexcept {
        if (--references == 0) destroy(this);
    }

    TaskExtras& make_extras();

private:
    static void destroy(TaskControl* task) noexcept;
};

static_assert(sizeof(TaskControl) <= 112);

// Makes a task of a coroutine's frame on `loop` (nullptr: the running one; error if there is none). One reference is
// the loop's, one the caller's.
TaskControl* spawn(EventLoop* loop, PromiseBase& root, std::unique_ptr<TaskExtras> extras, std::string_view name,
                   const std::source_location& where);
// Ends a task that is not running, here and now, by destroying its frames.
void end_now(TaskControl& task) noexcept;
void make_ready(TaskControl& task) noexcept;
[[noreturn]] void throw_cancelled(TaskControl& task);  // in the task itself
[[noreturn]] void throw_no_running_loop();
EventLoop* running_loop() noexcept;  // nullptr: none on this thread

// What an awaiter can be asked while a task is suspended on it. (Not virtual functions: their table would be entered
// into every awaiter, also into those that never suspend.)
struct SuspensionType {
    void (*on_cancel)(Suspension&) noexcept;
    std::uint64_t (*waits_for)(const Suspension&) noexcept;
};

// The base of every leaf awaiter: what a task can be suspended on. A derived awaiter calls suspend(*this) in
// await_suspend, wake() once when what it waits for happened, and check_cancelled() first in await_resume. It lives in
// the awaiting frame: no allocation. It has, besides:
//     void on_cancel() noexcept;
//         The task is cancelled while suspended here: unlinks the awaiter and calls wake_cancelled(), now or later.
//     std::uint64_t waits_for() const noexcept;
//         What it waits for, as pack_wait(): asked by the debugger while the task is suspended here.
class Suspension {
public:
    Suspension(const Suspension&) = delete;
    Suspension& operator=(const Suspension&) = delete;

    const SuspensionType& type() const noexcept { return *type_; }
    TaskControl* task() const noexcept { return task_; }  // nullptr before suspend()

protected:
    Suspension() noexcept = default;
    ~Suspension() = default;
    // Room for a number that the awaiter needs until suspend(). There is no task() before that.
    struct Room {
        std::int64_t number;
    };
    explicit Suspension(Room room) noexcept : room_(room.number) {}
    std::int64_t room() const noexcept { return room_; }

    template <class A>
    void suspend(A&) noexcept {
        suspend(type_of<A>);
    }
    template <class A>
    static constexpr SuspensionType type_of{
        [](Suspension& self) noexcept { static_cast<A&>(self).on_cancel(); },
        [](const Suspension& self) noexcept { return static_cast<const A&>(self).waits_for(); }};
    void suspend(const SuspensionType& type) noexcept {
        task_ = current_task;
        type_ = &type;
        task_->leaf = current_frame;
        task_->yielded = false;
        task_->waiting_on = this;
        if (task_->must_cancel) [[unlikely]] {  // cancelled while it ran: thrown here, at its next await
            task_->must_cancel = task_->interrupted = false;
            type.on_cancel(*this);
        }
    }
    void wake() noexcept { make_ready(*task_); }
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
    union {
        TaskControl* task_ = nullptr;
        std::int64_t room_;
    };
    const SuspensionType* type_;  // set by suspend()
};

// A doubly linked list of awaiters that wait for the same thing: the first that came is the first to go.
class WaiterListBase;
struct WaiterLinks {
    // Set by the list. Nothing here is before: many awaiters never wait.
    WaiterListBase* list;  // nullptr: in none any more
    WaiterLinks* next;
    WaiterLinks* previous;
};

class WaiterListBase {
public:
    bool empty() const noexcept { return first_ == nullptr; }
    std::size_t size() const noexcept { return size_; }
    void push(WaiterLinks& waiter) noexcept {
        waiter.list = this;
        waiter.next = nullptr;
        waiter.previous = last_;
        (last_ != nullptr ? last_->next : first_) = &waiter;
        last_ = &waiter;
        ++size_;
    }
    void remove(WaiterLinks& waiter) noexcept {
        waiter.list = nullptr;
        (waiter.previous != nullptr ? waiter.previous->next : first_) = waiter.next;
        (waiter.next != nullptr ? waiter.next->previous : last_) = waiter.previous;
        --size_;
    }

protected:
    WaiterLinks* first_ = nullptr;

private:
    WaiterLinks* last_ = nullptr;
    std::size_t size_ = 0;
};

// The base of awaiters that wait in a list.
class Waiter : public Suspension, public WaiterLinks {
public:
    void on_cancel() noexcept {
        leave_list();
        wake_cancelled();
    }
    void wake_up() noexcept { wake(); }  // it is in no list any more

protected:
    Waiter() = default;
    ~Waiter() { leave_list(); }  // its frame may be destroyed while it waits
    template <class W>
    void wait_in(WaiterListBase& waiters, W& self) noexcept {
        waiters.push(*this);
        suspend(self);
    }
    void leave_list() noexcept {
        if (task() != nullptr && list != nullptr) list->remove(*this);
    }
};

// Of awaiters of the class W, all of them.
template <class W>
class WaiterList : public WaiterListBase {
public:
    W* pop() noexcept {
        if (empty()) return nullptr;
        auto* waiter = static_cast<W*>(first_);
        remove(*waiter);
        return waiter;
    }
    void wake_all() noexcept {
        while (W* waiter = pop()) waiter->wake_up();
    }
};

}  // namespace coroscope::detail
