#include "coroscope/loop.hpp"

#include <pthread.h>
#include <unistd.h>

#include <mutex>
#include <optional>
#include <typeinfo>
#include <utility>

#include "callback.hpp"
#include "coroscope/detail/resource.hpp"
#include "coroscope/sleep.hpp"
#include "debug_commands.hpp"
#include "debug_switch.hpp"
#include "observe.hpp"
#include "poller.hpp"
#include "thread_pool.hpp"
#include "uncaught.hpp"

namespace coroscope {

namespace detail {

thread_local constinit EventLoop* t_running_loop = nullptr;

namespace {

thread_local constinit std::uint64_t t_thread = 0;  // 0: not asked for yet

// The system's number of this thread.
std::uint64_t this_thread_number() noexcept {
    static const int registered = ::pthread_atfork(nullptr, nullptr, [] { t_thread = 0; });
    static_cast<void>(registered);
    if (t_thread == 0) t_thread = static_cast<std::uint64_t>(::gettid());
    return t_thread;
}

}  // namespace

EventLoop* running_loop() noexcept { return t_running_loop; }

}  // namespace detail

using detail::CallbackNode;
using detail::TaskControl;
using probe::EventKind;

EventLoop::EventLoop() : poller_(std::make_unique<detail::Poller>()) {
    detail::add_loop_to_commands(*this);
    id_ = cs_loop_new(0);
    now_ns_ = clock_.now_ns();
    snapshot_answered_ = probe::snapshot_wanted();
    detail::start_debug_from_environment();
}

EventLoop::~EventLoop() {
    detail::remove_loop_from_commands(*this);
    if (pool_ && announced_) probe::emit(EventKind::loop_closing, id_);
    pool_.reset();  // its jobs may still post to this loop
    if (link_) {
        const std::scoped_lock lock(link_->mutex);
        link_->loop = nullptr;
    }
    take_remote_calls();
    drop_ready();
    abandon_tasks();
    take_remote_calls();
    drop_ready();  // what their destructors scheduled
    while (!timers_.empty()) {
        detail::TimerNode& timer = timers_.first();
        timers_.remove(timer);
        if (!timer.is_sleep && static_cast<detail::CallbackTimer&>(timer).fire == fire_callback)
            static_cast<CallbackNode&>(timer).self.reset();
    }
    if (announced_) probe::emit(EventKind::loop_stopped, id_);
}

EventLoop& EventLoop::running() {
    if (detail::t_running_loop == nullptr) detail::throw_no_running_loop();
    return *detail::t_running_loop;
}

EventLoop::Running::Running(EventLoop& loop)
    : loop_(loop), before_(detail::t_running_loop), was_running_(loop.running_) {
    if (before_ != nullptr && (before_ != &loop || loop.running_))
        throw std::logic_error("an event loop is running already on this thread: await instead of run()");
    detail::t_running_loop = &loop;
    loop.thread_ = detail::this_thread_number();
    loop.running_frame_ = &detail::current_frame;
    loop.running_ = true;
    loop.time_ns();
    if (probe::on() && !loop.announced_) loop.announce();
}

EventLoop::Running::~Running() {
    detail::t_running_loop = before_;
    loop_.running_ = was_running_;
}

std::uint64_t EventLoop::clock_ns() noexcept { return clock_.now_ns(); }
int EventLoop::poll(std::int64_t timeout_ns) noexcept { return poller_->poll(timeout_ns); }
void EventLoop::watch(detail::FdWatch& watch) {
    poller_->add(watch);
    ++watched_;
}
void EventLoop::unwatch(detail::FdWatch& watch) noexcept {
    poller_->remove(watch);
    --watched_;
}
int EventLoop::poll_fd() const noexcept { return poller_->epoll_fd(); }
void EventLoop::stop() noexcept { stopping_ = true; }
void EventLoop::stop_threadsafe() {
    call_soon_threadsafe([this] { stop(); });
}

void EventLoop::submit(std::function<void()> job) {
    // Deleted by run(), which the loop's destructor calls too.
    struct Failure : detail::RemoteCall {
        EventLoop* loop = nullptr;
        std::exception_ptr error;
    };
    run_on_pool([this, job = std::move(job)] {
        try {
            job();
        } catch (...) {
            auto* failure = new Failure;
            failure->loop = this;
            failure->error = std::current_exception();
            failure->run = [](detail::RemoteCall& call) noexcept {
                const std::unique_ptr<Failure> self(static_cast<Failure*>(&call));
                self->loop->call_exception_handler(self->error);
            };
            post(*failure);
        }
    });
}

void EventLoop::run_on_pool(std::function<void()> job) {
    make_pool();
    pool_->run(std::move(job));
}

void EventLoop::make_pool() {
    if (pool_) return;
    pool_ = std::make_unique<detail::ThreadPool>();
    pool_->resource.constructed(pool_->traits());
}

std::uint64_t EventLoop::pool_resource_id() {
    make_pool();
    return pool_->resource.id();
}

std::shared_ptr<detail::LoopLink> EventLoop::link_to_loop() {
    if (!link_) {
        link_ = std::make_shared<detail::LoopLink>();
        link_->loop = this;
    }
    return link_;
}

void EventLoop::run_forever() {
    const Running running(*this);
    do {
        iterate(stopping_ ? 0 : -1);  // stopped beforehand: one iteration, as asyncio's
    } while (!stopping_);
    stopping_ = false;
}

void EventLoop::run_until_done(const AnyTask& task) {
    while (!task.done()) iterate(-1);
}

void EventLoop::run_main(const AnyTask& task) {
    bool stopped = false;
    while (!task.done() && !stopped) {
        iterate(stopping_ ? 0 : -1);
        stopped = stopping_;
    }
    stopping_ = false;
    if (!task.done()) throw std::logic_error("the event loop was stopped before its main task was done");
}

void EventLoop::run_once(Duration most) {
    std::optional<Running> running;
    if (!running_) running.emplace(*this);
    iterate(most.count() < 0 ? -1 : most.count());
}

EventLoop::Duration EventLoop::idle_time() noexcept {
    if (first_ready_ != nullptr) return Duration(0);
    sleeping_.store(true, std::memory_order_seq_cst);  // as in iterate()
    if (remote_calls_.load(std::memory_order_seq_cst) != nullptr) return Duration(0);
    if (timers_.empty()) return Duration(-1);
    const std::uint64_t now = time_ns(), due = timers_.first_deadline_ns();
    return Duration(due > now ? due - now : 0);
}

void EventLoop::cancel_all_tasks() {
    std::optional<Running> running;
    if (!running_) running.emplace(*this);
    const std::vector<AnyTask> tasks = all_tasks();
    {
        const detail::CancelSweep sweep;
        for (const AnyTask& task : tasks) task.control()->cancel({}, detail::cause_here(detail::CancelOrigin::run_end));
    }
    for (const AnyTask& task : tasks) run_until_done(task);
}

// One turn: wait for something, then run what is ready. Everything from the end of the poll to the next one delays all
// others: that is the latency the debugger shows.
void EventLoop::iterate(std::int64_t most_ns) {
    std::int64_t timeout_ns = most_ns;
    if (first_ready_ != nullptr) {
        timeout_ns = 0;
    } else if (!timers_.empty()) {
        const std::uint64_t now = time_ns(), due = timers_.first_deadline_ns();
        const auto until = due > now ? static_cast<std::int64_t>(due - now) : 0;
        if (timeout_ns < 0 || until < timeout_ns) timeout_ns = until;
    }
    if (probe::on()) [[unlikely]] {
        detail::report_changed_levels();
        probe::emit_at(probe::stamp_now(), EventKind::poll_begin, 0);
        if (timeout_ns < 0) report_idle();
    }
    const HeldBack again = all_have_run_ ? hold_back_yielders() : HeldBack();
    // Either a poster sees sleeping_ and writes the eventfd, or this sees its call: both sides are sequentially
    // consistent.
    sleeping_.store(true, std::memory_order_seq_cst);                              // pairs with the load in wake()
    if (remote_calls_.load(std::memory_order_seq_cst) != nullptr) timeout_ns = 0;  // pairs with the exchange in post()
    step_stamp_ = 0;
    const int events = poll(timeout_ns);
    sleeping_.store(false, std::memory_order_relaxed);
    now_ns_ = clock_ns();
    const std::uint64_t began_ns = now_ns_;
    if (probe::on()) [[unlikely]] {
        if (!announced_) announce();  // debug mode came on while it ran
        step_stamp_ = probe::stamp_now();
        probe::emit_at(step_stamp_, EventKind::poll_end, 0, static_cast<std::uint64_t>(events));
        take_snapshot();
    }
    take_remote_calls();
    fire_timers();
    if (again.first != nullptr) {
        (last_ready_ != nullptr ? last_ready_->next_ready : first_ready_) = again.first;
        last_ready_ = again.last;
        ready_count_ += again.count;
    }
    const std::size_t steps = run_ready();
    if (monitored_) [[unlikely]]
        iteration_done({clock_ns() - began_ns, steps, ready_count_});
}

// After a turn that took too long: what I/O, timers and other threads have woken meanwhile goes before tasks that have
// had their turn and have yielded. Else each would wait for one more of their steps. Whatever else is ready stays where
// it is: it has come before what is woken now.
EventLoop::HeldBack EventLoop::hold_back_yielders() noexcept {
    HeldBack back;
    detail::ReadyNode* node = std::exchange(first_ready_, nullptr);
    last_ready_ = nullptr;
    ready_count_ = 0;
    while (node != nullptr) {
        detail::ReadyNode* const next = node->next_ready;
        if (node->is_task && static_cast<TaskControl*>(node)->yielded) {
            node->next_ready = nullptr;
            (back.last != nullptr ? back.last->next_ready : back.first) = node;
            back.last = node;
            ++back.count;
        } else {
            push_ready(*node);
        }
        node = next;
    }
    return back;
}

void EventLoop::announce() noexcept {
    announced_ = true;
    detail::watch_for_uncaught_exceptions();
    probe::emit(EventKind::loop_started, id_);
}

void EventLoop::set_debug(bool on) noexcept { detail::switch_debug(on); }

// A loop of another kind may be woken by what is not known here, and its clock may not be that of the machine.
void EventLoop::report_idle() const noexcept {
    if (typeid(*this) != typeid(EventLoop)) return;
    probe::emit_at(probe::stamp_now(), EventKind::loop_idle, id_, watched_);
}

void EventLoop::post(detail::RemoteCall& call) noexcept {
    call.next = remote_calls_.load(std::memory_order_relaxed);
    // Release: the loop's exchange must see what the poster wrote. Sequentially consistent: see iterate().
    while (
        !remote_calls_.compare_exchange_weak(call.next, &call, std::memory_order_seq_cst, std::memory_order_relaxed)) {
    }
    if (sleeping_.load(std::memory_order_seq_cst)) wake();
}

void EventLoop::wake() noexcept { poller_->wake(); }

void EventLoop::take_remote_calls() {
    if (remote_calls_.load(std::memory_order_relaxed) == nullptr) return;
    detail::RemoteCall* newest = remote_calls_.exchange(nullptr, std::memory_order_acquire);  // pairs with post()
    detail::RemoteCall* oldest = nullptr;
    while (newest != nullptr) {
        detail::RemoteCall* next = newest->next;
        newest->next = oldest;
        oldest = newest;
        newest = next;
    }
    while (oldest != nullptr) {
        detail::RemoteCall* call = oldest;
        oldest = oldest->next;
        call->run(*call);
    }
}

void EventLoop::fire_timers() noexcept {
    timer_is_due_ = false;
    while (!timers_.empty() && timers_.first_deadline_ns() <= now_ns_) {
        detail::TimerNode& timer = timers_.first();
        timers_.remove(timer);
        if (timer.is_sleep) {
            static_cast<detail::SleepAwaiter&>(timer).wake();
        } else {
            auto& callback = static_cast<detail::CallbackTimer&>(timer);
            callback.fire(callback);
        }
    }
}

TaskControl* EventLoop::find_task(std::uint64_t id) const noexcept {
    TaskControl* task = first_task_;
    while (task != nullptr && task->id != id) task = task->next_task;
    return task;
}

std::vector<AnyTask> EventLoop::all_tasks() {
    std::vector<AnyTask> tasks;
    for (TaskControl* task = first_task_; task != nullptr; task = task->next_task)
        tasks.push_back(AnyTask::share(task));
    return tasks;
}

}  // namespace coroscope
