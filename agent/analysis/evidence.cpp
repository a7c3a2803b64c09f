// What the rules share.
#include "evidence.hpp"

#include <algorithm>
#include <iterator>

#include "agent/words/where.hpp"
#include "proto/words/place.hpp"

namespace coroscope::analysis {

std::string place_text(const Place& place) { return words::place_in(place.function, place.file, place.line); }

Place place_of(const model::Site& site) {
    return {site.function, site.file, site.line, site.is_library() || words::is_library(site.function, site.file)};
}
Place place_of(const model::Model::StackFrame& frame) {
    return {std::string(frame.function), std::string(frame.file), frame.line, words::is_library(frame)};
}

bool in_users_code(const Place& place) { return place.line != 0 && !place.library; }

Place user_place(const model::Model& model, model::NodeId node) { return place_of(words::where(model, node).frame); }

Place innermost(const std::vector<Place>& stack) {
    const auto user = std::find_if(stack.rbegin(), stack.rend(), in_users_code);
    if (user != stack.rend()) return *user;
    return stack.empty() ? Place() : stack.back();
}

std::vector<Place> places(const std::vector<model::Model::StackFrame>& frames) {
    std::vector<Place> all;
    all.reserve(frames.size());
    for (const auto& frame : frames) all.push_back(place_of(frame));
    return all;
}

std::vector<Place> native_places(const model::Model& model, const std::vector<model::SiteId>& frames) {
    std::vector<Place> all;
    for (const model::SiteId id : frames)
        if (const model::Site* site = model.site(id)) all.push_back(place_of(*site));
    return all;
}

model::NodeId creation_of(const model::Model& model, model::NodeId node) {
    const model::Node* at = model.node(node);
    while (at != nullptr && at->kind != model::NodeKind::task) at = model.node(at->parent);
    return at == nullptr ? 0 : at->parent;
}

Stalls::Stalls(const model::Model& model) : model_(model) {
    for (const model::Report& report : model.reports())
        if (report.kind == model::ReportKind::stall) by_task_[report.task].push_back(&report);
}

const model::Report* Stalls::during(model::TaskId task, model::LoopId loop, std::uint64_t begin_ns,
                                    std::uint64_t end_ns) const {
    const auto found = by_task_.find(task);
    if (found == by_task_.end()) return nullptr;
    std::uint32_t thread = 0;  // that a callback, which is no task, ran on
    if (task == 0)
        for (const auto& each : model_.loops())
            if (each->id == loop) thread = each->thread;
    const auto is_later = [](std::uint64_t time, const auto* report) { return time < report->time_ns; };
    auto at = std::upper_bound(found->second.begin(), found->second.end(), end_ns, is_later);
    while (at != found->second.begin() && (*std::prev(at))->time_ns >= begin_ns) {
        --at;
        if (thread == 0 || (*at)->thread == 0 || (*at)->thread == thread) return *at;
    }
    return nullptr;
}

std::string native_place_text(const std::vector<Place>& native_stack) {
    // A function of the user's whose line is unknown is better than nothing, a frame of a library is not.
    const auto own = std::find_if(native_stack.rbegin(), native_stack.rend(),
                                  [](const Place& place) { return !place.library && place.function != "?"; });
    if (own == native_stack.rend()) return {};
    if (own->line != 0) return place_text(*own);
    const Place caller = innermost(native_stack);
    return in_users_code(caller) ? own->function + ", called at " + place_text(caller) : own->function;
}

std::string stall_text(const model::Report* stall, const std::vector<Place>& native_stack, std::string_view is) {
    if (stall == nullptr) return {};
    const std::string where = native_place_text(native_stack);
    if (stall->text.empty()) return where.empty() ? "" : "; the thread " + std::string(is) + " at " + where;
    std::string text = "; the thread " + std::string(is) + " blocked in " + stall->text;
    if (!where.empty()) text += ", at " + where;
    return text;
}

bool had_no_cpu(const model::Model& model, const model::LongStep& step) {
    return step.measured && step.took_ns() - std::min(step.no_cpu_ns, step.took_ns()) < model.slow_step_ns();
}

void Victims::add(model::TaskId task, std::uint64_t waited_ns) {
    ++count;
    if (worst != 0 && waited_ns <= longest_ns) return;
    longest_ns = waited_ns;
    worst = task;
}

Victims victims_of(const model::Model& model, const model::LongStep& step) {
    Victims victims;
    for (const auto& loop : model.loops()) {
        if (loop->id != step.loop) continue;
        // What was ready runs in the rest of the iteration; what waits for a timer, in the next.
        const auto next = std::lower_bound(
            loop->iterations.begin(), loop->iterations.end(), step.end_ns,
            [](const model::Iteration& iteration, std::uint64_t time) { return iteration.begin_ns < time; });
        const std::uint64_t until_ns = next == loop->iterations.end() ? model::end_of_time : next->end_ns;
        auto at = std::lower_bound(loop->slices.begin(), loop->slices.end(), step.end_ns,
                                   [](const model::Slice& slice, std::uint64_t time) { return slice.begin_ns < time; });
        for (; at != loop->slices.end() && at->begin_ns < until_ns; ++at)
            if (at->ready_ns != 0 && at->ready_ns < step.end_ns && at->task != step.task)
                victims.add(at->task, step.end_ns - std::max(at->ready_ns, step.begin_ns));
    }
    return victims;
}

Victims victims_so_far(const model::Model& model, const model::Loop& loop, const model::Slice& step) {
    Victims victims;
    const std::uint64_t now_ns = model.now_ns();
    for (const model::Task* task : model.live_tasks()) {
        if (task->loop != loop.id || task->id == step.task) continue;
        const bool is_ready = task->state == model::State::ready || task->state == model::State::created;
        const std::uint64_t due_ns = task->state == model::State::suspended ? task->wait.due_ns() : 0;
        if (!is_ready && (due_ns == 0 || due_ns >= now_ns)) continue;
        const std::uint64_t since_ns = std::max(is_ready ? task->changed_ns : due_ns, step.begin_ns);
        victims.add(task->id, now_ns > since_ns ? now_ns - since_ns : 0);
    }
    return victims;
}

}  // namespace coroscope::analysis
