// What the core tells the probe: nodes of frames, and the reports. Between runtime/src/core and runtime/src/probe.
#pragma once

#include <exception>
#include <string>

#include "coroscope/detail/task_control.hpp"
#include "runtime/src/probe/hooks.hpp"

namespace coroscope::detail {

// The calling-context node of a frame of `task`, computed the first time it is asked for.
probe::NodeId frame_node(PromiseBase& frame, const TaskControl& task) noexcept;
// The node of a place in the running frame; in a callback or outside, a node of its own.
probe::NodeId call_node(const std::source_location& where) noexcept;
// Where the running task is; in a callback, where that was scheduled; 0: unknown.
probe::NodeId running_place() noexcept;
extern thread_local constinit probe::NodeId running_callback;  // where it was scheduled; with debug mode on
// Where a suspended task waits, and what for, as pack_wait().
probe::NodeId suspension_node(const TaskControl& task) noexcept;
std::uint64_t waits_for(const TaskControl& task) noexcept;
// With its `wait`, as waits_for() gave it: the task that holds what `task` waits for; 0: none, or not known.
std::uint64_t holder_of_acquired(const TaskControl& task) noexcept;
inline std::uint64_t holder_of(const TaskControl& task, std::uint64_t wait) noexcept {
    return vocabulary::verb_of(wait) == static_cast<std::uint8_t>(Verb::acquire) ? holder_of_acquired(task) : 0;
}
// A deadline of a loop whose clock says now_ns, as the operand of a wait for a timer; 0 if the loop has a time of its
// own (a virtual one).
std::uint64_t due_on_system_clock(std::uint64_t deadline_ns, std::uint64_t now_ns) noexcept;
// A snapshot is being taken: who waits for several tasks lists them again.
extern thread_local constinit bool listing_tasks;
// The number of its name, which it must have.
std::uint32_t name_id(const TaskControl& task) noexcept;

// To the debugger where debug mode is on, else one line on stderr.
void report_exception_never_retrieved(const TaskControl& task, const std::exception_ptr& error) noexcept;
// Of a task of a TaskGroup that was left without join().
void report_error_of_left_group(std::uint64_t task, const std::exception_ptr& error) noexcept;
// An exception that nobody caught is about to end the program.
void report_uncaught_exception(const std::exception_ptr& error) noexcept;
// `where`: that was set; 0: unknown.
void report_future_exception_never_retrieved(const std::exception_ptr& error, probe::NodeId where) noexcept;
// `others` were told of before: without debug mode the first few are, and the second function says how many more.
void report_task_destroyed_pending(const TaskControl& task, std::size_t others) noexcept;
void report_tasks_destroyed_pending(std::size_t count) noexcept;
// At the place where the callback that runs was scheduled.
void report_callback_exception(const std::exception_ptr& error) noexcept;
// With debug mode on only. Where it was given up, and by which task; 0: where the running task is.
void report_unclosed_transport(const char* what, std::uint64_t task = 0, probe::NodeId where = 0) noexcept;
// With debug mode on only; at the place where the running task is.
void report_write_after_loss(const char* what) noexcept;
extern thread_local constinit EventLoop* t_running_loop;  // that runs on this thread; nullptr: none
// Only with debug mode on. Reports it if `loop` runs on another thread than this one: what is done then may be lost, or
// come late, because the loop sleeps on. `task`: the one that it is about; nullptr: none.
void check_other_thread(EventLoop& loop, const TaskControl* task, const char* what) noexcept;
inline void check_thread(EventLoop& loop, const TaskControl* task, const char* what) noexcept {
    if (t_running_loop != &loop) [[unlikely]]
        check_other_thread(loop, task, what);
}

}  // namespace coroscope::detail
