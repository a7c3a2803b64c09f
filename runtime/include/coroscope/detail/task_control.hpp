// The control block of a task, and the base of everything a task can wait on. Thread: the loop's, all of it.
#pragma once

#include <cstdint>
#include <exception>
#include <memory>
#include <source_location>
#include <string>
#include <string_view>
#include <utility>

#include "coroscope/context.hpp"
#include "coroscope/detail/assert.hpp"
#include "coroscope/detail/promise.hpp"
#include "coroscope/detail/wait.hpp"

namespace coroscope {
class CustomResource;
class EventLoop;
}  // namespace coroscope

namespace coroscope::detail {

class Suspension;
class TaskControl;

// An entry of the loop's FIFO of what is ready: a task or a callback.
struct ReadyNode {
    explicit ReadyNode(bool a_task) noexcept : is_task(a_task) {}
    union {
        ReadyNode* next_ready = nullptr;  // while it is in the queue
        Suspension* waiting_on;           // of a task that is not in the queue: TaskControl::suspended_on()
    };
    const bool is_task;
};

// Called once when a task is done. It lives in the object that waits for the task, which holds a reference to the task.
// Also called when a loop that ends gives up a pending task: its outcome is cancelled then.
struct DoneHook {
    DoneHook* next = nullptr;
    DoneHook* previous = nullptr;
    TaskControl* task = nullptr;                                  // nullptr: not attached
    void (*on_done)(DoneHook&, TaskControl&) noexcept = nullptr;  // detached already
};

struct LeftErrors;  // runtime/src/core/task_error.hpp

// What few tasks have: one allocation for all of it. Derived: a callable with its arguments, kept alive as long as the
// task that runs the coroutine it made.
struct TaskExtras {
    std::string name;
    std::uint32_t name_id = 0;                    // the probe's; 0: not asked for yet
    std::unique_ptr<std::string> cancel_message;  // of the last cancel()
    CustomResource* shown_wait = nullptr;         // what its waits are shown as; nullptr: what they are
    std::uint64_t cancel_number = 0;              // of the last Cancelled thrown into it that has a number; 0: none
    std::shared_ptr<LeftErrors> left_errors;      // of a TaskGroup that an exception has just left; nullptr: none

    TaskExtras() = default;
    TaskExtras(const TaskExtras&) = delete;
    TaskExtras& operator=(const TaskExtras&) = delete;
    virtual ~TaskExtras() = default;
    static void* operator new(std::size_t size) { return allocate_frame(size); }
    static void operator delete(void* memory, std::size_t size) noexcept { free_frame(memory, size); }
};

// By what a cancellation is asked for: for the debugger. What it costs to know is paid only while debug mode is on.
using vocabulary::CancelOrigin;
struct CancelCause {
    CancelOrigin origin = CancelOrigin::unknown;
    std::uint64_t by = 0;    // the task that asks, or because of which; 0: none
    std::uint32_t node = 0;  // probe node of the place; 0: unknown
};
// Asked for by the running task at its await, or, for a join, by a task that is cancelled itself.
CancelCause cause_here(CancelOrigin origin) noexcept;
CancelCause passed_on_by(const TaskControl& task) noexcept;

// A cancellation that one task passes on to others may come round to where it was: among tasks that await each other in
// a circle. Each awaiter that passes it on has one of these.
class PassingOn {
public:
    // came_round: the wait is to end at once. passed_on: it was, and all tasks are being cancelled, each by itself.
    enum class Begun : std::uint8_t { yes, came_round, passed_on };
    Begun begin() noexcept;
    void end() noexcept { on_the_way_ = false; }

private:
    std::uint64_t on_the_way_ : 1 = false;
    std::uint64_t last_batch_ : 31 = 0;  // of cancellations that were put off: TaskControl::cancel()
    std::uint64_t last_sweep_ : 32 = 0;  // no bit is left over: to set up part of a word is to wait until it was read
};

// While it lives, all tasks of this thread's loop are being cancelled. What each passes on need not go on and on: in a
// chain of n tasks that await each other there would be n * n / 2 requests.
class CancelSweep {
public:
    CancelSweep() noexcept;
    ~CancelSweep();
    CancelSweep(const CancelSweep&) = delete;
    CancelSweep& operator=(const CancelSweep&) = delete;
};

enum class TaskState : std::uint8_t { created, ready, running, suspended, done };
using TaskOutcome = vocabulary::Outcome;  // unknown: it has not ended

// A task, as its loop sees it. A sleeping task shall cost no more than 256 bytes with its frame and timer: every word
// here is worth a thought.
//
// What is valid in which state:
//
// clang-format off
//     state       in the queue        leaf              suspended_on()   ends the state
//     created     yes                 nullptr           -                run_step()
//     ready       yes                 where it goes on  -                run_step()
//     running     no                  stale             nullptr          suspend(), give_up_turn(), its end, destroy_frames()
//     suspended   no                  where it waits    its awaiter      make_ready(), end_now()
//     done        no, ended_in_queue  -                 -                -
// clang-format on
//
// How a cancellation travels. A request does exactly one of two things: it sets must_cancel, if the task is created,
// ready or running; or it calls on_cancel() of the awaiter that the task is suspended on, which gives the wait up and
// sets must_cancel and interrupted, at once or later.
//
//     flag          set by                                     cleared by
//     must_cancel   a request, as above                        the throw of Cancelled; the next suspend(), which gives
//                                                              the new wait up; uncancel(), unless interrupted
//     interrupted   Suspension::wake_cancelled()               with must_cancel; give_up_turn()
//     must_throw    cancel_for_scope()                         with must_cancel
//
// At its next step a task with must_cancel throws Cancelled at its await. If it unwinds instead, or has not begun, its
// frames are destroyed: ends_without_throw() in loop_step.cpp says when.
class TaskControl : public ReadyNode {
public:
    TaskControl() noexcept : ReadyNode(true) {}
    static void* operator new(std::size_t size) { return allocate_frame(size); }
    static void operator delete(void* memory, std::size_t size) noexcept { free_frame(memory, size); }

    TaskState state = TaskState::created;
    TaskOutcome outcome = TaskOutcome::unknown;
    // Number of open ThrowingCancellation scopes, task groups among them; while it is not 0, cancellations are thrown,
    // also in a task that unwinds. It saturates at 255.
    std::uint8_t throwing_scopes = 0;
    bool must_cancel : 1 = false;  // Cancelled is to be thrown at the await where it is suspended, or at the next
    bool interrupted : 1 = false;  // what it waited on was given up for that: uncancel() cannot take it back
    bool unwinds : 1 = false;      // a cancellation destroys its frames instead of throwing, where it may
    // This cancellation is thrown even if the task unwinds: a Timeout or TaskGroup inside the task requested it and
    // will catch it.
    bool must_throw : 1 = false;
    bool ended_in_queue : 1 = false;  // by end_now(): the queue of the loop holds a reference
    bool retrieved : 1 = false;       // its exception has been looked at
    std::uint8_t unused : 2 = 0;      // so that a new task writes this byte without reading what is left in its memory
    std::uint8_t time_limits = 0;     // timeouts in force for it; saturates at 255
    bool yielded = false;             // it gave up its turn, and was ready at once
    std::uint32_t references = 1;     // the loop's, until it is done; then only the handles'
    std::uint32_t cancel_requests = 0;
    std::uint32_t creation_node = 0;   // probe node of the place that created the task
    std::uint32_t suspended_node = 0;  // probe node of its latest suspension
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
    // The awaiter of a task that is neither done nor in the queue; nullptr: it is running, or was suspended by nothing.
    Suspension* suspended_on() const noexcept {
        COROSCOPE_ASSERT(!in_queue(), "a task in the queue is not suspended on anything");
        return waiting_on;
    }
    void set_suspended_on(Suspension* awaiter) noexcept {
        COROSCOPE_ASSERT(!in_queue(), "a task is suspended only while it is not in the queue");
        waiting_on = awaiter;
    }
    bool has_name() const noexcept { return extras && !extras->name.empty(); }
    std::string display_name() const { return has_name() ? extras->name : "Task-" + std::to_string(id); }
    void set_name(std::string_view text);

    // asyncio's Task.cancel(): false if done. Otherwise Cancelled is thrown at its await, or at its next one.
    bool cancel(std::string_view message, std::source_location where) noexcept;
    bool cancel(std::string_view message, const CancelCause& cause) noexcept;
    // The same by a scope of the task (a timeout, a task group) that catches what it asked for: always thrown.
    void cancel_for_scope(std::string_view message, const CancelCause& cause) noexcept;
    std::uint32_t uncancel() noexcept {
        if (cancel_requests == 0) return 0;
        if (--cancel_requests == 0 && !interrupted) must_cancel = must_throw = false;
        if (debug_enabled()) [[unlikely]]
            report_uncancelled();
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
        COROSCOPE_ASSERT(throwing_scopes != 0, "scopes of a task end as often as they begin");
        if (throwing_scopes != 255) --throwing_scopes;
    }

    // Returns the one before. Allocates at the first call.
    CustomResource* show_wait_on(CustomResource* resource) { return std::exchange(make_extras().shown_wait, resource); }
    void add_hook(DoneHook& hook) noexcept;
    static void remove_hook(DoneHook& hook) noexcept;
    void reverse_hooks() noexcept;
    // Somebody is given what it threw, if it threw anything: by the running frame's await, or at `where`.
    void retrieve() noexcept {
        retrieved = true;
        if (debug_enabled()) [[unlikely]]
            report_retrieved(nullptr);
    }
    void retrieve(const std::source_location& where) noexcept {
        retrieved = true;
        if (debug_enabled()) [[unlikely]]
            report_retrieved(&where);
    }
    std::exception_ptr error() const noexcept { return root != nullptr ? root->error() : std::exception_ptr(); }
    // For a task that was cancelled: throws the Cancelled that ended it.
    [[noreturn]] void rethrow_cancelled() const;
    // Destroys its frames, innermost first. It must not be running.
    void destroy_frames() noexcept;

    void reference() noexcept { ++references; }
    void release() noexcept {
        COROSCOPE_ASSERT(references != 0, "a task is released as often as it is referred to");
        if (--references == 0) destroy(this);
    }

    TaskExtras& make_extras();

private:
    void deliver_cancel() noexcept;
    static void deliver_put_off() noexcept;
    bool put_off_cancel() noexcept;
    void report_uncancelled() const noexcept;
    void report_retrieved(const std::source_location* where) const noexcept;
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
// In a handler of Cancelled: it was thrown for a request that has been taken back, so it may go.
void settle_cancelled(const std::exception_ptr& cancelled) noexcept;
[[noreturn]] void throw_no_running_loop();
EventLoop* running_loop() noexcept;  // nullptr: none on this thread

// What an awaiter can be asked while a task is suspended on it. (Not virtual functions: their table would be entered
// into every awaiter, also into those that never suspend.)
struct SuspensionType {
    void (*on_cancel)(Suspension&) noexcept;
    std::uint64_t (*waits_for)(const Suspension&) noexcept;
    std::uint64_t (*holder)(const Suspension&) noexcept;
};

// The base of every leaf awaiter: what a task can be suspended on. A derived awaiter calls suspend(*this) in
// start(), wake() once when what it waits for happened, and check_cancelled() first in await_resume. It lives in
// the awaiting frame: no allocation. It has, besides:
//     void on_cancel() noexcept;
//         The task is cancelled while suspended here: unlinks the awaiter and calls wake_cancelled(), now or later.
//     std::uint64_t waits_for() const noexcept;
//         What it waits for, as pack_wait(): asked by the debugger while the task is suspended here.
// And it may have:
//     std::uint64_t holder() const noexcept;
//         Asked where the verb of the wait is `acquire`: the task that holds what it waits for; 0: not known.
class Suspension : public OurAwaiter {
public:
    // Awaiters move until they wait: to where somebody keeps what a function returned to be awaited later.
    Suspension(Suspension&& other) noexcept : room_(other.room_) {}
    Suspension& operator=(Suspension&&) = delete;

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
        [](const Suspension& self) noexcept { return static_cast<const A&>(self).waits_for(); },
        [](const Suspension& self) noexcept { return static_cast<const A&>(self).holder(); }};
    std::uint64_t holder() const noexcept { return 0; }
    void suspend(const SuspensionType& type) noexcept {
        COROSCOPE_ASSERT(current_task != nullptr && current_frame != nullptr, "only a running task can wait");
        task_ = current_task;
        type_ = &type;
        task_->leaf = current_frame;
        task_->yielded = false;
        task_->set_suspended_on(this);
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

// A doubly linked list of awaiters that wait for the same thing: the first that came is the first to be served.
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
        COROSCOPE_ASSERT((first_ == nullptr) == (size_ == 0) && (last_ == nullptr) == (size_ == 0),
                         "a list of waiting tasks has a first and a last one, or is empty");
        waiter.list = this;
        waiter.next = nullptr;
        waiter.previous = last_;
        (last_ != nullptr ? last_->next : first_) = &waiter;
        last_ = &waiter;
        ++size_;
    }
    void remove(WaiterLinks& waiter) noexcept {
        COROSCOPE_ASSERT(waiter.list == this && size_ != 0, "an awaiter is removed from the list that it is in");
        COROSCOPE_ASSERT((waiter.previous != nullptr ? waiter.previous->next : first_) == &waiter &&
                             (waiter.next != nullptr ? waiter.next->previous : last_) == &waiter,
                         "the neighbours of an awaiter refer to it");
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
    Waiter(Waiter&& other) noexcept : Suspension(std::move(other)) {
        COROSCOPE_ASSERT(task() == nullptr, "an awaiter that waits is not moved");
    }
    ~Waiter() { leave_list(); }  // its frame may be destroyed while it waits
    template <class W>
    void wait_in(WaiterListBase& waiters, W& self) noexcept {
        waiters.push(*this);
        suspend(self);
    }
    // Inlined: most awaiters never wait, and each asks.
    [[gnu::always_inline]] void leave_list() noexcept {
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
    template <class Visit>
    void for_each(Visit visit) const {
        for (const WaiterLinks* at = first_; at != nullptr; at = at->next) visit(static_cast<const W&>(*at));
    }
};

}  // namespace coroscope::detail
