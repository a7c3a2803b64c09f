#include "observe.hpp"

#include <iterator>
#include <span>
#include <utility>
#include <vector>

#include "coroscope/error.hpp"
#include "coroscope/loop.hpp"
#include "coroscope/resource.hpp"
#include "log.hpp"
#include "proto/words/function_name.hpp"
#include "task_error.hpp"

namespace coroscope::detail {

thread_local constinit bool listing_tasks = false;
thread_local constinit probe::NodeId running_callback = 0;

namespace {

using probe::NodeKind;
using vocabulary::ReportKind;

// `addresses`: the native stack of the thread, innermost first.
void report(ReportKind kind, std::uint64_t task, probe::NodeId stack, const char* text,
            std::span<void* const> addresses = {}) noexcept {
    cs_report report{};
    report.size = sizeof report;
    report.kind = static_cast<std::uint32_t>(kind);
    report.task = task;
    report.stack = stack;
    report.text = text;
    report.addresses = addresses.data();
    report.address_count = addresses.size();
    cs_report_send(&report);
}

std::string function_of(const PromiseBase& promise) { return words::function_name(promise.own_site.function_name()); }

}  // namespace

probe::NodeId frame_node(PromiseBase& frame, const TaskControl& task) noexcept {
    if (frame.node != 0) return frame.node;
    // Outermost first, without recursion: a chain of awaits can be longer than the native stack is deep.
    thread_local std::vector<PromiseBase*> unknown;
    unknown.clear();
    PromiseBase* at = &frame;
    try {
        for (; at != nullptr && at->node == 0; at = at->parent) unknown.push_back(at);
    } catch (...) {
        return 0;
    }
    for (auto it = unknown.rbegin(); it != unknown.rend(); ++it) {
        PromiseBase& each = **it;
        if (each.parent != nullptr) {
            const probe::NodeId call = probe::intern_node(each.parent->node, each.parent->await_site, NodeKind::call);
            each.node = probe::intern_node(call, each.own_site, NodeKind::frame);
        } else {
            // 0 if debug mode came on after the task was created: its creator is not known.
            each.node = probe::intern_node(task.creation_node, each.own_site, NodeKind::task);
        }
    }
    return frame.node;
}

probe::NodeId call_node(const std::source_location& where) noexcept {
    const probe::NodeId frame =
        current_task != nullptr && current_frame != nullptr ? frame_node(*current_frame, *current_task) : 0;
    return probe::intern_node(frame, where, NodeKind::call);
}

probe::NodeId running_place() noexcept {
    if (current_task == nullptr || current_frame == nullptr) return running_callback;
    return last_place(*current_frame, *current_task);
}

probe::NodeId suspension_node(const TaskControl& task) noexcept {
    if (task.leaf == nullptr) return 0;
    return probe::intern_node(frame_node(*task.leaf, task), task.leaf->await_site, NodeKind::call);
}

std::uint64_t waits_for(const TaskControl& task) noexcept {
    if (task.yielded) return pack_wait(Verb::turn);
    const Suspension* const awaiter = task.in_queue() ? nullptr : task.suspended_on();
    if (awaiter != nullptr && task.extras && task.extras->shown_wait != nullptr) [[unlikely]]
        return task.extras->shown_wait->wait(task);
    return awaiter != nullptr ? awaiter->type().waits_for(*awaiter) : pack_wait(Verb::unknown);
}

std::uint64_t due_on_system_clock(std::uint64_t deadline_ns, std::uint64_t now_ns) noexcept {
    constexpr std::uint64_t apart_ns = 1'000'000'000;
    const std::uint64_t system_ns = probe::monotonic_ns();
    const std::uint64_t difference = system_ns > now_ns ? system_ns - now_ns : now_ns - system_ns;
    return difference < apart_ns ? vocabulary::pack_due(deadline_ns) : 0;
}

std::uint64_t holder_of_acquired(const TaskControl& task) noexcept {
    const Suspension& awaiter = *task.suspended_on();
    return awaiter.type().holder(awaiter);
}

std::uint32_t name_id(const TaskControl& task) noexcept {
    TaskExtras& extras = *task.extras;
    if (extras.name_id == 0) extras.name_id = cs_name_of(extras.name.c_str());
    return extras.name_id;
}

void remember_creation(PromiseBase& promise) noexcept {
    try {
        auto* frames = static_cast<CreationFrames*>(allocate_frame(sizeof(CreationFrames)));
        frames->count = probe::capture_frames(frames->addresses, CreationFrames::most);
        promise.creation = frames;
        promise.holds = PromiseBase::Holds::creation;
    } catch (...) {  // out of memory: its creation stays unknown
    }
}

void forget_creation(PromiseBase& promise) noexcept {
    free_frame(promise.creation, sizeof(CreationFrames));
    promise.holds = PromiseBase::Holds::nothing;
    promise.parent = nullptr;
}

void report_never_awaited(PromiseBase& promise) noexcept {
    if (!probe::on()) {
        try {
            log_line(LogLevel::warning,
                     "coroutine '%s' was never awaited (%s:%u); set COROSCOPE=1 to see where it was created",
                     function_of(promise).c_str(), promise.own_site.file_name(), promise.own_site.line());
        } catch (...) {  // out of memory
        }
        return;
    }
    cs_report report{};
    report.size = sizeof report;
    report.kind = static_cast<std::uint32_t>(ReportKind::never_awaited);
    report.site = probe::intern_site(promise.own_site);
    if (current_task != nullptr) {
        report.task = current_task->id;
        if (current_frame != nullptr) report.stack = frame_node(*current_frame, *current_task);
    }
    if (promise.holds == PromiseBase::Holds::creation) {
        report.addresses = promise.creation->addresses;
        report.address_count = promise.creation->count;
    }
    cs_report_send(&report);
}

namespace {

// Whether the running loop has a handler of its own for errors, which has been given this one.
bool handler_took(const std::exception_ptr& error) noexcept {
    EventLoop* const loop = running_loop();
    if (loop == nullptr || !loop->exception_handler()) return false;
    loop->call_exception_handler(error);
    return true;
}

}  // namespace

void report_exception_never_retrieved(const TaskControl& task, const std::exception_ptr& error) noexcept {
    try {
        const bool taken = handler_took(error);
        const std::string text = describe(error);
        if (!probe::on()) {
            if (taken) return;
            const PromiseBase& root = *task.root;
            log_line(LogLevel::error,
                     "exception of %s was never retrieved: %s ('%s', %s:%u); set COROSCOPE=1 to see "
                     "where it was created",
                     task.display_name().c_str(), text.c_str(), function_of(root).c_str(), root.own_site.file_name(),
                     root.own_site.line());
            return;
        }
        report(ReportKind::exception_never_retrieved, task.id, frame_node(*task.root, task), text.c_str());
    } catch (...) {
    }
}

void report_error_of_left_group(std::uint64_t task, const std::exception_ptr& error) noexcept {
    try {
        const bool taken = handler_took(error);
        const std::string text = describe(error);
        if (!probe::on()) {
            if (taken) return;
            log_line(LogLevel::error,
                     "exception of Task-%llu, of a TaskGroup that was left without join(), was never "
                     "retrieved: %s; use with_task_group(), which always joins",
                     static_cast<unsigned long long>(task), text.c_str());
            return;
        }
        report(ReportKind::exception_never_retrieved, task, 0, text.c_str());
    } catch (...) {
    }
}

void report_uncaught_exception(const std::exception_ptr& error) noexcept {
    try {
        const std::string text = describe(error);
        const ErrorThatLeft left = error_that_left();
        const bool left_run = left.error != nullptr && left.error == address_of(error);
        const std::uint64_t running = current_task != nullptr ? current_task->id : 0;
        const bool in_task = current_task != nullptr && current_frame != nullptr;
        const probe::NodeId here = in_task ? last_place(*current_frame, *current_task) : 0;
        report(ReportKind::uncaught_exception, left_run ? left.task : running, left_run ? left.node : here,
               text.c_str());
    } catch (...) {
    }
}

void report_future_exception_never_retrieved(const std::exception_ptr& error, probe::NodeId where) noexcept {
    try {
        const bool taken = handler_took(error);
        const std::string text = describe(error);
        if (!probe::on()) {
            if (taken) return;
            log_line(LogLevel::error, "exception of a future was never retrieved: %s", text.c_str());
            return;
        }
        report(ReportKind::future_exception_never_retrieved, 0, where, text.c_str());
    } catch (...) {
    }
}

namespace {

constexpr std::size_t most_pending_told = 10;

}  // namespace

void report_task_destroyed_pending(const TaskControl& task, std::size_t others) noexcept {
    try {
        if (!probe::on()) {
            if (others >= most_pending_told) return;
            const PromiseBase& at = task.leaf != nullptr ? *task.leaf : *task.root;
            const std::source_location& where = task.leaf != nullptr ? at.await_site : at.own_site;
            log_line(LogLevel::error, "%s was destroyed but it is pending, at %s:%u", task.display_name().c_str(),
                     where.file_name(), where.line());
            return;
        }
        report(ReportKind::task_destroyed_pending, task.id,
               task.leaf != nullptr ? suspension_node(task) : frame_node(*task.root, task), "");
    } catch (...) {
    }
}

void report_tasks_destroyed_pending(std::size_t count) noexcept {
    if (count > most_pending_told && !probe::on())
        log_line(LogLevel::error, "%zu more tasks were destroyed but pending", count - most_pending_told);
}

void check_other_thread(EventLoop& loop, const TaskControl* task, const char* what) noexcept {
    if (!loop.is_running()) return;
    // Each says the same: after some, only their number would be news.
    constexpr int most = 8;
    thread_local int reported = 0;
    if (reported++ >= most) return;
    const bool waits = task != nullptr && task->leaf != nullptr && !task->in_queue();
    void* addresses[16];
    const std::size_t count = probe::capture_frames(addresses, std::size(addresses));
    report(ReportKind::wrong_thread, task != nullptr ? task->id : 0, waits ? task->suspended_node : 0, what,
           std::span(addresses, count));
}

namespace {

void report_at_running_task(ReportKind kind, const char* what) noexcept {
    if (!probe::on()) return;
    const bool in_task = current_task != nullptr && current_frame != nullptr;
    report(kind, in_task ? current_task->id : 0, in_task ? last_place(*current_frame, *current_task) : 0, what);
}

}  // namespace

void report_unclosed_transport(const char* what, std::uint64_t task, probe::NodeId where) noexcept {
    if (where == 0) return report_at_running_task(ReportKind::unclosed_transport, what);
    if (probe::on()) report(ReportKind::unclosed_transport, task, where, what);
}

void report_write_after_loss(const char* what) noexcept { report_at_running_task(ReportKind::write_after_loss, what); }

void report_callback_exception(const std::exception_ptr& error) noexcept {
    try {
        const std::string text = describe(error);
        if (!probe::on()) {
            log_line(LogLevel::error, "exception in a callback of the event loop: %s", text.c_str());
            return;
        }
        report(ReportKind::callback_exception, 0, running_callback, text.c_str());
    } catch (...) {
    }
}

}  // namespace coroscope::detail
