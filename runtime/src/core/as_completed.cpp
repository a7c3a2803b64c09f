#include "coroscope/as_completed.hpp"

#include <stdexcept>
#include <unordered_set>

#include "observe.hpp"

namespace coroscope::detail {

Completions::Completions(std::span<TaskControl* const> tasks, std::optional<std::chrono::nanoseconds> timeout)
    : loop_(EventLoop::running()) {
    hooks_.reserve(tasks.size());  // the hooks stay where they are
    std::unordered_set<TaskControl*> seen;
    for (TaskControl* task : tasks)
        if (seen.insert(task).second) hooks_.emplace_back().target = task;
    left_ = hooks_.size();
    if (timeout && left_ != 0) {
        fire = [](CallbackTimer& timer) noexcept {
            auto& self = static_cast<Completions&>(timer);
            self.timed_out_ = true;
            self.wake_waiter();
        };
        const std::int64_t delay_ns = timeout->count();
        loop_.add_timer(*this, loop_.time_ns() + (delay_ns > 0 ? static_cast<std::uint64_t>(delay_ns) : 0));
    }
    for (Hook& hook : hooks_) {
        hook.owner = this;
        hook.target->reference();
        if (hook.target->done()) {
            put(hook);
            continue;
        }
        hook.on_done = [](DoneHook& base, TaskControl&) noexcept {
            auto& self = static_cast<Hook&>(base);
            self.owner->put(self);
            self.owner->wake_waiter();
        };
        hook.target->add_hook(hook);
    }
}

Completions::~Completions() {
    if (queued()) loop_.remove_timer(*this);
    for (Hook& hook : hooks_) {
        TaskControl::remove_hook(hook);
        hook.target->release();
    }
}

void Completions::put(Hook& hook) noexcept {
    (last_done_ != nullptr ? last_done_->next_done : first_done_) = &hook;
    last_done_ = &hook;
}

void Completions::wake_waiter() noexcept {
    if (waiter_ != nullptr) std::exchange(waiter_, nullptr)->wake_up();
}

bool Completions::NextBase::await_ready() const {
    if (owner_.waiter_ != nullptr) throw std::logic_error("as_completed: two tasks wait for the next one");
    return owner_.first_done_ != nullptr || owner_.left_ == 0 || owner_.timed_out_;
}

void Completions::NextBase::start() noexcept {
    owner_.waiter_ = this;
    suspend(*this);
}

std::uint64_t Completions::NextBase::waits_for() const noexcept {
    const bool unknown = owner_.resource_.id() == 0;
    const std::uint64_t wait =
        owner_.resource_.wait(Verb::members, *task(), {.type = ResourceType::as_completed, .made_by_wait = true});
    if (unknown || listing_tasks)
        for (const Hook& hook : owner_.hooks_)
            if (!hook.target->done()) owner_.resource_.member(*hook.target);
    return wait;
}

void Completions::NextBase::on_cancel() noexcept {
    owner_.waiter_ = nullptr;
    wake_cancelled();
}

TaskControl* Completions::NextBase::take() {
    check_cancelled();
    Hook* hook = owner_.first_done_;
    if (hook == nullptr) {
        if (owner_.left_ != 0) throw TimeoutError();
        return nullptr;
    }
    owner_.first_done_ = hook->next_done;
    if (owner_.first_done_ == nullptr) owner_.last_done_ = nullptr;
    if (--owner_.left_ == 0 && owner_.queued()) owner_.loop_.remove_timer(owner_);
    return hook->target;
}

}  // namespace coroscope::detail
