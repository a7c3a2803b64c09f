#include "coroscope/task_group.hpp"

#include <memory>
#include <stdexcept>
#include <typeinfo>

#include "observe.hpp"
#include "task_error.hpp"

namespace coroscope {

using detail::TaskControl;
using detail::TaskState;

TaskGroup::TaskGroup(const std::source_location& where) : owner_(detail::current_task) {
    if (owner_ == nullptr) throw std::logic_error("TaskGroup: needs a running task");
    resource_.constructed(traits, where);
}

TaskGroup::~TaskGroup() {
    abort_.cancel();
    aborting_ = true;                                                          // no destructor below adds a task
    if (members_ != nullptr || detail::current_task == owner_) close_scope();  // else the owner may be gone
    while (Member* member = members_) {
        TaskControl& task = *member->control;
        TaskControl::remove_hook(*member);
        remove(*member);
        if (task.state == TaskState::running) {  // it is destroying its group: the one that cannot end here
            task.cancel({}, cause_of_body(false));
        } else if (!task.done()) {
            detail::end_now(task);
        }
    }
    if (owner_cancelled_by_group_ || !errors_.empty()) [[unlikely]]
        leave();
}

// Without join(), after a task has failed. The errors go with the exception that flies, if one does: see LeftErrors.
void TaskGroup::leave() noexcept {
    const bool in_owner = detail::current_task == owner_;  // else it may be gone
    if (std::exchange(owner_cancelled_by_group_, false) && in_owner) owner_->uncancel();
    if (errors_.empty()) return;
    try {
        const bool flies = in_owner && std::uncaught_exceptions() != 0 && owner_->extras;
        std::shared_ptr<detail::LeftErrors> here;  // else reported at the end of this block
        std::shared_ptr<detail::LeftErrors>& left = flies ? owner_->extras->left_errors : here;
        if (!left) left = std::make_shared<detail::LeftErrors>();
        if (flies) left->cancel_number = owner_->extras->cancel_number;
        left->errors.insert(left->errors.end(), errors_.begin(), errors_.end());
        left->tasks.insert(left->tasks.end(), failed_.begin(), failed_.end());
    } catch (...) {  // out of memory
    }
}

// Why its tasks are cancelled when the body has ended without them.
detail::CancelCause TaskGroup::cause_of_body(bool body_cancelled) const noexcept {
    return detail::cause_here(body_cancelled ? detail::CancelOrigin::awaiter : detail::CancelOrigin::task_group);
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
    ++running_;
    if (!std::exchange(scope_is_open_, true)) owner_->begin_throwing_scope();
}

void TaskGroup::remove(Member& member) noexcept {
    (member.previous_member != nullptr ? member.previous_member->next_member : members_) = member.next_member;
    if (member.next_member != nullptr) member.next_member->previous_member = member.previous_member;
    delete &member;
}

void TaskGroup::member_done(Member& member, TaskControl& task) noexcept {
    remove(member);
    --running_;
    if (task.outcome == detail::TaskOutcome::error) {
        task.retrieved = true;  // the group has it now
        errors_.push_back(task.error());
        failed_.push_back(task.id);
        // Not at once: a task that runs before then fails with its own error, and is not cancelled because of this one.
        if (errors_.size() == 1 && !aborting_) abort_ = owner_->loop->call_soon([this] { abort_because_of_error(); });
    }
    if (running_ != 0) return;
    if (errors_.empty()) close_scope();
    if (joiner_ != nullptr) joiner_->wake_up();
}

void TaskGroup::close_scope() noexcept {
    if (std::exchange(scope_is_open_, false)) owner_->end_throwing_scope();
}

void TaskGroup::abort_because_of_error() {
    if (aborting_) return;
    const detail::CancelCause cause{detail::CancelOrigin::task_group, failed_.front(), 0};
    abort(cause);
    // The owner is somewhere in the body: it is interrupted there, once.
    if (joiner_ == nullptr && !owner_->done()) {
        owner_cancelled_by_group_ = true;
        owner_->cancel_for_scope("a task of its TaskGroup failed: " + describe(errors_.front()), cause);
    }
}

void TaskGroup::cancel(const std::source_location& where) {
    for (Member* member = members_; member != nullptr; member = member->next_member) member->control->cancel({}, where);
}

void TaskGroup::cancel_members(const detail::CancelCause& cause) {
    for (Member* member = members_; member != nullptr; member = member->next_member) member->control->cancel({}, cause);
}

void TaskGroup::abort(const detail::CancelCause& cause) {
    aborting_ = true;
    cancel_members(cause);
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

// Its message is kept: that of a later request does not take its place.
void TaskGroup::was_cancelled_in_join() noexcept {
    if (std::exchange(cancelled_in_join_, true)) return;
    if (owner_->extras) cancel_message_ = std::move(owner_->extras->cancel_message);
}

// Cancelled between the end of the last task and this step: as if it had come before.
void TaskGroup::JoinAwaiter::await_resume() noexcept {
    if (!cancelled()) return;
    group_.was_cancelled_in_join();
    task()->must_cancel = task()->interrupted = false;
}

// The wait goes on: now for the end of tasks that were cancelled.
void TaskGroup::JoinAwaiter::on_cancel() noexcept {
    if (group_.aborting_) return;
    group_.was_cancelled_in_join();
    group_.abort(detail::passed_on_by(*group_.owner_));
}

Coro<> TaskGroup::join_after(std::exception_ptr body_error) {
    if (detail::current_task != owner_) throw std::logic_error("TaskGroup: only the task that made it may join it");
    joining_ = true;
    const bool body_cancelled = body_error && *body_error.__cxa_exception_type() == typeid(Cancelled);
    if (body_error && !aborting_) abort(cause_of_body(body_cancelled));
    while (running_ != 0) {
        JoinAwaiter all_done(*this);
        co_await all_done;
    }
    abort_.cancel();
    close_scope();
    if (cancelled_in_join_ && owner_->extras) owner_->extras->cancel_message = std::move(cancel_message_);
    bool cancelled = body_cancelled || cancelled_in_join_;
    // The interruption was the group's own: it is taken back, unless somebody else cancelled the owner too.
    if (std::exchange(owner_cancelled_by_group_, false) && owner_->uncancel() == 0) cancelled = false;
    if (body_cancelled && !cancelled) detail::settle_cancelled(body_error);
    if (cancelled && errors_.empty()) {
        if (body_cancelled) std::rethrow_exception(body_error);
        detail::throw_cancelled(*owner_);
    }
    if (body_error && !body_cancelled) errors_.push_back(body_error);
    if (errors_.empty()) co_return;
    // Cancelled from outside as well: the errors go first, so that is thrown at the owner's next await.
    if (owner_->cancel_requests > 0) owner_->must_cancel = true;
    for (const std::uint64_t failed : failed_) detail::report_retrieved_here(failed);
    throw ExceptionGroup("unhandled errors in a TaskGroup", std::move(errors_));
}

}  // namespace coroscope
