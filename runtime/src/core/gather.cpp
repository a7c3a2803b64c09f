#include "coroscope/gather.hpp"

namespace coroscope::detail {

WaitAwaiter::WaitAwaiter(std::span<TaskControl* const> tasks, ReturnWhen when, bool cancelled_counts,
                         OnCancelled on_cancelled, std::int64_t timeout_ns)
    : hooks_(tasks.size()),
      when_(when),
      cancelled_counts_(cancelled_counts),
      on_cancelled_(on_cancelled),
      timeout_ns_(timeout_ns) {
    for (std::size_t i = 0; i < tasks.size(); ++i) {
        hooks_[i].owner = this;
        hooks_[i].target = tasks[i];
        tasks[i]->reference();
        if (tasks[i]->done()) {
            satisfied_ = satisfied_ || satisfies(*tasks[i]);
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
    if (timeout_ns_ >= 0) {
        fire = [](TimerNode& timer) noexcept {
            auto& self = static_cast<WaitAwaiter&>(timer);
            self.stop_waiting();
            self.wake();
        };
        EventLoop& loop = *current_task->loop;
        loop.add_timer(*this, loop.time_ns() + static_cast<std::uint64_t>(timeout_ns_));
    }
    suspend(wait_bits(WaitKind::task, hooks_.size() == 1 ? hooks_.front().target->id : 0),
            [](Suspension& base) noexcept { static_cast<WaitAwaiter&>(base).cancel_or_leave(); });
}

void WaitAwaiter::one_done(const TaskControl& task) noexcept {
    --pending_;
    if (!waiting_) return;
    // Once its cancellation was passed on, a gather ends when all have ended.
    if (pending_ != 0 && (cancel_passed_on_ || !satisfies(task))) return;
    const bool cancelled_now = cancel_passed_on_;
    stop_waiting();
    if (cancelled_now) {
        wake_cancelled();
    } else {
        wake();
    }
}

void WaitAwaiter::cancel_or_leave() noexcept {
    if (on_cancelled_ == OnCancelled::cancel) {
        bool any = false;
        for (Hook& hook : hooks_) any = hook.target->cancel(task()->message(), std::source_location::current()) || any;
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

}  // namespace coroscope::detail
