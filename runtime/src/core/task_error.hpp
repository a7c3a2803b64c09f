// What a task ends with: where an error came from, who gets it, and what a TaskGroup does that is left by one.
#pragma once

#include <cstdint>
#include <exception>
#include <vector>

#include "coroscope/detail/task_control.hpp"
#include "runtime/src/probe/hooks.hpp"

namespace coroscope::detail {

// The errors of the tasks of a TaskGroup that was left without join() while an exception flew. If that is the
// Cancelled that the group's own failure caused, the coroutine that is left throws these errors in its place. In any
// other case nobody gets them, and they are reported at the latest when the task ends.
struct LeftErrors {
    std::uint64_t cancel_number = 0;  // of the Cancelled
    std::vector<std::exception_ptr> errors;
    std::vector<std::uint64_t> tasks;  // that threw them

    LeftErrors() = default;
    LeftErrors(const LeftErrors&) = delete;
    LeftErrors& operator=(const LeftErrors&) = delete;
    ~LeftErrors();
};

// The place of a frame's last await; the frame itself, if it has not awaited or has ended.
probe::NodeId last_place(PromiseBase& frame, const TaskControl& task) noexcept;

// Tells the debugger what ended the task. Debug mode is on.
void report_task_error(probe::Stamp stamp, const TaskControl& task) noexcept;
// That the running task is given what another one threw.
void report_retrieved_here(std::uint64_t task) noexcept;

// The task whose error was last given to somebody outside of all tasks, as run() does: nobody may catch it.
struct ErrorThatLeft {
    const void* error = nullptr;
    std::uint64_t task = 0;
    probe::NodeId node = 0;
};
ErrorThatLeft error_that_left() noexcept;  // on this thread
const void* address_of(const std::exception_ptr& error) noexcept;

}  // namespace coroscope::detail
