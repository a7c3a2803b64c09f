#include "coroscope/task_group.hpp"

#include <memory>
#include <stdexcept>
#include <typeinfo>

#include "observe.hpp"

namespace coroscope {

using detail::TaskControl;
using detail::TaskState;

TaskGroup::TaskGroup(const std::source_location& where) : owner_(detail::current_task) {
    if (owner_ == nullptr) throw std::logic_error("TaskGroup: needs a running task");
    resource_.constructed(traits, where);
}

TaskGroup::~TaskGroup() {
    abort_.cancel();
    aborting_ = true;  // no destructor below adds a task
    if (members_ != nullptr) owner_->end_throwing_scope();
    while (Member* member = members_) {
        TaskControl& task = *member->control;
        TaskControl::remove_hook(*member);
        remove(*member);
        if (task.state == TaskState::running) {  // it is destroying its group: the one that cannot end here
            task.cancel({}, std::source_location::current());
        } else if (!task.done()) {
            detail::end_now(task);
        }
    }
}

void TaskGroup::before_make_task() const {
    if (joining_ && running_ == 0) throw std::logic_error("TaskGroup: it is finished, no task can be added any more");
    if (aborting_) throw std::logic_error("TaskGroup: it is ending because of an error, no task can be added any more");
}

void TaskGroup::add(const AnyTask& task) {
    auto member = std::make_unique<Member>();
    member->group = this;
    member->control = task.control();
    member->on_done = [](detail::DoneHook& hook, TaskControl& done) noexcept {
        auto& self = static_cast<Member&>(hook);
        self.group->member_done(self, done);
    };
    member->next_member = members_;
    if (members_ != nullptr) members_->previous_member = member.get();
    members_ = member.get();
    task.control()->add_hook(*member.release());
    resource_.member(*task.control());
    if (running_++ == 0) owner_->begin_throwing_scope();
}

void TaskGroup::remove(Member& member) noexcept {
    (member.previous_member != nullptr ? member.previous_member->next_member : members_) = member.next_member;
    if (member.next_member != nullptr) member.next_member->previous_member = member.previous_member;
    delete &member;
}

void TaskGroup::member_done(Member& member, TaskControl& task) noexcept {
    remove(member);
    if (--running_ == 0) owner_->end_throwing_scope();
    if (task.outcome == detail::TaskOutcome::error) {
        task.retrieved = true;
        errors_.push_back(task.error());
        // Not at once: a task that runs before then fails with its own error, and is not cancelled because of this one.
        if (errors_.size() == 1 && !aborting_) abort_ = owner_->loop->call_soon([this] { abort_because_of_error(); });
    }
    if (running_ == 0 && joiner_ != nullptr) joiner_->wake_up();
}

void TaskGroup::abort_because_of_error() {
    if (aborting_) return;
    abort();
    // The owner is somewhere in the body: it is interrupted there, once.
    if (joiner_ == nullptr && !owner_->done()) {
        owner_cancelled_by_group_ = true;
        owner_->cancel_for_scope("a task of its TaskGroup failed");
    }
}

void TaskGroup::cancel() {
    for (Member* member = members_; member != nullptr; member = member->next_member)
        member->control->cancel({}, std::source_location::current());
}

void TaskGroup::abort() {
    aborting_ = true;
    cancel();
}

std::uint64_t TaskGroup::JoinAwaiter::waits_for() const noexcept {
    const bool unknown = group_.resource_.id() == 0;
    const std::uint64_t wait = group_.resource_.wait(detail::Verb::members, *task(), traits);
    if (unknown || detail::listing_tasks)
        for (const Member* member = group_.members_; member != nullptr; member = member->next_member)
            group_.resource_.member(*member->control);
    return wait;
}

void TaskGroup::JoinAwaiter::start() noexcept {
    group_.joiner_ = this;
    suspend(*this);
}

// The wait goes on: now for the end of tasks that were cancelled.
void TaskGroup::JoinAwaiter::on_cancel() noexcept {
    if (group_.aborting_) return;
    group_.cancelled_in_join_ = true;
    group_.abort();
}

Coro<> TaskGroup::join_after(std::exception_ptr body_error) {
    if (detail::current_task != owner_) throw std::logic_error("TaskGroup: only the task that made it may join it");
    joining_ = true;
    const bool body_cancelled = body_error && *body_error.__cxa_exception_type() == typeid(Cancelled);
    if (body_error && !aborting_) abort();
    while (running_ != 0) {
        JoinAwaiter all_done(*this);
        co_await all_done;
    }
    abort_.cancel();
    bool cancelled = body_cancelled || cancelled_in_join_;
    // The interruption was the group's own: it is taken back, unless somebody else cancelled the owner too.
    if (std::exchange(owner_cancelled_by_group_, false) && owner_->uncancel() == 0) cancelled = false;
    if (cancelled && errors_.empty()) {
        if (body_cancelled) std::rethrow_exception(body_error);
        detail::throw_cancelled(*owner_);
    }
    if (body_error && !body_cancelled) errors_.push_back(body_error);
    if (errors_.empty()) co_return;
    // Cancelled from outside as well: the errors go first, so that is thrown at the owner's next await.
    if (owner_->cancel_requests > 0) owner_->must_cancel = true;
    throw ExceptionGroup("unhandled errors in a TaskGroup", std::move(errors_));
}

}  // namespace coroscope
