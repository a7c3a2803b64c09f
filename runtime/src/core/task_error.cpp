#include "task_error.hpp"

#include <cxxabi.h>

#include <cstring>
#include <string>
#include <typeinfo>
#include <utility>

#include "coroscope/error.hpp"
#include "coroscope/exception_group.hpp"
#include "observe.hpp"

namespace coroscope::detail {

using probe::EventKind;

namespace {

// Where the exception comes from that passed the frame last on this thread.
struct Passed {
    const PromiseBase* frame = nullptr;
    const PromiseBase* awaited_by = nullptr;  // the frame that it comes to next
    const void* error = nullptr;
    probe::NodeId from = 0;
};
thread_local constinit Passed passed{};
thread_local constinit ErrorThatLeft left_last{};

// Whether the exception that is being handled was thrown by `throw`, not by std::rethrow_exception(), which makes an
// object of its own that refers to the exception. By the C++ ABI the list of handled exceptions begins with the header
// in front of the exception, or with that object.
bool thrown_afresh(const void* error) noexcept {
    constexpr std::size_t header_bytes = 112;  // of __cxa_exception, with 64-bit pointers
    const void* handled = nullptr;
    std::memcpy(&handled, abi::__cxa_get_globals(), sizeof handled);
    return static_cast<const std::byte*>(handled) + header_bytes == static_cast<const std::byte*>(error);
}

// An exception leaves `frame`, which has not lost its await_site yet.
void note_passing(PromiseBase& frame, const std::exception_ptr& error) noexcept {
    const void* const address = address_of(error);
    const bool from_awaited = passed.awaited_by == &frame && passed.error == address && !thrown_afresh(address);
    const probe::NodeId from = from_awaited ? passed.from : last_place(frame, *current_task);
    passed = {&frame, frame.parent, address, from};
}

bool is_cancelled_of(const std::exception_ptr& error, std::uint64_t number) noexcept {
    if (*error.__cxa_exception_type() != typeid(Cancelled)) return false;
    try {
        std::rethrow_exception(error);
    } catch (const Cancelled& cancelled) {
        return number != 0 && cancelled.state() != nullptr && cancelled.state()->number == number;
    } catch (...) {
        return false;
    }
}

// Of the running task. What it throws instead of `error`, which leaves a frame.
std::exception_ptr with_left_errors(TaskControl& task, std::exception_ptr error) noexcept {
    LeftErrors& left = *task.extras->left_errors;
    if (!is_cancelled_of(error, left.cancel_number)) return error;
    settle_cancelled(error);
    try {
        std::vector<std::exception_ptr> errors = left.errors;
        error = std::make_exception_ptr(ExceptionGroup("unhandled errors in a TaskGroup", std::move(errors)));
        for (const std::uint64_t failed : left.tasks) report_retrieved_here(failed);
        left.errors.clear();
        // Cancelled by somebody else as well: as after a join, the errors go first.
        if (task.cancel_requests > 0) task.must_cancel = true;
    } catch (...) {  // out of memory: the Cancelled flies on, and the errors are reported
    }
    task.extras->left_errors.reset();
    return error;
}

// The id of a text; where the table of values is full, that of the type alone, which is kept from its first error on.
std::uint32_t value_of_error(const std::exception_ptr& error) noexcept {
    try {
        const std::string text = describe(error);
        const std::uint32_t type = cs_value_text(type_name(error).c_str());
        const std::uint32_t whole = cs_value_text(text.c_str());
        return whole != 0 ? whole : type;
    } catch (...) {
        return 0;
    }
}

probe::NodeId origin_of(const TaskControl& task) noexcept {
    if (passed.frame == task.root && passed.error == address_of(task.root->thrown)) return passed.from;
    return frame_node(*task.root, task);
}

}  // namespace

const void* address_of(const std::exception_ptr& error) noexcept {
    static_assert(sizeof(std::exception_ptr) == sizeof(void*));
    const void* address = nullptr;
    std::memcpy(&address, &error, sizeof address);
    return address;
}

probe::NodeId last_place(PromiseBase& frame, const TaskControl& task) noexcept {
    const probe::NodeId own = frame_node(frame, task);
    if (frame.failed() || frame.await_site.line() == 0) return own;
    return probe::intern_node(own, frame.await_site, probe::NodeKind::call);
}

void PromiseBase::unhandled_exception() noexcept {
    std::exception_ptr error = std::current_exception();
    if (current_task != nullptr) {
        if (current_task->extras && current_task->extras->left_errors) [[unlikely]]
            error = with_left_errors(*current_task, std::move(error));
        if (debug_enabled()) [[unlikely]]
            note_passing(*this, error);
    }
    std::construct_at(&thrown, std::move(error));
    holds = Holds::error;
}

void report_task_error(probe::Stamp stamp, const TaskControl& task) noexcept {
    const std::uint32_t value = value_of_error(task.root->thrown);
    probe::emit_at(stamp, EventKind::task_error, task.id, value, origin_of(task));
}

void report_retrieved_here(std::uint64_t task) noexcept {
    if (!probe::on()) return;
    const bool in_task = current_task != nullptr && current_frame != nullptr;
    probe::emit(EventKind::error_retrieved, task, in_task ? current_task->id : 0,
                in_task ? last_place(*current_frame, *current_task) : 0);
}

void TaskControl::report_retrieved(const std::source_location* where) const noexcept {
    if (outcome != TaskOutcome::error) return;
    if (current_task == nullptr) left_last = {address_of(root->thrown), id, frame_node(*root, *this)};
    if (where == nullptr) return report_retrieved_here(id);
    probe::emit(EventKind::error_retrieved, id, current_task != nullptr ? current_task->id : 0, call_node(*where));
}

ErrorThatLeft error_that_left() noexcept { return left_last; }

LeftErrors::~LeftErrors() {
    for (std::size_t i = 0; i < errors.size(); ++i) report_error_of_left_group(tasks[i], errors[i]);
}

}  // namespace coroscope::detail
