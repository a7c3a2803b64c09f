#include "coroscope/task.hpp"

#include <typeinfo>

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
    static std::atomic<std::uint64_t> last_block{0};
    thread_local std::uint64_t next = 0, end = 0;
    if (next == end) {
        next = last_block.fetch_add(block, std::memory_order_relaxed);  // only unique, orders nothing
        end = next + block;
    }
    return ++next;
}

}  // namespace

std::uint64_t next_resource_id() noexcept {
    static std::atomic<std::uint64_t> last{0};
    return last.fetch_add(1, std::memory_order_relaxed) + 1;  // only unique, orders nothing
}

TaskControl* spawn(EventLoop* loop, PromiseBase& root, std::exception_ptr (*error_of)(const PromiseBase&) noexcept,
                   std::unique_ptr<Keep> keep, std::string_view name, const std::source_location& where) {
    if (loop == nullptr) loop = running_loop();
    if (loop == nullptr) {
        root.destroy();
        throw_no_running_loop();
    }
    auto* task = new TaskControl;
    task->references = 2;
    task->id = next_task_id();
    task->loop = loop;
    task->root = &root;
    task->error_of = error_of;
    task->keep = std::move(keep);
    task->created_at = where;
    if (current_task != nullptr) task->parent_id = current_task->id;
    task->context = current_context();
    if (!name.empty()) task->name = std::make_unique<std::string>(name);
    if (probe::on()) [[unlikely]] {
        task->creation_node = call_node(where);
        root.node = probe::intern_node(task->creation_node, root.own_site, probe::NodeKind::task);
        probe::emit_at(probe::stamp_now(), EventKind::task_created, task->id, task->parent_id, root.node);
        if (task->name) {
            task->name_id = probe::registry().definitions.intern_name(name);
            probe::emit_at(probe::stamp_now(), EventKind::task_named, task->id, task->name_id);
        }
    }
    loop->link(*task);
    loop->push_ready(*task);
    return task;
}

void make_ready(TaskControl& task) noexcept {
    task.state = TaskState::ready;
    if (probe::on()) [[unlikely]] {
        const std::uint64_t waker = current_task != nullptr ? current_task->id : 0;
        const probe::Stamp known = task.loop->step_stamp_;
        probe::emit_at(known != 0 ? known : probe::stamp_now(), EventKind::task_ready, task.id, waker);
    }
    task.loop->push_ready(task);
}

void TaskControl::set_name(std::string_view text) {
    name = std::make_unique<std::string>(text);
    if (!probe::on()) return;
    name_id = probe::registry().definitions.intern_name(text);
    probe::emit(EventKind::task_named, id, name_id);
}

bool TaskControl::cancel(std::string_view message, std::source_location where) noexcept {
    if (done()) return false;
    ++cancel_requests;
    try {
        cancel_message = message.empty() ? nullptr : std::make_unique<std::string>(message);
    } catch (...) {  // out of memory: cancelled without the message
    }
    if (probe::on()) [[unlikely]] {
        const std::uint64_t by = current_task != nullptr ? current_task->id : 0;
        probe::emit_at(probe::stamp_now(), EventKind::cancel_requested, id, by, call_node(where));
    }
    if (waiting_on != nullptr) {
        waiting_on->cancel();
    } else {
        must_cancel = true;
    }
    return true;
}

void throw_cancelled(TaskControl& task) {
    task.must_cancel = task.cancel_sent = false;
    if (task.cancel_message) throw Cancelled(*task.cancel_message);
    throw Cancelled();
}

void throw_was_cancelled(const TaskControl& task) {
    if (const std::exception_ptr own = task.error()) std::rethrow_exception(own);
    throw Cancelled(std::string(task.message()));  // it never ran
}

void throw_no_running_loop() {
    throw std::logic_error("no running event loop on this thread: call this from a coroutine that run() runs");
}

void TaskControl::add_hook(DoneHook& hook) noexcept {
    hook.task = this;
    hook.previous = nullptr;
    hook.next = hooks;
    if (hooks != nullptr) hooks->previous = &hook;
    hooks = &hook;
}

void TaskControl::remove_hook(DoneHook& hook) noexcept {
    if (hook.task == nullptr) return;
    (hook.previous != nullptr ? hook.previous->next : hook.task->hooks) = hook.next;
    if (hook.next != nullptr) hook.next->previous = hook.previous;
    hook.task = nullptr;
}

void TaskControl::destroy(TaskControl* task) noexcept {
    if (!task->done()) {
        report_task_destroyed_pending(*task);
    } else if (task->outcome == TaskOutcome::error && !task->retrieved) {
        report_exception_never_retrieved(*task, task->error());
    }
    task->root->destroy();  // and with it the frames it awaits: their awaiters own them
    delete task;
}

void JoinBase::suspend_until_done(bool pass_on) noexcept {
    target_->add_hook(*this);
    on_done = [](DoneHook& hook, TaskControl&) noexcept { static_cast<JoinBase&>(hook).wake(); };
    const std::uint64_t wait = wait_bits(WaitKind::task, target_->id);
    if (!pass_on) {
        suspend(wait, [](Suspension& self) noexcept {
            TaskControl::remove_hook(static_cast<JoinBase&>(self));
            static_cast<JoinBase&>(self).wake_cancelled();
        });
        return;
    }
    suspend(wait, [](Suspension& self) noexcept {
        auto& join = static_cast<JoinBase&>(self);
        // As in asyncio the awaited task is cancelled, and its end ends this wait. A task that awaits itself ends it at
        // once.
        if (join.target_ == self.task() ||
            !join.target_->cancel(self.task()->message(), std::source_location::current())) {
            TaskControl::remove_hook(join);
            join.wake_cancelled();
        }
    });
}

}  // namespace detail

std::exception_ptr AnyTask::exception() const {
    require_done();
    control_->retrieved = true;
    if (cancelled()) detail::throw_was_cancelled(*control_);
    return control_->error();
}

void AnyTask::add_done_callback(std::function<void(AnyTask)> callback) const {
    struct Hook : detail::DoneHook {
        std::function<void(AnyTask)> callback;
    };
    if (done()) {
        control_->loop->call_soon([callback = std::move(callback), task = *this] { callback(task); });
        return;
    }
    auto* hook = new Hook;
    hook->callback = std::move(callback);
    hook->on_done = [](detail::DoneHook& base, detail::TaskControl& done) noexcept {
        const std::unique_ptr<Hook> self(static_cast<Hook*>(&base));
        try {
            AnyTask task = AnyTask::share(&done);
            task.control()->loop->call_soon([callback = std::move(self->callback), task] { callback(task); });
        } catch (...) {
            detail::report_callback_exception(std::current_exception());
        }
    };
    control_->add_hook(*hook);
}

std::vector<AnyTask> all_tasks() { return EventLoop::running().all_tasks(); }

}  // namespace coroscope
