// What the rules share.
#include "evidence.hpp"

#include <algorithm>
#include <cstdio>
#include <iterator>
#include <utility>

namespace coroscope::analysis {

// Three digits are enough to judge by.
std::string duration_text(std::uint64_t ns) {
    static constexpr std::pair<double, const char*> units[] = {{1e9, "s"}, {1e6, "ms"}, {1e3, "us"}};
    const auto value = static_cast<double>(ns);
    const auto* unit = std::begin(units);
    while (unit != std::end(units) - 1 && value < unit->first) ++unit;
    const double scaled = value / unit->first;
    char text[32];
    std::snprintf(text, sizeof text, "%.*f %s", scaled < 10 ? 2 : scaled < 100 ? 1 : 0, scaled, unit->second);
    return text;
}

std::string task_text(const model::Model& model, model::TaskId id) {
    if (id == 0) return "a callback";
    const model::Task* task = model.task(id);
    if (task == nullptr) return "task " + std::to_string(id);
    return "task '" + model.task_name(*task) + "' (" + model.coroutine(*task) + ")";
}

std::string count_text(std::size_t count, std::string_view singular, std::string_view plural) {
    return std::to_string(count) + ' ' + std::string(count == 1 ? singular : plural);
}

std::string place_text(const Place& place) {
    if (place.file.empty()) return place.function;
    const std::size_t slash = place.file.rfind('/');
    const std::string file = slash == std::string::npos ? place.file : place.file.substr(slash + 1);
    return place.function + ", " + file + ":" + std::to_string(place.line);
}

Place place_of(const model::Site& site) { return {site.function, site.file, site.line}; }
Place place_of(const model::Model::StackFrame& frame) {
    return {std::string(frame.function), std::string(frame.file), frame.line};
}

namespace {

// "coroscope::Task<int> shop::run<int>(int)" is a function of shop's: what stands before the name is its type.
std::string_view without_type(std::string_view function) {
    std::size_t begin = 0;
    int depth = 0;
    for (std::size_t i = 0; i < function.size(); ++i) {
        const char c = function[i];
        if (c == '<') ++depth;
        if (c == '>') --depth;
        if (depth != 0) continue;
        if (c == '(' && !function.substr(i).starts_with("(anonymous namespace)")) break;
        if (c == ' ' && !function.substr(i).starts_with(" namespace)")) begin = i + 1;
    }
    return function.substr(begin);
}

}  // namespace

bool is_ours(const Place& place) {
    const auto contains = [&](std::string_view part) { return place.file.find(part) != std::string::npos; };
    // The system's headers and the C library's own sources, as its debug information names them.
    if (place.file.starts_with("/usr/") || contains("/sysdeps/") || contains("/csu/") || contains("/nptl/"))
        return true;
    for (const char* folder : {"include/coroscope/", "runtime/src/core/", "runtime/src/probe/", "runtime/src/net/",
                               "runtime/src/http/", "runtime/src/debug/"})
        if (contains(folder)) return true;
    return without_type(place.function).starts_with("coroscope::");
}

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

std::vector<Place> creation_places(const model::Model& model, model::NodeId node) {
    const model::Node* at = model.node(node);
    while (at != nullptr && at->kind != model::NodeKind::task) at = model.node(at->parent);
    return at == nullptr ? std::vector<Place>{} : places(model.stack(at->parent));
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
