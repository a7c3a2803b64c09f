// How a cancellation is asked for and thrown, and what the debugger is told of it. How it travels: task_control.hpp.
#include <memory>
#include <utility>
#include <vector>

#include "coroscope/error.hpp"
#include "coroscope/task.hpp"
#include "observe.hpp"
#include "proto/words/place.hpp"
#include "task_error.hpp"

namespace coroscope::detail {

using probe::EventKind;

namespace {

// A line of the library that calls cancel() as a user would.
bool is_library(const std::source_location& where) noexcept { return words::is_coroscope({}, where.file_name()); }

std::uint64_t current_id() noexcept { return current_task != nullptr ? current_task->id : 0; }

// `text` ends with a NUL; nullptr: there is no message.
void report_request(const TaskControl& task, const char* text, const CancelCause& cause) noexcept {
    const probe::Stamp stamp = probe::stamp_now();
    const std::uint32_t message = text == nullptr ? 0 : cs_value_text(text);
    probe::emit_at(stamp, EventKind::cancel_requested, task.id, cause.by, cause.node);
    probe::emit_at(stamp, EventKind::cancel_origin, task.id, vocabulary::pack_cancel(cause.origin, message));
}

// Makes what is thrown into the running task. While its last copy lives, somebody may still let it fly on.
Cancelled observed_cancelled(const TaskControl& task, std::shared_ptr<CancelledState> state) {
    probe::emit(EventKind::cancel_thrown, task.id, 0, last_place(*current_frame, task));
    state->task = task.id;
    return Cancelled(std::move(state));
}

}  // namespace

CancelCause cause_here(CancelOrigin origin) noexcept {
    if (!probe::on()) return {};
    const bool in_task = current_task != nullptr && current_frame != nullptr;
    return {origin, current_id(), in_task ? last_place(*current_frame, *current_task) : 0};
}

CancelCause passed_on_by(const TaskControl& task) noexcept {
    if (!probe::on()) return {};
    return {CancelOrigin::awaiter, task.id, suspension_node(task)};
}

bool TaskControl::cancel(std::string_view message, std::source_location where) noexcept {
    if (done()) return false;
    if (!probe::on()) return cancel(message, CancelCause{});
    const CancelOrigin origin = is_library(where) ? CancelOrigin::library : CancelOrigin::user;
    return cancel(message, CancelCause{origin, current_id(), call_node(where)});
}

namespace {

// Cancellations of tasks at the far end of a long chain, each of which awaits the next one. They are delivered when the
// calls that passed them on have returned: these would fill the stack.
struct PutOff {
    std::vector<TaskControl*> tasks;  // with a reference to each
    bool delivers = false;
};
thread_local constinit PutOff* t_put_off = nullptr;  // made when it is needed first
thread_local constinit bool t_delivering = false;    // by a call further up the stack

// Batches of cancellations that were put off, and sweeps: which one is under way.
class Numbered {
public:
    void begin() noexcept {
        last_ = (last_ + 1) & 0x7fff'ffff;
        if (last_ == 0) last_ = 1;
        now_ = last_;
    }
    void end() noexcept { now_ = 0; }
    std::uint32_t now() const noexcept { return now_; }  // 0: none

private:
    std::uint32_t now_ = 0, last_ = 0;
};
thread_local constinit Numbered t_batch, t_sweep;

}  // namespace

PassingOn::Begun PassingOn::begin() noexcept {
    if (on_the_way_) return Begun::came_round;
    // The way that a put off cancellation took is not known any more: it comes round where it passes twice in a batch.
    if (t_batch.now() != 0) {
        if (last_batch_ == t_batch.now()) return Begun::came_round;
        last_batch_ = t_batch.now();
    }
    if (t_sweep.now() != 0) {
        if (last_sweep_ == t_sweep.now()) return Begun::passed_on;
        last_sweep_ = t_sweep.now();
    }
    on_the_way_ = true;
    return Begun::yes;
}

CancelSweep::CancelSweep() noexcept { t_sweep.begin(); }
CancelSweep::~CancelSweep() { t_sweep.end(); }

bool TaskControl::cancel(std::string_view message, const CancelCause& cause) noexcept {
    if (done()) return false;
    ++cancel_requests;
    if (!(must_cancel && interrupted)) {  // else a wait was given up already, for a request whose message is thrown
        try {
            if (!message.empty()) {
                make_extras().cancel_message = std::make_unique<std::string>(message);
            } else if (extras) {
                extras->cancel_message.reset();
            }
        } catch (...) {  // out of memory: cancelled without the message
        }
    }
    if (probe::on()) [[unlikely]] {
        check_thread(*loop, this, "a task was cancelled");
        const bool has_message = extras && extras->cancel_message;
        report_request(*this, has_message ? extras->cancel_message->c_str() : nullptr, cause);
    }
    if (t_delivering && stack_is_deep() && put_off_cancel()) [[unlikely]]
        return true;
    const bool passed_on = std::exchange(t_delivering, true);
    deliver_cancel();
    if (t_put_off != nullptr) [[unlikely]]
        deliver_put_off();
    t_delivering = passed_on;
    return true;
}

void TaskControl::deliver_cancel() noexcept {
    if (Suspension* const awaiter = in_queue() ? nullptr : suspended_on()) {
        awaiter->type().on_cancel(*awaiter);
    } else {
        must_cancel = true;
    }
}

bool TaskControl::put_off_cancel() noexcept {
    try {
        thread_local PutOff put_off;
        t_put_off = &put_off;
        put_off.tasks.push_back(this);
    } catch (...) {  // out of memory: at once, if the stack is large enough
        return false;
    }
    reference();
    return true;
}

void TaskControl::deliver_put_off() noexcept {
    PutOff& put_off = *t_put_off;
    if (put_off.delivers || put_off.tasks.empty()) return;
    put_off.delivers = true;  // further up the stack, for what is put off meanwhile
    t_batch.begin();
    while (!put_off.tasks.empty()) {
        TaskControl* const task = put_off.tasks.back();
        put_off.tasks.pop_back();
        if (!task->done()) task->deliver_cancel();
        task->release();
    }
    t_batch.end();
    put_off.delivers = false;
}

void TaskControl::cancel_for_scope(std::string_view text, const CancelCause& cause) noexcept {
    if (done()) return;
    must_throw = true;
    cancel(text, cause);
}

void TaskControl::report_uncancelled() const noexcept { probe::emit(EventKind::uncancelled, id, cancel_requests); }

namespace {

[[noreturn]] void throw_with_state(TaskControl& task, bool numbered) {
    thread_local constinit std::uint64_t last_number = 0;
    std::string message;
    if (!task.message().empty()) message = std::move(*std::exchange(task.extras->cancel_message, nullptr));
    if (!numbered && !probe::on()) throw Cancelled(std::move(message));
    auto state = std::make_shared<CancelledState>(std::move(message));
    if (numbered) task.make_extras().cancel_number = state->number = ++last_number;
    if (!probe::on()) throw Cancelled(std::move(state));
    throw observed_cancelled(task, std::move(state));
}

}  // namespace

// A TaskGroup that is left by what is thrown has to know it again: it gets a number where there may be one.
void throw_cancelled(TaskControl& task) {
    const bool numbered = task.must_throw || task.throwing_scopes != 0;
    task.must_cancel = task.interrupted = task.must_throw = false;
    if (task.extras) task.extras->left_errors.reset();  // what was thrown before was caught by somebody
    // Nothing here has a destructor: to stop at a frame on the way costs a fifth of the whole throw.
    if (!numbered && !probe::on() && task.message().empty()) throw Cancelled();
    throw_with_state(task, numbered);
}

void TaskControl::rethrow_cancelled() const {
    if (const std::exception_ptr thrown = error()) std::rethrow_exception(thrown);
    throw Cancelled(std::string(message()));  // it ended without a throw
}

// Debug mode is on. The awaiting task had passed its cancellation on: what comes back is thrown as its own.
void JoinBase::observe_end() {
    if (target_->outcome != TaskOutcome::cancelled) return target_->retrieve();
    if (!passed_on_) return;
    std::string message;
    try {
        target_->rethrow_cancelled();
    } catch (const Cancelled& cancelled) {
        message = cancelled.message();
    }
    throw observed_cancelled(*Suspension::task(), std::make_shared<CancelledState>(std::move(message)));
}

void settle_cancelled(const std::exception_ptr& cancelled) noexcept {
    if (!probe::on()) return;
    try {
        std::rethrow_exception(cancelled);
    } catch (const Cancelled& settled) {
        if (settled.state() != nullptr) settled.state()->task = 0;
    } catch (...) {
    }
}

// Its last copy has gone. If that happened within a step of its task, and the task has not ended, the task caught it
// and did not let it fly on.
void CancelledState::report_gone() const noexcept {
    if (!probe::on() || current_task == nullptr || current_frame == nullptr) return;
    if (current_task->id != task || current_task->done() || current_task->outcome != TaskOutcome::unknown) return;
    probe::emit(EventKind::cancel_swallowed, task, 0, last_place(*current_frame, *current_task));
}

}  // namespace coroscope::detail
