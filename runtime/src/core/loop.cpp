#include "coroscope/loop.hpp"

#include <condition_variable>
#include <mutex>
#include <optional>
#include <typeinfo>

#include "callback.hpp"
#include "coroscope/sleep.hpp"
#include "debug_switch.hpp"
#include "observe.hpp"
#include "poller.hpp"
#include "thread_pool.hpp"

namespace coroscope {

namespace detail {

namespace {

thread_local constinit EventLoop* t_running_loop = nullptr;

// Live loops, for commands that come from another thread: cancel a task, take a snapshot.
struct Loops {
    std::mutex mutex;
    std::vector<EventLoop*> all;
};
Loops& loops() {
    static Loops* const all =
        new Loops;  // leaked on purpose: the debug library's thread may ask until the process ends
    return *all;
}

// What the loops answered to a command.
struct Answers {
    std::mutex mutex;
    std::condition_variable changed;
    std::size_t missing = 0;  // under mutex, as found
    bool found = false;
};

// A loop's tasks are its thread's: each loop looks for itself.
const char* cancel_task_command(std::uint64_t id) {
    constexpr auto patience = std::chrono::milliseconds(500);
    const auto answers = std::make_shared<Answers>();
    {
        const std::scoped_lock lock(loops().mutex);
        answers->missing = loops().all.size();
        for (EventLoop* loop : loops().all) {
            loop->call_soon_threadsafe([loop, id, answers] {
                bool found = false;
                for (const AnyTask& task : loop->all_tasks())
                    if (task.id() == id) found = task.cancel("cancelled from the debugger");
                const std::scoped_lock answering(answers->mutex);
                --answers->missing;
                answers->found = answers->found || found;
                answers->changed.notify_all();
            });
        }
    }
    std::unique_lock lock(answers->mutex);
    answers->changed.wait_for(lock, patience, [&] { return answers->found || answers->missing == 0; });
    if (answers->found) return nullptr;
    if (answers->missing == 0) return "no loop of the app has this task: it is done, or never was";
    return "a loop of the app has not answered yet, it may hang; if it has the task, the task will be cancelled";
}

void wake_loops_command() {
    const std::scoped_lock lock(loops().mutex);
    for (EventLoop* loop : loops().all) loop->wake();
}

}  // namespace

EventLoop* running_loop() noexcept { return t_running_loop; }

}  // namespace detail

using detail::CallbackNode;
using detail::PromiseBase;
using detail::TaskControl;
using detail::TaskOutcome;
using detail::TaskState;
using probe::EventKind;

EventLoop::EventLoop() : poller_(std::make_unique<detail::Poller>()) {
    probe::add_runtime(detail::cancel_task_command, detail::wake_loops_command);
    id_ = cs_loop_new(0);
    now_ns_ = clock_.now_ns();
    {
        const std::scoped_lock lock(detail::loops().mutex);
        detail::loops().all.push_back(this);
    }
    snapshot_answered_ = probe::snapshot_wanted();
    detail::start_debug_from_environment();
}

EventLoop::~EventLoop() {
    {
        const std::scoped_lock lock(detail::loops().mutex);
        std::erase(detail::loops().all, this);
    }
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
    loop.running_ = true;
    loop.time_ns();
    if (probe::on() && !loop.announced_) {
        loop.announced_ = true;
        probe::emit(EventKind::loop_started, loop.id_);
    }
}

EventLoop::Running::~Running() {
    detail::t_running_loop = before_;
    loop_.running_ = was_running_;
}

std::uint64_t EventLoop::clock_ns() noexcept { return clock_.now_ns(); }
int EventLoop::poll(std::int64_t timeout_ns) noexcept { return poller_->poll(timeout_ns); }
void EventLoop::watch(detail::FdWatch& watch) { poller_->add(watch); }
void EventLoop::unwatch(detail::FdWatch& watch) noexcept { poller_->remove(watch); }
int EventLoop::poll_fd() const noexcept { return poller_->epoll_fd(); }
void EventLoop::stop() noexcept { stopping_ = true; }
void EventLoop::stop_threadsafe() {
    call_soon_threadsafe([this] { stop(); });
}

void EventLoop::run_in_executor(std::function<void()> job) {
    if (!pool_) pool_ = std::make_unique<detail::ThreadPool>();
    pool_->run(std::move(job));
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
    for (const AnyTask& task : tasks) task.cancel();
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
    probe::emit(EventKind::poll_begin, 0);
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
        if (!announced_) {  // debug mode came on while it ran
            announced_ = true;
            probe::emit(EventKind::loop_started, id_);
        }
        step_stamp_ = probe::stamp_now();
        probe::emit_at(step_stamp_, EventKind::poll_end, 0, static_cast<std::uint64_t>(events));
        take_snapshot();
    }
    take_remote_calls();
    fire_timers();
    const std::size_t steps = run_ready();
    if (monitored_) [[unlikely]]
        iteration_done({clock_ns() - began_ns, steps, ready_count_});
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

std::vector<AnyTask> EventLoop::all_tasks() {
    std::vector<AnyTask> tasks;
    for (TaskControl* task = first_task_; task != nullptr; task = task->next_task)
        tasks.push_back(AnyTask::share(task));
    return tasks;
}

}  // namespace coroscope
