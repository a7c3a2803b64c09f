#include "coroscope/loop.hpp"

#include <mutex>
#include <optional>
#include <typeinfo>

#include "debug_switch.hpp"
#include "observe.hpp"
#include "poller.hpp"
#include "thread_pool.hpp"

namespace coroscope {

namespace detail {

struct CallbackNode : ReadyNode, TimerNode {
    EventLoop* loop = nullptr;
    EventLoop::Callback callback;
    std::shared_ptr<CallbackNode> self;  // while scheduled
    std::source_location where;
    std::uint32_t node = 0;
    bool cancelled = false;
};

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

bool cancel_task_command(std::uint64_t id) {
    // A loop's tasks are its thread's: each loop looks for itself. True: it was passed on to some loop.
    const std::scoped_lock lock(loops().mutex);
    for (EventLoop* loop : loops().all) {
        loop->call_soon_threadsafe([loop, id] {
            for (const AnyTask& task : loop->all_tasks())
                if (task.id() == id) task.cancel("cancelled from the debugger");
        });
    }
    return !loops().all.empty();
}

void wake_loops_command() {
    const std::scoped_lock lock(loops().mutex);
    for (EventLoop* loop : loops().all) loop->wake();
}

}  // namespace

EventLoop* running_loop() noexcept { return t_running_loop; }

namespace {

// Whether a task with a cancellation pending ends by destroying its frames.
bool ends_without_throw(const TaskControl& task) noexcept {
    if (task.leaf == nullptr || task.done()) return true;  // its body never runs
    if (!task.unwinds || task.must_throw || task.throwing_scopes != 0) return false;
    // Only what it waited on, and gave up for the cancellation, is known to be left consistent by destructors alone.
    // Who was served already, and cancelled then, may have to pass on what it got: its awaiter does so when it throws.
    if (!task.interrupted && task.wait != wait_bits(WaitKind::yield)) return false;
    constexpr int most_frames = 1000;  // each is a call on the native stack
    int frames = 0;
    for (const PromiseBase* frame = task.leaf; frame != nullptr; frame = frame->parent)
        if (++frames > most_frames) return false;
    return true;
}

}  // namespace

void end_now(TaskControl& task) noexcept { task.loop->end_now(task); }

}  // namespace detail

using detail::CallbackNode;
using detail::PromiseBase;
using detail::TaskControl;
using detail::TaskOutcome;
using detail::TaskState;
using probe::EventKind;

EventLoop::EventLoop() : poller_(std::make_unique<detail::Poller>()) {
    static std::atomic<std::uint64_t> last_id{0};
    id_ = last_id.fetch_add(1, std::memory_order_relaxed) + 1;  // only unique, orders nothing
    now_ns_ = probe::monotonic_ns();
    probe::registry().commands.cancel_task = detail::cancel_task_command;
    probe::registry().commands.wake_loops = detail::wake_loops_command;
    {
        const std::scoped_lock lock(detail::loops().mutex);
        detail::loops().all.push_back(this);
    }
    snapshot_answered_ = probe::registry().snapshot_generation.load(std::memory_order_relaxed);
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
    while (detail::TimerNode* timer = timers_.first()) {
        timers_.remove(*timer);
        if (timer->owned_by_loop) static_cast<CallbackNode*>(timer)->self.reset();
    }
    if (announced_) probe::emit(EventKind::loop_stopped, 0, id_);
}

// What was scheduled will not run. (Tasks are kept by the list of all tasks.)
void EventLoop::drop_ready() noexcept {
    while (first_ready_ != nullptr) {
        detail::ReadyNode& node = *first_ready_;
        first_ready_ = node.next_ready;
        if (node.run != nullptr) static_cast<CallbackNode&>(node).self.reset();
    }
    last_ready_ = nullptr;
    ready_count_ = 0;
}

// Destructors of frames may wake, cancel and even make other tasks, so no task goes before all frames have gone.
void EventLoop::abandon_tasks() noexcept {
    const auto end = [](TaskControl& task) noexcept {
        task.state = TaskState::done;
        task.outcome = TaskOutcome::cancelled;
        task.waiting_on = nullptr;
    };
    for (TaskControl* task = first_task_; task != nullptr; task = task->next_task) {
        detail::report_task_destroyed_pending(*task);
        end(*task);
    }
    for (TaskControl* task = first_task_; task != nullptr; task = task->next_task) task->destroy_frames();
    for (TaskControl* task = first_task_; task != nullptr; task = task->next_task) end(*task);  // some were woken
    while (first_task_ != nullptr) {
        TaskControl& task = *first_task_;
        task.destroy_frames();  // of one that a destructor made
        unlink(task);
        tell_done(task);
        task.release();
    }
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
        probe::emit(EventKind::loop_started, 0, loop.id_);
    }
}

EventLoop::Running::~Running() {
    detail::t_running_loop = before_;
    loop_.running_ = was_running_;
}

std::uint64_t EventLoop::clock_ns() noexcept { return probe::monotonic_ns(); }
int EventLoop::poll(std::int64_t timeout_ns) noexcept { return poller_->poll(timeout_ns); }
void EventLoop::watch(detail::FdWatch& watch) { poller_->add(watch); }
void EventLoop::unwatch(detail::FdWatch& watch) noexcept { poller_->remove(watch); }
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
    stopping_ = false;
    while (!stopping_) iterate(-1);
    stopping_ = false;
}

void EventLoop::run_until_done(const AnyTask& task) {
    while (!task.done()) iterate(-1);
}

void EventLoop::run_main(const AnyTask& task) {
    stopping_ = false;
    while (!task.done() && !stopping_) iterate(-1);
    stopping_ = false;
    if (!task.done()) throw std::logic_error("the event loop was stopped before its main task was done");
}

void EventLoop::run_once(Duration most) {
    std::optional<Running> running;
    if (!running_) running.emplace(*this);
    iterate(most.count() < 0 ? -1 : most.count());
}

EventLoop::Duration EventLoop::idle_time() noexcept {
    if (first_ready_ != nullptr || remote_calls_.load(std::memory_order_relaxed) != nullptr) return Duration(0);
    const detail::TimerNode* timer = timers_.first();
    if (timer == nullptr) return Duration(-1);
    const std::uint64_t now = time_ns();
    return Duration(timer->deadline_ns > now ? timer->deadline_ns - now : 0);
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
    } else if (const detail::TimerNode* timer = timers_.first()) {
        const std::uint64_t now = time_ns();
        const auto until = timer->deadline_ns > now ? static_cast<std::int64_t>(timer->deadline_ns - now) : 0;
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
            probe::emit(EventKind::loop_started, 0, id_);
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

// Runs everything that is ready now, and goes on with what became ready meanwhile while that is little: a poll between
// every two steps of a ping-pong would cost more than they do.
std::size_t EventLoop::run_ready() {
    constexpr std::uintptr_t deep_bytes = 64 * 1024;  // of stack, below this
    detail::stack_floor = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0)) - deep_bytes;
    constexpr std::size_t few = 64;
    std::size_t steps = 0;
    do {
        for (std::size_t count = ready_count_; count > 0; --count) {
            detail::ReadyNode& node = *first_ready_;
            first_ready_ = node.next_ready;
            if (first_ready_ == nullptr) last_ready_ = nullptr;
            --ready_count_;
            ++steps;
            if (node.run != nullptr) {
                step_stamp_ = 0;
                node.run(node);
            } else {
                run_step(static_cast<TaskControl&>(node));
            }
        }
    } while (ready_count_ != 0 && steps < few && !stopping_);
    return steps;
}

void EventLoop::run_step(TaskControl& task) {
    const bool observed = probe::on();
    if (observed) [[unlikely]] {
        probe::step_begin(step_stamp_, task.id, task.suspended_node);
        step_stamp_ = 0;  // it may take any time from here
    }
    task.state = TaskState::running;
    detail::current_task = &task;
    if (task.must_cancel && detail::ends_without_throw(task)) [[unlikely]] {
        if (task.done()) {  // ended by end_now() while it was in the queue
            detail::current_task = nullptr;
            return task.release();
        }
        end_without_throw(task);
    } else {
        detail::current_frame = task.leaf != nullptr ? task.leaf : task.root;
        detail::current_frame->resume();
        while (detail::next_frame != nullptr)  // see transfer_to()
            std::exchange(detail::next_frame, nullptr)->resume();
        if (task.root->finished()) {
            const std::exception_ptr error = task.error();
            task.outcome = !error                                               ? TaskOutcome::ok
                           : *error.__cxa_exception_type() == typeid(Cancelled) ? TaskOutcome::cancelled
                                                                                : TaskOutcome::error;
        }
    }
    if (task.outcome != TaskOutcome::none) {
        const std::uint64_t id = task.id;
        finish(task);
        detail::current_task = nullptr;
        detail::current_frame = nullptr;
        if (observed) [[unlikely]]
            step_stamp_ = probe::step_end(id, {}, 0);
        return;
    }
    detail::current_task = nullptr;
    detail::current_frame = nullptr;
    if (task.state == TaskState::running) task.state = TaskState::suspended;
    if (observed) [[unlikely]] {
        probe::Wait wait;
        wait.bits = task.wait;
        task.suspended_node = detail::suspension_node(task);
        step_stamp_ = probe::step_end(task.id, wait, task.suspended_node);
    }
}

// By destroying its frames: it has not begun, or it unwinds and nothing in it must see the cancellation.
void EventLoop::end_without_throw(TaskControl& task) noexcept {
    detail::current_frame = nullptr;
    task.must_cancel = task.interrupted = task.must_throw = false;
    task.destroy_frames();
    task.outcome = TaskOutcome::cancelled;
}

void EventLoop::end_now(TaskControl& task) noexcept {
    const bool queued = task.state == TaskState::created || task.state == TaskState::ready;
    task.destroy_frames();
    task.outcome = TaskOutcome::cancelled;
    if (queued) {  // it stays in the queue, which run_step() notices
        task.reference();
        task.must_cancel = true;
    }
    finish(task);
}

void EventLoop::finish(TaskControl& task) noexcept {
    task.state = TaskState::done;
    task.waiting_on = nullptr;
    if (probe::on()) [[unlikely]] {
        step_stamp_ = probe::stamp_now();  // of its end, and of the wake-ups that this is
        probe::emit_at(step_stamp_, EventKind::task_done, task.id, static_cast<std::uint64_t>(task.outcome));
    }
    unlink(task);
    tell_done(task);
    step_stamp_ = 0;
    task.release();  // destructors of its frames, which may take any time
}

void EventLoop::tell_done(TaskControl& task) noexcept {
    if (task.hooks != nullptr && task.hooks->next != nullptr) task.reverse_hooks();  // in the order of their coming
    while (detail::DoneHook* hook = task.hooks) {
        task.hooks = hook->next;
        if (task.hooks != nullptr) task.hooks->previous = nullptr;
        hook->task = nullptr;
        hook->on_done(*hook, task);
    }
}

namespace {

std::shared_ptr<CallbackNode> callback_node(EventLoop& loop, EventLoop::Callback&& callback,
                                            const std::source_location& where) {
    auto node = std::make_shared<CallbackNode>();
    node->loop = &loop;
    node->callback = std::move(callback);
    node->where = where;
    node->self = node;
    return node;
}

}  // namespace

void EventLoop::push_callback(CallbackNode& node) noexcept {
    if (probe::on() && node.node == 0) node.node = detail::call_node(node.where);
    node.ReadyNode::run = [](detail::ReadyNode& ready) {
        auto& self = static_cast<CallbackNode&>(ready);
        self.loop->run_callback(self);
    };
    push_ready(node);
}

Handle EventLoop::call_soon(Callback callback, std::source_location where) {
    auto node = callback_node(*this, std::move(callback), where);
    push_callback(*node);
    return Handle(std::move(node));
}

Handle EventLoop::call_later(Duration delay, Callback callback, std::source_location where) {
    const std::uint64_t later = delay.count() > 0 ? static_cast<std::uint64_t>(delay.count()) : 0;
    return call_at(time_ns() + later, std::move(callback), where);
}

Handle EventLoop::call_at(std::uint64_t time_ns, Callback callback, std::source_location where) {
    auto node = callback_node(*this, std::move(callback), where);
    if (probe::on()) node->node = detail::call_node(where);
    node->owned_by_loop = true;
    node->fire = [](detail::TimerNode& timer) noexcept {
        auto& self = static_cast<CallbackNode&>(timer);
        self.loop->push_callback(self);
    };
    add_timer(*node, time_ns);
    return Handle(std::move(node));
}

void EventLoop::run_callback(CallbackNode& node) {
    const std::shared_ptr<CallbackNode> self = std::move(node.self);
    if (node.cancelled) return;
    const bool observed = probe::on();
    if (observed) probe::callback_begin(node.node);
    try {
        const Callback callback = std::move(node.callback);  // it may cancel its own handle
        callback();
    } catch (...) {
        call_exception_handler(std::current_exception());
    }
    if (observed) probe::callback_end();
}

void EventLoop::call_exception_handler(const std::exception_ptr& error) noexcept {
    if (!exception_handler_) return detail::report_callback_exception(error);
    try {
        const ExceptionHandler handler = exception_handler_;  // it may set another
        handler(*this, error);
    } catch (...) {
        detail::report_callback_exception(error);
        detail::report_callback_exception(std::current_exception());
    }
}

Handle EventLoop::call_soon_threadsafe(Callback callback, std::source_location where) {
    struct Call : detail::RemoteCall {
        std::shared_ptr<CallbackNode> node;
    };
    auto node = callback_node(*this, std::move(callback), where);
    auto* call = new Call;
    call->node = node;
    call->run = [](detail::RemoteCall& base) noexcept {
        const std::unique_ptr<Call> self(static_cast<Call*>(&base));
        self->node->loop->push_callback(*self->node);
    };
    post(*call);
    return Handle(std::move(node));
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
    while (detail::TimerNode* timer = timers_.first()) {
        if (timer->deadline_ns > now_ns_) return;
        timers_.remove(*timer);
        timer->fire(*timer);
    }
}

void EventLoop::link(TaskControl& task) noexcept {
    task.previous_task = last_task_;
    (last_task_ != nullptr ? last_task_->next_task : first_task_) = &task;
    last_task_ = &task;
}

void EventLoop::unlink(TaskControl& task) noexcept {
    if (snapshot_next_ == &task) snapshot_next_ = task.next_task;
    (task.previous_task != nullptr ? task.previous_task->next_task : first_task_) = task.next_task;
    (task.next_task != nullptr ? task.next_task->previous_task : last_task_) = task.previous_task;
    task.previous_task = task.next_task = nullptr;
}

std::vector<AnyTask> EventLoop::all_tasks() {
    std::vector<AnyTask> tasks;
    for (TaskControl* task = first_task_; task != nullptr; task = task->next_task)
        tasks.push_back(AnyTask::share(task));
    return tasks;
}

// Lists the live tasks for a debugger that does not know them: a few hundred an iteration, only while its ring has
// room.
void EventLoop::take_snapshot() noexcept {
    constexpr std::size_t most_at_once = 512;
    if (!snapshot_running_) {
        const std::uint64_t wanted = probe::registry().snapshot_generation.load(std::memory_order_acquire);
        if (wanted == snapshot_answered_ && !probe::wants_snapshot_after_loss()) return;
        snapshot_answered_ = wanted;
        snapshot_running_ = true;
        snapshot_next_ = first_task_;
        probe::emit(EventKind::loop_started, 0, id_);
        probe::emit(EventKind::snapshot_begin, 0, id_);
    }
    probe::ThreadProbe* thread = probe::this_thread();
    if (thread == nullptr || thread->ring.backlog() > thread->ring.capacity() / 2) return;
    for (std::size_t count = 0; snapshot_next_ != nullptr && count < most_at_once; ++count) {
        TaskControl& task = *snapshot_next_;
        snapshot_next_ = task.next_task;
        const probe::Stamp stamp = probe::stamp_now();
        probe::emit_at(stamp, EventKind::snapshot_task, task.id, task.parent_id, detail::frame_node(*task.root, task));
        const bool suspended = task.state == TaskState::suspended;
        probe::emit_at(stamp, EventKind::snapshot_state, task.id, suspended ? task.wait : 0,
                       suspended ? detail::suspension_node(task) : 0);
        if (task.name) {
            if (task.name_id == 0) task.name_id = probe::registry().definitions.intern_name(*task.name);
            probe::emit_at(stamp, EventKind::task_named, task.id, task.name_id);
        }
    }
    if (snapshot_next_ != nullptr) {
        wake();  // go on at once, even if nothing else happens
        return;
    }
    snapshot_running_ = false;
    probe::emit(EventKind::snapshot_end, 0, id_);
}

void Handle::cancel() noexcept {
    if (!node_ || node_->cancelled) return;
    node_->cancelled = true;
    const EventLoop::Callback dropped = std::move(node_->callback);
    if (node_->queued()) {
        node_->loop->remove_timer(*node_);
        node_->self.reset();
    }
}

bool Handle::cancelled() const noexcept { return node_ && node_->cancelled; }

std::uint64_t Handle::when() const noexcept { return node_ ? node_->deadline_ns : 0; }

}  // namespace coroscope
