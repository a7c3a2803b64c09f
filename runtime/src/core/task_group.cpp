#include "coroscope/task_group.hpp"

#include <memory>
#include <stdexcept>
#include <typeinfo>

namespace coroscope {

TaskGroup::TaskGroup() : owner_(detail::current_task) {
    if (owner_ == nullptr) throw std::logic_error("TaskGroup: needs a running task");
}

TaskGroup::~TaskGroup() {
    if (abort_pending_) *abort_pending_ = nullptr;
    cancel();
    while (Member* member = members_) {
        members_ = member->next_member;
        detail::TaskControl::remove_hook(*member);
        delete member;
    }
}

void TaskGroup::throw_closed() const {
    throw std::logic_error(closed_ ? "TaskGroup: it has been joined, no task can be added any more"
                                   : "TaskGroup: it is ending because of an error, no task can be added any more");
}

void TaskGroup::add(const AnyTask& task) {
    auto member = std::make_unique<Member>();
    member->group = this;
    member->control = task.control();
    member->on_done = [](detail::DoneHook& hook, detail::TaskControl& done) noexcept {
        auto& self = static_cast<Member&>(hook);
        self.group->member_done(self, done);
    };
    member->next_member = members_;
    if (members_ != nullptr) members_->previous_member = member.get();
    members_ = member.get();
    task.control()->add_hook(*member.release());
    ++running_;
}

void TaskGroup::member_done(Member& member, detail::TaskControl& task) noexcept {
    (member.previous_member != nullptr ? member.previous_member->next_member : members_) = member.next_member;
    if (member.next_member != nullptr) member.next_member->previous_member = member.previous_member;
    delete &member;
    --running_;
    if (task.outcome == detail::TaskOutcome::error) {
        task.retrieved = true;
        errors_.push_back(task.error());
        if (!aborting_ && !abort_pending_) {
            try {
                abort_soon();
            } catch (...) {  // out of memory
                abort();
            }
        }
    }
    if (running_ == 0 && joiner_ != nullptr) joiner_->wake_up();
}

// In the loop's next turn, as in asyncio: what was ready together with the task that failed still runs, and its errors
// arrive too.
void TaskGroup::abort_soon() {
    abort_pending_ = std::make_shared<TaskGroup*>(this);
    owner_->loop->call_soon([pending = abort_pending_] {
        if (*pending != nullptr) (*pending)->abort();
    });
}

void TaskGroup::abort() noexcept {
    if (aborting_ || closed_) return;
    aborting_ = true;
    cancel();
    // The owner is somewhere in the body: it is interrupted there, once.
    if (joiner_ == nullptr && !owner_->done()) {
        owner_cancelled_by_group_ = true;
        owner_->cancel("a task of its TaskGroup failed", std::source_location::current());
    }
}

void TaskGroup::cancel() {
    for (Member* member = members_; member != nullptr; member = member->next_member)
        member->control->cancel({}, std::source_location::current());
}

void TaskGroup::fail(std::exception_ptr error) {
    if (!aborting_) {
        aborting_ = true;
        cancel();
    }
    if (*error.__cxa_exception_type() == typeid(Cancelled)) {
        if (!owner_cancelled_by_group_) owner_->must_cancel = true;  // thrown again by join(), once all have ended
        return;
    }
    errors_.push_back(std::move(error));
}

void TaskGroup::JoinAwaiter::start() noexcept {
    group_.joiner_ = this;
    suspend(detail::wait_bits(detail::WaitKind::task, 0), [](detail::Suspension& base) noexcept {
        // The waiting goes on, now for the end of tasks that were cancelled.
        auto& self = static_cast<JoinAwaiter&>(base);
        self.group_.aborting_ = true;
        self.group_.cancel();
        self.task()->must_cancel = true;
    });
}

Coro<> TaskGroup::join() {
    std::exception_ptr cancelled;
    while (running_ != 0) {
        try {
            JoinAwaiter all_done(*this);
            co_await all_done;
        } catch (const Cancelled&) {
            cancelled = std::current_exception();
        }
    }
    closed_ = true;
    if (owner_cancelled_by_group_) {
        // The interruption was the group's own: it is taken back, unless somebody else cancelled the owner too.
        if (owner_->uncancel() == 0) cancelled = nullptr;
        owner_cancelled_by_group_ = false;
    }
    if (!errors_.empty()) throw ExceptionGroup("unhandled errors in a TaskGroup", std::move(errors_));
    if (cancelled) std::rethrow_exception(cancelled);
    if (owner_->must_cancel) detail::throw_cancelled(*owner_);
}

}  // namespace coroscope
