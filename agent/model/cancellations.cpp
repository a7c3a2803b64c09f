// What asks tasks to end, whether they do, and what ends them.
#include <algorithm>

#include "fold.hpp"

namespace coroscope::model {

namespace {

std::string_view text_of(const Value* value) {
    const std::string* text = value == nullptr ? nullptr : std::get_if<std::string>(value);
    return text == nullptr ? std::string_view() : std::string_view(*text);
}

}  // namespace

void Model::Fold::cancel_requested(ThreadEntry& on, std::uint64_t time_ns, TaskId id, TaskId by, NodeId at) {
    TaskEntry* task = task_or_placeholder(id, on, time_ns);
    if (task == nullptr) return;
    ++task->cancel_requests;
    task->cancelled_by = by;
    task->cancelled_at = at;
    task->cancelled_ns = time_ns;
    task->cancelled_steps = task->steps;
    task->cancel_origin = CancelOrigin::unknown;  // its own event follows
    task->cancel_message = 0;
}

void Model::Fold::cancel_origin(TaskId id, std::uint64_t cancel) {
    TaskEntry* task = tasks.find(id);
    if (task == nullptr || task->cancel_requests == 0) return;
    task->cancel_origin = static_cast<CancelOrigin>(vocabulary::origin_of(cancel));  // unknown numbers are kept
    task->cancel_message = vocabulary::message_of(cancel);
}

void Model::Fold::uncancelled(ThreadEntry& on, std::uint64_t time_ns, TaskId id, std::uint64_t remaining) {
    TaskEntry* task = task_or_placeholder(id, on, time_ns);
    if (task == nullptr) return;
    task->cancel_requests = static_cast<std::uint32_t>(std::min<std::uint64_t>(remaining, task->cancel_requests));
    if (task->cancel_requests != 0) return;
    task->cancel_swallowed_ns = task->cancel_repeated_ns = 0;  // it may live on
    task->cancel_swallowed_at = 0;
}

void Model::Fold::cancel_thrown(ThreadEntry& on, std::uint64_t time_ns, TaskId id, NodeId at) {
    TaskEntry* task = task_or_placeholder(id, on, time_ns);
    if (task == nullptr) return;
    task->cancel_thrown_ns = time_ns;
    task->cancel_thrown_at = at;
}

// One that was not asked to end threw the Cancelled itself, or took the request back: it may do with it what it likes.
void Model::Fold::cancel_swallowed(std::uint64_t time_ns, TaskId id, NodeId at) {
    TaskEntry* task = tasks.find(id);
    if (task == nullptr || task->state == State::done || task->cancel_requests == 0) return;
    if (task->cancel_swallowed_ns != 0) return;
    task->cancel_swallowed_ns = time_ns;
    task->cancel_swallowed_at = at;
}

// A task that waits again at the very await at which it was cancelled does not clean up.
void Model::Fold::note_cancelled_wait(TaskEntry& task, std::uint64_t time_ns) {
    if (task.cancel_swallowed_ns == 0 || task.cancel_repeated_ns != 0) [[likely]]
        return;
    if (task.suspended_at == task.cancel_thrown_at) task.cancel_repeated_ns = time_ns;
}

void Model::Fold::task_error(ThreadEntry& on, std::uint64_t time_ns, TaskId id, std::uint64_t value, NodeId at) {
    TaskEntry* task = task_or_placeholder(id, on, time_ns);
    if (task == nullptr) return;
    if (value > limits.values) {
        ++anomalies;
        return;
    }
    task->error = static_cast<ValueId>(value);
    task->error_at = at;
}

void Model::Fold::error_retrieved(std::uint64_t time_ns, TaskId id, TaskId by, NodeId at) {
    TaskEntry* task = tasks.find(id);  // one that ended long ago is perhaps forgotten
    if (task == nullptr || task->retrieved_ns != 0) return;
    task->retrieved_ns = time_ns;
    task->retrieved_by = by;
    task->retrieved_at = at;
}

std::string_view Model::error_text(const Task& task) const { return text_of(value(task.error)); }

std::string_view Model::cancel_message(const Task& task) const { return text_of(value(task.cancel_message)); }

}  // namespace coroscope::model
