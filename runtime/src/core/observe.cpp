#include "observe.hpp"

#include <cstdio>
#include <utility>
#include <vector>

#include "coroscope/error.hpp"
#include "runtime/src/probe/function_name.hpp"

namespace coroscope::detail {

namespace {

using probe::NodeKind;
using vocabulary::ReportKind;

// Nothing that a report needs may throw out of a destructor: out of memory, it is lost.
template <class Fill>
void report(ReportKind kind, Fill fill) noexcept {
    try {
        probe::Report report;
        report.kind = kind;
        report.stamp = probe::stamp_now();
        if (const auto* thread = probe::this_thread()) report.thread = thread->id;
        fill(report);
        probe::registry().report(std::move(report));
    } catch (...) {
    }
}

std::string function_of(const PromiseBase& promise) {
    return probe::readable_function(promise.own_site.function_name());
}

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

probe::NodeId suspension_node(const TaskControl& task) noexcept {
    if (task.leaf == nullptr) return 0;
    return probe::intern_node(frame_node(*task.leaf, task), task.leaf->await_site, NodeKind::call);
}

std::uint64_t waits_for(const TaskControl& task) noexcept {
    if (task.yielded) return pack_wait(Verb::turn);
    if (task.in_queue() || task.waiting_on == nullptr) return pack_wait(Verb::unknown);
    return task.waiting_on->type().waits_for(*task.waiting_on);
}

std::uint32_t name_id(const TaskControl& task) noexcept {
    TaskExtras& extras = *task.extras;
    if (extras.name_id == 0) extras.name_id = probe::registry().definitions.intern_name(extras.name);
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
            std::fprintf(
                stderr,
                "coroscope: coroutine '%s' was never awaited (%s:%u); set COROSCOPE=1 to see where it was created\n",
                function_of(promise).c_str(), promise.own_site.file_name(), promise.own_site.line());
        } catch (...) {  // out of memory
        }
        return;
    }
    report(ReportKind::never_awaited, [&](probe::Report& report) {
        report.task = current_task != nullptr ? current_task->id : 0;
        report.site = promise.own_site;
        report.has_site = true;
        if (current_task != nullptr && current_frame != nullptr)
            report.stack = frame_node(*current_frame, *current_task);
        if (promise.holds == PromiseBase::Holds::creation)
            report.frames.assign(promise.creation->addresses, promise.creation->addresses + promise.creation->count);
    });
}

void report_exception_never_retrieved(const TaskControl& task, const std::exception_ptr& error) noexcept {
    try {
        const std::string text = describe(error);
        if (!probe::on()) {
            const PromiseBase& root = *task.root;
            std::fprintf(stderr,
                         "coroscope: exception of %s was never retrieved: %s ('%s', %s:%u); set COROSCOPE=1 to see "
                         "where it was created\n",
                         task.display_name().c_str(), text.c_str(), function_of(root).c_str(),
                         root.own_site.file_name(), root.own_site.line());
            return;
        }
        report(ReportKind::exception_never_retrieved, [&](probe::Report& report) {
            report.task = task.id;
            report.text = text;
            report.stack = frame_node(*task.root, task);
        });
    } catch (...) {
    }
}

void report_future_exception_never_retrieved(const std::exception_ptr& error) noexcept {
    try {
        const std::string text = describe(error);
        if (!probe::on()) {
            std::fprintf(stderr, "coroscope: exception of a future was never retrieved: %s\n", text.c_str());
            return;
        }
        report(ReportKind::future_exception_never_retrieved, [&](probe::Report& report) { report.text = text; });
    } catch (...) {
    }
}

void report_task_destroyed_pending(const TaskControl& task) noexcept {
    try {
        if (!probe::on()) {
            const PromiseBase& at = task.leaf != nullptr ? *task.leaf : *task.root;
            const std::source_location& where = task.leaf != nullptr ? at.await_site : at.own_site;
            std::fprintf(stderr, "coroscope: %s was destroyed but it is pending, at %s:%u\n",
                         task.display_name().c_str(), where.file_name(), where.line());
            return;
        }
        report(ReportKind::task_destroyed_pending, [&](probe::Report& report) {
            report.task = task.id;
            report.stack = task.leaf != nullptr ? suspension_node(task) : frame_node(*task.root, task);
        });
    } catch (...) {
    }
}

void report_callback_exception(const std::exception_ptr& error) noexcept {
    try {
        const std::string text = describe(error);
        if (!probe::on()) {
            std::fprintf(stderr, "coroscope: exception in a callback of the event loop: %s\n", text.c_str());
            return;
        }
        report(ReportKind::callback_exception, [&](probe::Report& report) { report.text = text; });
    } catch (...) {
    }
}

}  // namespace coroscope::detail
