#include "evidence.hpp"

#include <algorithm>
#include <cstdio>

namespace coroscope::analysis {

std::string duration_text(std::uint64_t ns) {
    char text[32];
    const auto value = static_cast<double>(ns);
    if (ns >= 10'000'000'000u) {
        std::snprintf(text, sizeof text, "%.1f s", value / 1e9);
    } else if (ns >= 1'000'000'000u) {
        std::snprintf(text, sizeof text, "%.2f s", value / 1e9);
    } else if (ns >= 10'000'000u) {
        std::snprintf(text, sizeof text, "%.0f ms", value / 1e6);
    } else if (ns >= 1'000'000u) {
        std::snprintf(text, sizeof text, "%.1f ms", value / 1e6);
    } else {
        std::snprintf(text, sizeof text, "%.0f us", value / 1e3);
    }
    return text;
}

std::string task_text(const model::Model& model, model::TaskId id) {
    if (id == 0) return "a callback";
    const model::Task* task = model.task(id);
    if (task == nullptr) return "task " + std::to_string(id);
    return "task '" + model.task_name(*task) + "' (" + model.coroutine(*task) + ")";
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

bool is_ours(const Place& place) {
    const auto contains = [&](std::string_view part) { return place.file.find(part) != std::string::npos; };
    const bool system = place.file.starts_with("/usr/") || place.file.starts_with("../");
    return system || contains("include/coroscope/") || contains("runtime/src/") || place.function.starts_with("coroscope::");
}

Place innermost(const std::vector<Place>& stack) {
    const auto user = std::find_if(stack.rbegin(), stack.rend(),
                                   [](const Place& place) { return place.line != 0 && !is_ours(place); });
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

bool lost_between(const model::Model& model, std::uint64_t begin_ns, std::uint64_t end_ns) {
    return std::any_of(model.gaps().begin(), model.gaps().end(),
                       [&](const model::Gap& gap) { return gap.first_ns <= end_ns && gap.last_ns >= begin_ns; });
}

}  // namespace coroscope::analysis
