// What the rules share: places in the user's code, and what the watchdog saw.
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "rule.hpp"

namespace coroscope::analysis {

std::string place_text(const Place& place);  // "debug_mode.cpp:24 in block_the_loop"; "" if unknown
Place place_of(const model::Site& site);
Place place_of(const model::Model::StackFrame& frame);
Place innermost(const std::vector<Place>& stack);  // the last one in the user's code; the last one if none is
std::vector<Place> places(const std::vector<model::Model::StackFrame>& frames);
std::vector<Place> native_places(const model::Model& model, const std::vector<model::SiteId>& frames);
bool in_users_code(const Place& place);  // a known line of it
// Where to look first of what happened at `node`: see words::where().
Place user_place(const model::Model& model, model::NodeId node);
// The call that created the task in whose stack `node` stands; 0: unknown.
model::NodeId creation_of(const model::Model& model, model::NodeId node);

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
