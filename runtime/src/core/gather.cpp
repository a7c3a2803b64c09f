#include "coroscope/gather.hpp"

#include "observe.hpp"

namespace coroscope::detail {

WaitAwaiter::WaitAwaiter(std::span<TaskControl* const> tasks, ReturnWhen when, bool cancelled_counts,
                         OnCancelled on_cancelled, Timeout timeout)
    : hooks_(tasks.size()),
      when_(when),
      cancelled_counts_(cancelled_counts),
      on_cancelled_(on_cancelled),
      timeout_(timeout) {
    for (std::size_t i = 0; i < tasks.size(); ++i) {
        hooks_[i].owner = this;
        hooks_[i].target = tasks[i];
        tasks[i]->reference();
        if (tasks[i]->done()) {
            if (first_ == nullptr && satisfies(*tasks[i])) first_ = tasks[i];
        } else {
            ++pending_;
        }
    }
}

WaitAwaiter::~WaitAwaiter() {
    stop_waiting();
    for (Hook& hook : hooks_) hook.target->release();
}

bool WaitAwaiter::satisfies(const TaskControl& task) const noexcept {
    switch (when_) {
        case ReturnWhen::all_completed: return false;
        case ReturnWhen::first_completed: return true;
        case ReturnWhen::first_exception:
            return task.outcome == TaskOutcome::error || (cancelled_counts_ && task.outcome == TaskOutcome::cancelled);
    }
    return false;
}

void WaitAwaiter::start() {
    waiting_ = true;
    for (Hook& hook : hooks_) {
        if (hook.target->done()) continue;
        hook.on_done = [](DoneHook& base, TaskControl& done) noexcept {
            static_cast<Hook&>(base).owner->one_done(done);
        };
        hook.target->add_hook(hook);
    }
    if (timeout_) {
        fire = [](CallbackTimer& timer) noexcept {
            auto& self = static_cast<WaitAwaiter&>(timer);
            self.stop_waiting();
            self.wake();
        };
        EventLoop& loop = *current_task->loop;
        const std::int64_t delay_ns = timeout_->count();
        loop.add_timer(*this, loop.time_ns() + (delay_ns > 0 ? static_cast<std::uint64_t>(delay_ns) : 0));
    }
    suspend(*this);
}

std::uint64_t WaitAwaiter::waits_for() const noexcept {
    if (hooks_.size() == 1) return pack_wait(Verb::join, hooks_.front().target->id);
    const bool unknown = resource_.id() == 0;
    // What cancels its tasks when it is cancelled is a gather.
    const ResourceType type = on_cancelled_ == OnCancelled::cancel ? ResourceType::gather : ResourceType::wait;
    const std::uint64_t wait = resource_.wait(Verb::members, *task(), {.type = type, .made_by_wait = true});
    if (unknown || listing_tasks)
        for (const Hook& hook : hooks_)
            if (!hook.target->done()) resource_.member(*hook.target);
    return wait;
}

void WaitAwaiter::one_done(TaskControl& task) noexcept {
    --pending_;
    if (!waiting_) return;
    if (first_ == nullptr && satisfies(task)) first_ = &task;
    // Once its cancellation was passed on, a gather ends when all have ended: with the first error of their clean-up,
    // if there is one.
    if (cancel_passed_on_ && when_ == ReturnWhen::first_exception && task.outcome == TaskOutcome::error &&
        first_->outcome != TaskOutcome::error)
        first_ = &task;
    if (pending_ != 0 && (cancel_passed_on_ || first_ == nullptr)) return;
    const bool cancelled_now = cancel_passed_on_ && (first_ == nullptr || first_->outcome != TaskOutcome::error);
    stop_waiting();
    if (cancelled_now) {
        wake_cancelled();
    } else {
        wake();
    }
}

void WaitAwaiter::on_cancel() noexcept {
    // The request may come round, of tasks that wait for each other in a circle: then the wait ends at once.
    const PassingOn::Begun begun =
        on_cancelled_ == OnCancelled::cancel ? passing_on_.begin() : PassingOn::Begun::came_round;
    if (begun == PassingOn::Begun::passed_on) return;
    if (begun == PassingOn::Begun::yes) {
        bool any = false;
        for (Hook& hook : hooks_) any = hook.target->cancel(task()->message(), passed_on_by(*task())) || any;
        passing_on_.end();
        if (!waiting_) return;  // it came round
        if (any) {
            cancel_passed_on_ = true;
            return;
        }
    }
    stop_waiting();
    wake_cancelled();
}

void WaitAwaiter::stop_waiting() noexcept {
    waiting_ = false;
    for (Hook& hook : hooks_) TaskControl::remove_hook(hook);
    if (queued()) task()->loop->remove_timer(*this);
}

Coro<> gather_tasks(std::vector<TaskControl*> tasks) {
    WaitAwaiter all(tasks, ReturnWhen::first_exception, true, WaitAwaiter::OnCancelled::cancel, std::nullopt);
    co_await all;
    TaskControl* failed = all.first();
    if (failed == nullptr) co_return;
    // The first error is what it tells, as asyncio's; the others are seen by the debugger alone.
    for (TaskControl* task : tasks) task->retrieved = true;
    failed->retrieve();
    if (failed->outcome == TaskOutcome::cancelled) failed->rethrow_cancelled();
    std::rethrow_exception(failed->error());
}

Coro<> gather_ends(std::vector<TaskControl*> tasks) {
    WaitAwaiter all(tasks, ReturnWhen::all_completed, true, WaitAwaiter::OnCancelled::cancel, std::nullopt);
    co_await all;
}

}  // namespace coroscope::detail
