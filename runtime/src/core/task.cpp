#include "coroscope/task.hpp"

#include <atomic>
#include <cstddef>
#include <stdexcept>

#include "coroscope/loop.hpp"
#include "observe.hpp"

namespace coroscope {

namespace detail {

thread_local constinit TaskControl* current_task = nullptr;
thread_local constinit PromiseBase* current_frame = nullptr;
thread_local constinit PromiseBase* next_frame = nullptr;
thread_local constinit std::uintptr_t stack_floor = 0;

namespace {

using probe::EventKind;

// Dense and never reused within the process. A thread takes a few at a time: no contention between loops.
std::uint64_t next_task_id() noexcept {
    constexpr std::uint64_t block = 64;
    thread_local std::uint64_t next = 0, end = 0;
    if (next == end) {
        // Relaxed: only unique, orders nothing.
        next = __atomic_fetch_add(&cs_process_state()->last_task, block, __ATOMIC_RELAXED);
        end = next + block;
    }
    return ++next;
}

}  // namespace

TaskControl* spawn(EventLoop* loop, PromiseBase& root, std::unique_ptr<TaskExtras> extras, std::string_view name,
                   const std::source_location& where) {
    if (loop == nullptr) loop = t_running_loop;
    if (loop == nullptr) {
        root.destroy();
        throw_no_running_loop();
    }
    auto* task = new TaskControl;
    task->references = 2;
    task->id = next_task_id();
    task->loop = loop;
    task->root = &root;
    task->extras = std::move(extras);
    if (current_task != nullptr) task->parent_id = current_task->id;
    task->context = current_context();
    if (!name.empty()) task->make_extras().name = name;
    if (probe::on()) [[unlikely]] {
        check_thread(*loop, task, "a task was created");
        task->creation_node = call_node(where);
        root.node = probe::intern_node(task->creation_node, root.own_site, probe::NodeKind::task);
        probe::emit_at(probe::stamp_now(), EventKind::task_created, task->id, task->parent_id, root.node);
        if (!name.empty()) probe::emit_at(probe::stamp_now(), EventKind::task_named, task->id, name_id(*task));
    }
    loop->link(*task);
    loop->push_ready(*task);
    return task;
}

void make_ready(TaskControl& task) noexcept {
    COROSCOPE_ASSERT(!task.in_queue(), "a task is in the queue once");
    task.state = TaskState::ready;
    if (probe::on()) [[unlikely]] {
        check_thread(*task.loop, &task, "a task was woken");
        const std::uint64_t waker = current_task != nullptr ? current_task->id : 0;
        const probe::Stamp known = task.loop->step_stamp_;
        probe::emit_at(known != 0 ? known : probe::stamp_now(), EventKind::task_ready, task.id, waker);
    }
    task.loop->push_ready(task);
}

void TaskControl::set_name(std::string_view text) {
    TaskExtras& more = make_extras();
    more.name = text;
    more.name_id = 0;
    if (has_name() && probe::on()) probe::emit(EventKind::task_named, id, detail::name_id(*this));
}

TaskExtras& TaskControl::make_extras() {
    if (!extras) extras = std::make_unique<TaskExtras>();
    return *extras;
}

void destroy_from_leaf(PromiseBase& leaf, PromiseBase& root) noexcept {
    PromiseBase* frame = &leaf;
    while (frame != &root) {
        PromiseBase* const parent = frame->parent;
        auto* const owner = reinterpret_cast<CoroAwaiterBase*>(reinterpret_cast<std::byte*>(parent) + frame->owner_at);
        // Else the parent's destruction destroys it: what owns it is a generator, or lies behind the first 64 KiB.
        if (frame->owner_at != 0 && owner->child_ == frame) {
            owner->child_ = nullptr;
            frame->destroy();
        }
        frame = parent;
    }
    root.destroy();
}

void TaskControl::destroy_frames() noexcept {
    PromiseBase* const innermost = std::exchange(leaf, nullptr);
    PromiseBase* const outermost = std::exchange(root, nullptr);
    if (outermost == nullptr) return;
    if (innermost != nullptr) {
        destroy_from_leaf(*innermost, *outermost);
    } else {
        outermost->destroy();
    }
}

void throw_no_running_loop() {
    throw std::logic_error("no running event loop on this thread: call this from a coroutine that run() runs");
}

void TaskControl::add_hook(DoneHook& hook) noexcept {
    COROSCOPE_ASSERT(hook.task == nullptr && !done(), "a hook is added once, to a task that is not done");
    hook.task = this;
    hook.previous = nullptr;
    hook.next = hooks;
    if (hooks != nullptr) hooks->previous = &hook;
    hooks = &hook;
}

void TaskControl::remove_hook(DoneHook& hook) noexcept {
    if (hook.task == nullptr) return;
    COROSCOPE_ASSERT((hook.previous != nullptr ? hook.previous->next : hook.task->hooks) == &hook,
                     "the neighbours of a hook refer to it");
    (hook.previous != nullptr ? hook.previous->next : hook.task->hooks) = hook.next;
    if (hook.next != nullptr) hook.next->previous = hook.previous;
    hook.task = nullptr;
}

void TaskControl::reverse_hooks() noexcept {
    DoneHook* reversed = nullptr;
    while (DoneHook* hook = hooks) {
        hooks = hook->next;
        hook->next = reversed;
        hook->previous = nullptr;
        if (reversed != nullptr) reversed->previous = hook;
        reversed = hook;
    }
    hooks = reversed;
}

// It is done, so it has one frame: that of its result and its parameters. They may hold the last handle to the next
// task, and so on.
void TaskControl::destroy(TaskControl* task) noexcept {
    thread_local constinit bool destroying = false;  // by a call further up the stack
    thread_local constinit TaskControl* put_off = nullptr;
    if (destroying && stack_is_deep()) [[unlikely]] {
        task->next_task = std::exchange(put_off, task);
        return;
    }
    const bool in_another = std::exchange(destroying, true);
    for (;;) {
        if (task->outcome == TaskOutcome::error && !task->retrieved)
            report_exception_never_retrieved(*task, task->error());
        if (task->root != nullptr) std::exchange(task->root, nullptr)->destroy();
        delete task;
        if (put_off == nullptr) break;
        task = std::exchange(put_off, put_off->next_task);
    }
    destroying = in_another;
}

void JoinBase::wait_for_end(const SuspensionType& type) noexcept {
    target_->add_hook(*this);
    on_done = [](DoneHook& hook, TaskControl& done) noexcept { static_cast<JoinBase&>(hook).target_done(done); };
    suspend(type);
}

std::uint64_t JoinBase::waits_for() const noexcept { return pack_wait(Verb::join, target_->id); }

void JoinBase::leave() noexcept {
    TaskControl::remove_hook(*this);
    wake_cancelled();
}

void JoinBase::throw_awaits_itself() { throw std::logic_error("a task cannot await itself: it would never end"); }

// As in asyncio the awaited task is cancelled, and its end ends this wait. Tasks that await each other in a circle:
// where the request comes round again, the wait ends at once.
void JoinBase::pass_on_cancel() noexcept {
    TaskControl& self = *Suspension::task();
    switch (passing_on_.begin()) {
        case PassingOn::Begun::came_round: return leave();
        case PassingOn::Begun::passed_on: return;
        case PassingOn::Begun::yes: break;
    }
    if (!target_->cancel(self.message(), passed_on_by(self))) {
        leave();
    } else {
        passed_on_ = true;
    }
    passing_on_.end();
}

void JoinBase::target_done(const TaskControl& done) noexcept {
    // The target's Cancelled is thrown here. A task that unwinds needs no throw: it was the one that was cancelled.
    if (passed_on_ && done.outcome == TaskOutcome::cancelled && Suspension::task()->unwinds) {
        wake_cancelled();
    } else {
        wake();
    }
}

}  // namespace detail

std::exception_ptr AnyTask::exception(std::source_location where) const {
    require_done();
    control_->retrieve(where);
    if (cancelled()) control_->rethrow_cancelled();
    return control_->error();
}

void AnyTask::add_done_callback(std::function<void(AnyTask)> callback, std::source_location where) const {
    struct Hook : detail::DoneHook {
        std::function<void(AnyTask)> callback;
        std::source_location where;
        std::uint32_t node = 0;
    };
    if (done()) {
        control_->loop->call_soon([callback = std::move(callback), task = *this] { callback(task); }, where);
        return;
    }
    auto* hook = new Hook;
    hook->callback = std::move(callback);
    hook->where = where;
    if (probe::on()) hook->node = detail::call_node(where);
    hook->on_done = [](detail::DoneHook& base, detail::TaskControl& done) noexcept {
        const std::unique_ptr<Hook> self(static_cast<Hook*>(&base));
        try {
            AnyTask task = AnyTask::share(&done);
            task.control()->loop->call_soon_from([callback = std::move(self->callback), task] { callback(task); },
                                                 self->where, self->node);
        } catch (...) {
            detail::report_callback_exception(std::current_exception());
        }
    };
    control_->add_hook(*hook);
}

std::vector<AnyTask> all_tasks() { return EventLoop::running().all_tasks(); }
std::vector<AnyTask> all_tasks(EventLoop& loop) { return loop.all_tasks(); }

}  // namespace coroscope
