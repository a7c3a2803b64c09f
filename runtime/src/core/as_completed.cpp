#include "coroscope/as_completed.hpp"

#include <algorithm>

#include "coroscope/loop.hpp"
#include "coroscope/timeout.hpp"

namespace coroscope::detail {

CompletionOrder::CompletionOrder(std::span<TaskControl* const> tasks, std::optional<std::chrono::nanoseconds> timeout)
    : hooks_(tasks.size()) {
    done_.reserve(tasks.size());  // on_done must not throw
    if (timeout) {
        const auto later = static_cast<std::uint64_t>(std::max<std::int64_t>(timeout->count(), 0));
        deadline_ns_ = EventLoop::running().time_ns() + later;
    }
    for (std::size_t i = 0; i < tasks.size(); ++i) {
        Hook& hook = hooks_[i];
        hook.owner = this;
        hook.target = tasks[i];
        hook.target->reference();
        hook.on_done = [](DoneHook& base, TaskControl& task) noexcept {
            CompletionOrder& owner = *static_cast<Hook&>(base).owner;
            owner.done_.push_back(&task);
            owner.more_.set();
        };
        if (hook.target->done()) {
            done_.push_back(hook.target);
        } else {
            hook.target->add_hook(hook);
        }
    }
}

CompletionOrder::~CompletionOrder() {
    for (Hook& hook : hooks_) {
        TaskControl::remove_hook(hook);
        hook.target->release();
    }
}

Coro<> CompletionOrder::wait_for_one() {
    more_.clear();
    co_await more_.wait();
}

Coro<TaskControl*> CompletionOrder::next() {
    if (given_ == hooks_.size()) co_return nullptr;
    if (given_ == done_.size()) {
        if (deadline_ns_) {
            co_await wait_until(wait_for_one(), *deadline_ns_);
        } else {
            co_await wait_for_one();
        }
    }
    TaskControl* task = done_[given_++];
    task->reference();
    co_return task;
}

}  // namespace coroscope::detail
