// What the rules share: places in the user's code, and what the watchdog saw.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
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
    // The last one captured in a step of `task` on `loop`, which lasted for this time; nullptr: none.
    const model::Report* during(model::TaskId task, model::LoopId loop, std::uint64_t begin_ns,
                                std::uint64_t end_ns) const;

private:
    const model::Model& model_;
    std::unordered_map<model::TaskId, std::vector<const model::Report*>> by_task_;  // in order of time
};

// Where a thread was, as far as it is the user's business: "main.cpp:7 in load", "low::mangle, called at main.cpp:7 in
// load"; "" if no frame is the user's.
std::string native_place_text(const std::vector<Place>& native_stack);
// What a stall's report says of the thread: "; the thread was blocked in read on fd 5, called at main.cpp:7 in load".
// "" without a report. `is`: "is" of one that lasts, else "was".
std::string stall_text(const model::Report* stall, const std::vector<Place>& native_stack, std::string_view is);

// The step was long because its thread had no CPU: without that time it would be below the threshold.
bool had_no_cpu(const model::Model& model, const model::LongStep& step);

// Tasks that could have run while a step held their loop, and had to wait for its end.
struct Victims {
    std::size_t count = 0;
    model::TaskId worst = 0;
    std::uint64_t longest_ns = 0;

    void add(model::TaskId task, std::uint64_t waited_ns);
};
Victims victims_of(const model::Model& model, const model::LongStep& step);
Victims victims_so_far(const model::Model& model, const model::Loop& loop, const model::Slice& step);

}  // namespace coroscope::analysis
