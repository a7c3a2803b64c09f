// What our own runtime calls to report what happens: the emit interface (coroscope/emit.h), inline. Every hook is a
// relaxed load and a predicted branch while debug mode is off.
//
// Thread: the one where it happens. noexcept, no lock, no allocation but for a thread's first record and a stack's
// first use. Call the hooks from functions of the scheduler, not from inside coroutine bodies: a compiler may keep the
// address of a thread_local across a suspension.
#pragma once

#include <cstddef>
#include <cstdint>
#include <source_location>
#include <string_view>

#include "clock.hpp"
#include "coroscope/detail/debug_switch.hpp"
#include "coroscope/emit.h"
#include "coroscope/vocabulary.hpp"

namespace coroscope::probe {

using NodeId = cs_node;
using NameId = cs_name;
using vocabulary::EventKind;
using vocabulary::NodeKind;

inline bool on() noexcept { return detail::debug_enabled(); }

// Makes our runtime known to the process's registry; idempotent. Before the first hook.
void add_runtime(const char* (*cancel_task)(std::uint64_t task), void (*list_tasks)(),
                 void (*write_stacks)(const cs_stacks_writer&)) noexcept;

namespace detail_ {
// Set by the library: see cs_producer_bind().
extern thread_local constinit cs_producer* t_producer;
extern cs_process* process;  // set by add_runtime()
}  // namespace detail_

// nullptr: no memory, or debug mode has just gone off: the event is lost.
inline cs_producer* this_thread() noexcept {
    cs_producer* producer = detail_::t_producer;
    if (producer == nullptr) [[unlikely]]
        producer = cs_producer_bind(&detail_::t_producer);
    return producer;
}

inline void push(cs_producer& producer, Stamp stamp, EventKind kind, std::uint64_t subject, std::uint64_t argument,
                 NodeId stack) noexcept {
    cs_push(&producer, stamp, static_cast<std::uint8_t>(kind), subject, argument, stack);
}

// Only when on(). With a stamp that the caller has already.
inline void emit_at(Stamp stamp, EventKind kind, std::uint64_t subject, std::uint64_t argument = 0,
                    NodeId stack = 0) noexcept {
    cs_producer* producer = this_thread();
    if (producer == nullptr) [[unlikely]]
        return;
    push(*producer, stamp, kind, subject, argument, stack);
}

inline void emit(EventKind kind, std::uint64_t subject, std::uint64_t argument = 0, NodeId stack = 0) noexcept {
    if (!on()) [[likely]]
        return;
    emit_at(stamp_now(), kind, subject, argument, stack);
}

// A step of a task begins at `stamp` (0: now). Returns the stamp used, so that one stamp can serve an end and the next
// begin.
// `stack`: where it had been suspended; for the drainer, not sent. `root`: where a step begins that has no such place.
inline Stamp step_begin(Stamp stamp, std::uint64_t task, NodeId stack = 0, NodeId root = 0) noexcept {
    cs_producer* producer = this_thread();
    if (producer == nullptr) [[unlikely]]
        return stamp;
    if (stamp == 0) stamp = stamp_now();
    cs_enter_at(producer, stamp, task, stack != 0 ? stack : root);
    push(*producer, stamp, EventKind::step_begin, task, 0, stack);
    return stamp;
}

// It ends at `stamp` (0: now); `wait` is vocabulary::pack_wait(). Returns the stamp used.
inline Stamp step_end(Stamp stamp, std::uint64_t task, std::uint64_t wait, NodeId stack) noexcept {
    cs_producer* producer = this_thread();
    if (producer == nullptr) [[unlikely]]
        return 0;
    if (stamp == 0) stamp = stamp_now();
    cs_leave(producer, task);
    push(*producer, stamp, EventKind::step_end, task, wait, stack);
    return stamp;
}

// A plain callback runs on the loop: a step of task 0.
inline void callback_begin(NodeId scheduled_at) noexcept {
    cs_producer* producer = this_thread();
    if (producer == nullptr) [[unlikely]]
        return;
    const Stamp stamp = stamp_now();
    cs_enter_at(producer, stamp, 0, scheduled_at);
    push(*producer, stamp, EventKind::callback_begin, 0, 0, scheduled_at);
}

inline void callback_end() noexcept {
    cs_producer* producer = this_thread();
    if (producer == nullptr) [[unlikely]]
        return;
    cs_leave(producer, 0);
    push(*producer, stamp_now(), EventKind::callback_end, 0, 0, 0);
}

// Another number than at the last listing: the live tasks should be listed.
inline std::uint64_t snapshot_wanted() noexcept {
    return __atomic_load_n(&detail_::process->snapshot_wanted, __ATOMIC_ACQUIRE);  // pairs with want_snapshot()
}

// Records were lost on this thread and the ring has room again: the live tasks should be listed.
inline bool lost_events() noexcept {
    const cs_producer* producer = detail_::t_producer;
    return producer != nullptr && producer->attention == 0 && cs_lost_events() != 0;
}

// The node for `site` under `parent`, through a small cache of this thread: about 3 ns when it hits.
NodeId intern_node(NodeId parent, const std::source_location& site, NodeKind kind) noexcept;
// The id of a place of C++ code. Its flags say whether it is the library's own.
cs_site intern_site(const std::source_location& site) noexcept;

// Return addresses of the callers along frame pointers, innermost first; returns how many. Needs
// -fno-omit-frame-pointer in the callers (the CMake target sets it); ends early, never crashes, where they have none.
// About 2 ns a frame.
std::size_t capture_frames(void** frames, std::size_t most) noexcept;

}  // namespace coroscope::probe
