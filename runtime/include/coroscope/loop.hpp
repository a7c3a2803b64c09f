// EventLoop: runs tasks, callbacks, timers and I/O of one thread. asyncio's event loop.
//
// run() makes one. You need this class only for more control: to subclass it (monitoring, another clock, another way to
// poll), to drive it from another main loop with run_once(), or to hand work over from other threads.
//
// Thread: the one that runs the loop, except call_soon_threadsafe(), stop_threadsafe() and what says otherwise. Nothing
// here is a cancellation point.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <source_location>
#include <utility>
#include <vector>

#include "coroscope/create_task.hpp"
#include "coroscope/detail/loop_clock.hpp"
#include "coroscope/detail/timer.hpp"

namespace coroscope {

namespace detail {
class Poller;
class ThreadPool;
struct CallbackNode;
struct LoopFromOutside;  // runtime/src/core/task_list.hpp

// A call from another thread. The poster allocates it; `run` deletes it.
struct RemoteCall {
    RemoteCall* next = nullptr;
    void (*run)(RemoteCall&) noexcept = nullptr;
};

// The way back to a loop for what may outlive it. Any thread, under the mutex.
struct LoopLink {
    std::mutex mutex;
    EventLoop* loop = nullptr;  // nullptr: it has ended
};

// One file descriptor on a loop's poller: edge-triggered, one registration. `ready` gets EPOLLIN|EPOLLOUT|... bits.
struct FdWatch {
    int fd = -1;
    void (*ready)(FdWatch&, std::uint32_t events) noexcept = nullptr;
    std::uint32_t poll_generation = 0;
};
}  // namespace detail

// A callback that was scheduled. Dropping the handle does not cancel it. asyncio's Handle and TimerHandle. Thread: the
// loop's, also when the callback came from another.
class Handle {
public:
    Handle() = default;
    // It will not be called, and what it captured is destroyed now. Harmless after it was called.
    void cancel() noexcept;
    bool cancelled() const noexcept;
    // The loop's time, in ns, at which it is to be called; 0: as soon as possible.
    std::uint64_t when() const noexcept;

private:
    friend class EventLoop;
    explicit Handle(std::shared_ptr<detail::CallbackNode> node) : node_(std::move(node)) {}
    std::shared_ptr<detail::CallbackNode> node_;
};

class EventLoop : public detail::CreatesTasks<EventLoop> {
public:
    using Callback = std::function<void()>;
    using Duration = std::chrono::nanoseconds;

    EventLoop();
    // Tasks that are still pending (cancel_all_tasks() leaves none) are reported, and end as cancelled: their frames
    // are destroyed. Callbacks that were not called are dropped. Waits for jobs on the pool's threads. Handles of tasks
    // may outlive the loop, but not be awaited then, or given callbacks.
    virtual ~EventLoop();
    EventLoop(const EventLoop&) = delete;
    EventLoop& operator=(const EventLoop&) = delete;

    // Runs until the coroutine is done; returns or throws its result. std::logic_error if stop() ends it earlier.
    template <class T>
    T run_until_complete(Coro<T> main, std::source_location where = std::source_location::current()) {
        const Running running(*this);
        return result_of_main(detail::spawn_coro(this, std::move(main), nullptr, {}, where));
    }
    // The same for a task of this loop.
    template <class T>
    T run_until_complete(const Task<T>& task) {
        const Running running(*this);
        return result_of_main(task);
    }
    virtual void run_forever();  // until stop(). Errors: std::logic_error if another loop runs on this thread
    // --- For a main loop of another library (examples/host_epoll.cpp, examples/glfw_loop.cpp). In turn:
    //     const Duration idle = loop.idle_time();
    //     ...                         // wait in the host's own way until poll_fd() is readable, `idle` at most
    //     loop.run_once();
    // One iteration: polls (for `most` at most; negative: until something happens), then runs what is ready. Errors:
    // std::logic_error if another loop runs on this thread.
    void run_once(Duration most = Duration(0));
    // How long nothing will happen unless I/O or another thread makes it: 0 if something is ready, negative if there is
    // no timer. Call it last before waiting: from then on a call from another thread wakes the loop.
    Duration idle_time() noexcept;
    // Readable (epoll, poll) when there is I/O for the loop or a call from another thread.
    int poll_fd() const noexcept;
    virtual void stop() noexcept;  // run_forever() returns after the current iteration
    bool is_running() const noexcept { return running_; }
    // Cancels all tasks of the loop and runs until they are done, as asyncio.run() does at its end. It returns only
    // when they are: a task that catches Cancelled every time and goes on keeps it for ever.
    void cancel_all_tasks();

    // Callbacks run in the order of their scheduling, timers in the order of their times. A callback scheduled by a
    // callback runs later, never at once. What a callback throws goes to the exception handler; the loop goes on.
    Handle call_soon(Callback callback, std::source_location where = std::source_location::current());
    // For the runtime: what somebody asked for earlier, at `where`. `node`: that place for the debugger; 0: unknown.
    void call_soon_from(Callback callback, const std::source_location& where, std::uint32_t node);
    Handle call_later(Duration delay, Callback callback, std::source_location where = std::source_location::current());
    Handle call_at(std::uint64_t time_ns, Callback callback,
                   std::source_location where = std::source_location::current());
    // Any thread, at any time while the loop exists. Not from a signal handler.
    Handle call_soon_threadsafe(Callback callback, std::source_location where = std::source_location::current());
    void stop_threadsafe();
    // The loop's clock, ns, from an arbitrary start.
    std::uint64_t time_ns() noexcept { return now_ns_ = clock_ns(); }
    // Runs `job` on a thread of the loop's pool (at most 32 threads, started as needed), and does not wait for it:
    // to_thread() does. What it throws goes to the exception handler, on the loop's thread. The loop's end waits for
    // all jobs. Thread: the loop's. Errors: std::system_error if no thread can be started.
    void submit(std::function<void()> job);
    // The tasks of this loop that are not done, oldest first.
    std::vector<AnyTask> all_tasks();

    // Called for an exception that nobody can catch: that of a callback. Default: what set_exception_handler() was
    // given, or else it is reported (debug mode) or printed. A handler that throws is reported with what it threw.
    // The handler of the running loop is also given what nobody has retrieved from a task or a future, when its last
    // handle goes: it replaces the line that is printed, but not debug mode's report.
    virtual void call_exception_handler(const std::exception_ptr& error) noexcept;
    using ExceptionHandler = std::function<void(EventLoop&, const std::exception_ptr&)>;
    void set_exception_handler(ExceptionHandler handler) {
        exception_handler_ = std::move(handler);
    }  // {}: the default
    const ExceptionHandler& exception_handler() const noexcept { return exception_handler_; }

    static EventLoop& running();  // of this thread; throws std::logic_error if there is none

    // Debug mode on or off, now and as often as wanted, as asyncio's; here it is that of the whole process. It goes to
    // where COROSCOPE says, or else to the default agent (a later session to a file goes to trace.2.cst). What there is
    // already appears: tasks, what they wait for, what they wait on; not what happened before. If it cannot be switched
    // on, one line on stderr says why. Off sends what is left, for a second at most. Errors: none.
    void set_debug(bool on) noexcept;
    bool get_debug() const noexcept { return detail::debug_enabled(); }

    // --- for the runtime
    std::shared_ptr<detail::LoopLink> link_to_loop();
    void run_on_pool(std::function<void()> job);  // which throws nothing
    std::uint64_t id() const noexcept { return id_; }
    std::uint64_t pool_resource_id();                                 // 0: debug mode was off when the pool was made
    detail::TaskControl* find_task(std::uint64_t id) const noexcept;  // nullptr: no task of this loop that is not done
    void before_make_task() const noexcept {}
    template <class T>
    Task<T> make_task(Coro<T>&& coro, std::unique_ptr<detail::TaskExtras> extras, const TaskOptions& options) {
        return detail::spawn_coro(this, std::move(coro), std::move(extras), options);
    }
    void add_timer(detail::TimerNode& timer, std::uint64_t deadline_ns) {
        if (deadline_ns <= now_ns_) [[unlikely]]
            timer_is_due_ = true;
        timers_.add(timer, deadline_ns);
    }
    void remove_timer(detail::TimerNode& timer) noexcept {
        if (timer.queued()) timers_.remove(timer);
    }
    std::uint64_t deadline_ns(const detail::TimerNode& queued) const noexcept { return timers_.deadline_ns(queued); }
    const detail::TimerHeap& timers() const noexcept { return timers_; }
    void push_ready(detail::ReadyNode& node) noexcept {
        COROSCOPE_ASSERT((first_ready_ == nullptr) == (ready_count_ == 0), "ready_count_ is the queue's length");
        node.next_ready = nullptr;
        (last_ready_ != nullptr ? last_ready_->next_ready : first_ready_) = &node;
        last_ready_ = &node;
        ++ready_count_;
    }
    void post(detail::RemoteCall& call) noexcept;  // any thread; wakes the loop if it sleeps
    virtual void wake() noexcept;                  // any thread. To be extended where the host waits on no fd.
    void watch(detail::FdWatch& watch);            // throws std::system_error
    void unwatch(detail::FdWatch& watch) noexcept;

protected:
    // What a subclass may replace. The clock must not go back. poll() waits at most timeout_ns (0: not at all,
    // negative: for ever) for I/O and for wake(), calls the watches' `ready`, and returns how many.
    virtual std::uint64_t clock_ns() noexcept;
    virtual int poll(std::int64_t timeout_ns) noexcept;
    // With monitored_ set: after each iteration, how long it kept the loop, and how many steps it ran. For monitoring.
    struct Iteration {
        std::uint64_t busy_ns;
        std::size_t steps;
        std::size_t ready_after;
    };
    virtual void iteration_done(const Iteration&) noexcept {}
    bool monitored_ = false;

    // While it lives, this loop is the running one of the thread.
    class Running {
    public:
        explicit Running(EventLoop& loop);
        ~Running();
        Running(const Running&) = delete;
        Running& operator=(const Running&) = delete;

    private:
        EventLoop& loop_;
        EventLoop* before_;
        bool was_running_;
    };
    void run_until_done(const AnyTask& task);

private:
    friend class detail::TaskControl;
    friend struct detail::LoopFromOutside;
    friend detail::TaskControl* detail::spawn(EventLoop*, detail::PromiseBase&, std::unique_ptr<detail::TaskExtras>,
                                              std::string_view, const std::source_location&);
    friend void detail::make_ready(detail::TaskControl&) noexcept;
    friend void detail::end_now(detail::TaskControl&) noexcept;

    void make_pool();
    void run_main(const AnyTask& task);
    template <class T>
    T result_of_main(const Task<T>& task) {
        run_main(task);
        if constexpr (std::is_void_v<T>) {
            task.result();
        } else {
            return std::move(task.result());
        }
    }
    void iterate(std::int64_t most_ns);
    void report_idle() const noexcept;
    void announce() noexcept;
    std::size_t run_ready();
    void run_step(detail::TaskControl& task);
    void finish(detail::TaskControl& task) noexcept;
    void report_done(detail::TaskControl& task) noexcept;
    void push_callback(detail::CallbackNode& node) noexcept;
    static void fire_callback(detail::CallbackTimer& timer) noexcept;  // of timers that the loop owns
    void run_callback(detail::CallbackNode& node);
    void end_without_throw(detail::TaskControl& task) noexcept;
    void end_now(detail::TaskControl& task) noexcept;
    void abandon_tasks() noexcept;
    void drop_ready() noexcept;
    void take_remote_calls();
    struct HeldBack {
        detail::ReadyNode *first = nullptr, *last = nullptr;
        std::size_t count = 0;
    };
    HeldBack hold_back_yielders() noexcept;
    void fire_timers() noexcept;
    void take_snapshot() noexcept;
    void link(detail::TaskControl& task) noexcept {
        task.previous_task = last_task_;
        (last_task_ != nullptr ? last_task_->next_task : first_task_) = &task;
        last_task_ = &task;
    }
    void unlink(detail::TaskControl& task) noexcept {
        COROSCOPE_ASSERT((task.previous_task != nullptr ? task.previous_task->next_task : first_task_) == &task &&
                             (task.next_task != nullptr ? task.next_task->previous_task : last_task_) == &task,
                         "the neighbours of a task on the loop's list refer to it");
        if (snapshot_next_ == &task) [[unlikely]]
            snapshot_next_ = task.next_task;
        (task.previous_task != nullptr ? task.previous_task->next_task : first_task_) = task.next_task;
        (task.next_task != nullptr ? task.next_task->previous_task : last_task_) = task.previous_task;
        task.previous_task = task.next_task = nullptr;
    }

    detail::ReadyNode* first_ready_ = nullptr;
    detail::ReadyNode* last_ready_ = nullptr;
    std::size_t ready_count_ = 0;
    std::uint32_t steps_a_look_ = 1;  // at the clock: run_ready()
    std::uint32_t short_looks_ = 0;
    bool all_have_run_ = false;  // since run_ready() began, but its time was over: see hold_back_yielders()
    detail::TaskControl* first_task_ = nullptr;
    detail::TaskControl* last_task_ = nullptr;
    detail::TimerHeap timers_;
    detail::LoopClock clock_;
    std::uint64_t now_ns_ = 0;
    bool timer_is_due_ = false;  // since it was added: its turn is the next one
    // A stamp that is as good as now, because nothing but the loop has run since: the end of the last step is the begin
    // of the next. 0: none, take one.
    std::uint64_t step_stamp_ = 0;
    std::uint64_t id_ = 0;
    std::uint64_t snapshot_answered_ = 0;
    std::size_t watched_ = 0;  // descriptors
    detail::TaskControl* snapshot_next_ = nullptr;
    bool snapshot_running_ = false;
    // Of the thread that runs it, for those who look from outside while that thread hangs.
    std::uint64_t thread_ = 0;  // the system's number; 0: none has run it
    detail::PromiseBase* const* running_frame_ = nullptr;
    bool running_ = false;
    bool stopping_ = false;
    bool announced_ = false;  // the debugger knows of it
    std::unique_ptr<detail::Poller> poller_;
    std::unique_ptr<detail::ThreadPool> pool_;
    std::shared_ptr<detail::LoopLink> link_;  // made when asked for
    ExceptionHandler exception_handler_;
    std::atomic<detail::RemoteCall*> remote_calls_{nullptr};  // a stack; pushed by any thread, taken whole by the loop
    std::atomic<bool> sleeping_{false};
};

}  // namespace coroscope
