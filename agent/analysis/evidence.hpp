// What the rules share: places, durations in words, tasks in words.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "rule.hpp"

namespace coroscope::analysis {

std::string duration_text(std::uint64_t ns);  // "203 ms", "1.25 s", "12 us"
// "task 'blocking' (block_the_loop)"; 0: "a callback"
std::string task_text(const model::Model& model, model::TaskId task);
std::string count_text(std::size_t count, std::string_view singular, std::string_view plural);  // "3 tasks"
std::string place_text(const Place& place);  // "block_the_loop, debug_mode.cpp:24"; "" if unknown
Place place_of(const model::Site& site);
Place place_of(const model::Model::StackFrame& frame);
Place innermost(const std::vector<Place>& stack);  // the last one in the user's code; the last one if none is
std::vector<Place> places(const std::vector<model::Model::StackFrame>& frames);
std::vector<Place> native_places(const model::Model& model, const std::vector<model::SiteId>& frames);
// Whether a place is inside this library or the system's, not in the user's code.
bool is_ours(const Place& place);
// A known line of the user's code.
inline bool in_users_code(const Place& place) { return place.line != 0 && !is_ours(place); }
// Where the task was created in whose stack `node` stands; empty if unknown.
std::vector<Place> creation_places(const model::Model& model, model::NodeId node);

// The watchdog's reports by the task they are about: what the thread did while a step lasted.
class Stalls {
public:
    explicit Stalls(const model::Model& model);
    // The last one captured in the interval; nullptr: none.
    const model::Report* during(model::TaskId task, std::uint64_t begin_ns, std::uint64_t end_ns) const;

private:
    std::unordered_map<model::TaskId, std::vector<const model::Report*>> by_task_;  // in order of time
};

}  // namespace coroscope::analysis
