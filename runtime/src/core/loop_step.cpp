// Steps of tasks: how they run, and how they end.
#include <typeinfo>
#include <utility>

#include "callback.hpp"
#include "coroscope/detail/resource.hpp"
#include "coroscope/loop.hpp"
#include "observe.hpp"
#include "task_error.hpp"

namespace coroscope {

using detail::PromiseBase;
using detail::TaskControl;
using detail::TaskOutcome;
using detail::TaskState;
using probe::EventKind;

namespace {

// Whether a task with a cancellation pending ends by destroying its frames.
[[gnu::cold, gnu::noinline]] bool ends_without_throw(const TaskControl& task) noexcept {
    if (task.leaf == nullptr) return true;  // its body never runs
    if (!task.unwinds || task.must_throw || task.throwing_scopes != 0) return false;
    // Destructors alone are safe only if the wait was abandoned because of this cancellation. If the awaiter had
    // already been given something (a permit, an item), it must hand it on, and it does that when it throws.
    if (!task.interrupted && !task.yielded) return false;
    // Frames of generators are destroyed by calls within calls: see destroy_from_leaf().
    constexpr int most_nested = 1000;
    int nested = 0;
    for (const PromiseBase* frame = task.leaf; frame != nullptr; frame = frame->parent)
        if (frame->owner_at == 0 && ++nested > most_nested) return false;
    return true;
}

// It was cancelled after its last await, and has returned. As in asyncio nobody gets what it returned.
[[gnu::cold, gnu::noinline]] void end_as_cancelled(TaskControl& task) noexcept {
    detail::current_frame = nullptr;
    task.leaf = nullptr;  // its last await has gone with its frame
    task.must_cancel = task.must_throw = false;
    task.destroy_frames();
    task.outcome = TaskOutcome::cancelled;
}

}  // namespace

void detail::end_now(TaskControl& task) noexcept { task.loop->end_now(task); }

// Runs what is ready, and goes on with what becomes ready meanwhile: in a ping-pong of two tasks a poll between every
// two steps would cost more than the steps. But not for long, because I/O, timers and other threads wait: after turn_ns
// it is their turn, even if not everything that was ready has run.
//
// To look at the clock after every step would cost as much as a short step. How many steps are run between two looks
// follows from what they took: one, once a long step was met; one more after some looks that met short ones. So tasks
// that work for long between their awaits are looked at step by step, and others hardly ever.
std::size_t EventLoop::run_ready() {
    constexpr std::uintptr_t deep_bytes = 64 * 1024;  // of stack, below this
    detail::stack_floor = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0)) - deep_bytes;
    constexpr std::size_t most_steps = 1024;
    constexpr std::uint32_t most_steps_a_look = 32, looks_for_one_more = 8;
    constexpr std::uint64_t turn_ns = 50'000;
    const std::uint64_t began_ns = now_ns_;
    std::uint64_t looked_ns = began_ns;
    std::size_t steps = 0;
    std::uint32_t until_look = steps_a_look_;
    bool first_round = true;
    all_have_run_ = false;
    for (std::size_t round = ready_count_; round != 0;) {
        detail::ReadyNode& node = *first_ready_;
        first_ready_ = node.next_ready;
        if (first_ready_ == nullptr) last_ready_ = nullptr;
        --ready_count_;
        COROSCOPE_ASSERT((ready_count_ == 0) == (first_ready_ == nullptr), "ready_count_ is the queue's length");
        ++steps;
        if (node.is_task) {
            run_step(static_cast<TaskControl&>(node));
        } else {
            step_stamp_ = 0;
            run_callback(static_cast<detail::CallbackNode&>(node));
        }
        if (--until_look == 0) {
            const std::uint64_t now = clock_ns(), took_ns = now - looked_ns;
            looked_ns = now;
            if (took_ns >= turn_ns) {
                steps_a_look_ = 1;
                short_looks_ = 0;
            } else if (took_ns < turn_ns / 2 && steps_a_look_ < most_steps_a_look &&
                       ++short_looks_ == looks_for_one_more) {
                ++steps_a_look_;
                short_looks_ = 0;
            }
            if (now - began_ns >= turn_ns && !stopping_) {  // stopped: what is ready runs, as asyncio's
                // Not if to look through the queue would take longer than its steps.
                all_have_run_ = (!first_round || round == 1) && ready_count_ <= steps + 64;
                break;
            }
            until_look = steps_a_look_;
        }
        if (--round == 0 && steps < most_steps && !stopping_ && !timer_is_due_) {
            round = ready_count_;
            first_round = false;
        }
    }
    return steps;
}

void EventLoop::run_step(TaskControl& task) {
    COROSCOPE_ASSERT(task.in_queue() || task.ended_in_queue, "a step is that of a task from the queue");
    COROSCOPE_ASSERT(detail::current_task == nullptr, "steps of one thread do not nest");
    const bool must_cancel = task.must_cancel;
    if (must_cancel && task.ended_in_queue) [[unlikely]]
        return task.release();
    const bool observed = probe::on();
    if (observed) [[unlikely]] {
        probe::step_begin(step_stamp_, task.id, task.suspended_node, task.root->node);
        step_stamp_ = 0;  // it may take any time from here
        detail::used_in_step.begin();
    }
    task.state = TaskState::running;
    task.set_suspended_on(nullptr);
    detail::current_task = &task;
    if (must_cancel && ends_without_throw(task)) [[unlikely]] {
        end_without_throw(task);
    } else {
        detail::current_frame = task.leaf != nullptr ? task.leaf : task.root;
        detail::current_frame->resume();
        while (detail::next_frame != nullptr)  // see transfer_to()
            std::exchange(detail::next_frame, nullptr)->resume();
        if (task.root->finished()) {
            const PromiseBase& root = *task.root;
            task.outcome = !root.failed()                                             ? TaskOutcome::ok
                           : *root.thrown.__cxa_exception_type() == typeid(Cancelled) ? TaskOutcome::cancelled
                                                                                      : TaskOutcome::error;
            if (task.must_cancel && task.outcome == TaskOutcome::ok) [[unlikely]]
                end_as_cancelled(task);
        }
    }
    if (observed) [[unlikely]]
        detail::used_in_step.end();
    if (task.outcome != TaskOutcome::unknown) {
        const std::uint64_t id = task.id;
        finish(task);
        detail::current_task = nullptr;
        detail::current_frame = nullptr;
        if (observed) [[unlikely]]
            step_stamp_ = probe::step_end(step_stamp_, id, detail::pack_wait(detail::Verb::finished), 0);
        return;
    }
    detail::current_task = nullptr;
    detail::current_frame = nullptr;
    if (task.state == TaskState::running) task.state = TaskState::suspended;
    if (observed) [[unlikely]] {
        task.suspended_node = detail::suspension_node(task);
        const std::uint64_t wait = detail::waits_for(task);
        step_stamp_ = 0;
        if (const std::uint64_t holder = detail::holder_of(task, wait)) {
            step_stamp_ = probe::stamp_now();
            probe::emit_at(step_stamp_, EventKind::wait_holder, task.id, holder);
        }
        step_stamp_ = probe::step_end(step_stamp_, task.id, wait, task.suspended_node);
    }
}

// By destroying its frames: it has not begun, or it unwinds and nothing in it must see the cancellation.
void EventLoop::end_without_throw(TaskControl& task) noexcept {
    detail::current_frame = nullptr;
    task.must_cancel = task.interrupted = task.must_throw = false;
    task.destroy_frames();
    task.outcome = TaskOutcome::cancelled;
}

void EventLoop::end_now(TaskControl& task) noexcept {
    const bool queued = task.in_queue();
    if (!queued) task.set_suspended_on(nullptr);
    task.destroy_frames();
    task.outcome = TaskOutcome::cancelled;
    if (queued) {  // it stays in the queue, which run_step() notices
        task.reference();
        task.must_cancel = task.ended_in_queue = true;
    }
    finish(task);
}

void EventLoop::finish(TaskControl& task) noexcept {
    task.state = TaskState::done;
    if (probe::on()) [[unlikely]] {
        step_stamp_ = probe::stamp_now();  // one stamp serves the task's end and the wake-ups that the end causes
        if (task.outcome == TaskOutcome::error) detail::report_task_error(step_stamp_, task);
        probe::emit_at(step_stamp_, EventKind::task_done, task.id, static_cast<std::uint64_t>(task.outcome));
    }
    if (task.extras && task.extras->left_errors) [[unlikely]]
        task.extras->left_errors.reset();  // nobody took them
    unlink(task);
    report_done(task);
    if (task.references == 1) step_stamp_ = 0;  // its frames are destroyed now: destructors may take any time
    task.release();
}

void EventLoop::report_done(TaskControl& task) noexcept {
    // add_hook() puts the newest first; they are called in the order in which they were added.
    if (task.hooks != nullptr && task.hooks->next != nullptr) task.reverse_hooks();
    while (detail::DoneHook* hook = task.hooks) {
        task.hooks = hook->next;
        if (task.hooks != nullptr) task.hooks->previous = nullptr;
        hook->task = nullptr;
        hook->on_done(*hook, task);
    }
}

}  // namespace coroscope
