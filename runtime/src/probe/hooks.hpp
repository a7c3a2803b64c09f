// What the runtime calls to tell what happens. Every hook is a relaxed load and a predicted branch while debug mode is
// off.
//
// Thread: the one where it happens. noexcept, no lock, no allocation but for a thread's first record and a stack's
// first use. Call the hooks from functions of the scheduler, not from inside coroutine bodies: a compiler may keep the
// address of a thread_local across a suspension.
#pragma once

#include <string_view>

#include "clock.hpp"
#include "coroscope/detail/debug_switch.hpp"
#include "definitions.hpp"
#include "record.hpp"
#include "registry.hpp"

namespace coroscope::probe {

inline bool on() noexcept { return detail::debug_enabled(); }

namespace detail_ {
extern thread_local constinit ThreadProbe* t_thread;
ThreadProbe* register_thread() noexcept;  // nullptr: out of memory, the event is lost
}  // namespace detail_

inline ThreadProbe* this_thread() noexcept {
    ThreadProbe* thread = detail_::t_thread;
    if (thread == nullptr) [[unlikely]]
        thread = detail_::register_thread();
    return thread;
}

// Only when on(). With a stamp that the caller has already.
inline void emit_at(Stamp stamp, EventKind kind, std::uint64_t subject, std::uint64_t argument = 0,
                    NodeId stack = 0) noexcept {
    ThreadProbe* thread = this_thread();
    if (thread == nullptr) [[unlikely]]
        return;
    thread->ring.push(stamp, kind, subject, argument, stack);
}

inline void emit(EventKind kind, std::uint64_t subject, std::uint64_t argument = 0, NodeId stack = 0) noexcept {
    if (!on()) [[likely]]
        return;
    emit_at(stamp_now(), kind, subject, argument, stack);
}

// A step of a task begins at `stamp` (0: now). Returns the stamp used, so that one stamp can serve an end and the next
// begin.
// `stack`: where it had been suspended; for the drainer, not sent.
inline Stamp step_begin(Stamp stamp, std::uint64_t task, NodeId stack = 0) noexcept {
    ThreadProbe* thread = this_thread();
    if (thread == nullptr) [[unlikely]]
        return stamp;
    if (stamp == 0) stamp = stamp_now();
    thread->step_task.store(
        task, std::memory_order_relaxed);  // read by the watchdog, which checks the stamp before and after
    thread->step_stamp.store(stamp, std::memory_order_release);  // pairs with the watchdog's acquire
    emit_at(stamp, EventKind::step_begin, task, 0, stack);
    return stamp;
}

// It ends at `stamp` (0: now); `wait` is vocabulary::pack_wait(). Returns the stamp used.
inline Stamp step_end(Stamp stamp, std::uint64_t task, std::uint64_t wait, NodeId stack) noexcept {
    ThreadProbe* thread = this_thread();
    if (thread == nullptr) [[unlikely]]
        return 0;
    if (stamp == 0) stamp = stamp_now();
    thread->step_stamp.store(0, std::memory_order_relaxed);
    emit_at(stamp, EventKind::step_end, task, wait, stack);
    return stamp;
}

// A plain callback runs on the loop: a step of task 0.
inline void callback_begin(NodeId scheduled_at) noexcept {
    ThreadProbe* thread = this_thread();
    if (thread == nullptr) [[unlikely]]
        return;
    const Stamp stamp = stamp_now();
    thread->step_task.store(0, std::memory_order_relaxed);
    thread->step_stamp.store(stamp, std::memory_order_release);  // pairs with the watchdog's acquire
    emit_at(stamp, EventKind::callback_begin, 0, 0, scheduled_at);
}

inline void callback_end() noexcept {
    ThreadProbe* thread = this_thread();
    if (thread == nullptr) [[unlikely]]
        return;
    thread->step_stamp.store(0, std::memory_order_relaxed);
    emit_at(stamp_now(), EventKind::callback_end, 0);
}

// Records were lost on this thread and the ring has room again: the loop should list its live tasks.
inline bool wants_snapshot_after_loss() noexcept {
    ThreadProbe* thread = detail_::t_thread;
    return thread != nullptr && thread->ring.has_gap() && thread->ring.backlog() < thread->ring.capacity() / 2;
}

// Return addresses of the callers along frame pointers, innermost first; returns how many. Needs
// -fno-omit-frame-pointer in the callers (the CMake target sets it); ends early, never crashes, where they have none.
// About 2 ns a frame.
std::size_t capture_frames(void** frames, std::size_t most) noexcept;

}  // namespace coroscope::probe
