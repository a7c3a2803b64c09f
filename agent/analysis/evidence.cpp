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

Stalls::Stalls(const model::Model& model) {
    for (const model::Report& report : model.reports())
        if (report.kind == model::ReportKind::stall) by_task_[report.task].push_back(&report);
}

const model::Report* Stalls::during(model::TaskId task, std::uint64_t begin_ns, std::uint64_t end_ns) const {
    const auto found = by_task_.find(task);
    if (found == by_task_.end()) return nullptr;
    const auto after = std::upper_bound(found->second.begin(), found->second.end(), end_ns,
                                        [](std::uint64_t time, const auto* report) { return time < report->time_ns; });
    if (after == found->second.begin() || (*std::prev(after))->time_ns < begin_ns) return nullptr;
    return *std::prev(after);
}

}  // namespace coroscope::analysis
