// A task in words: what it waits for, where, since when. For rows, tooltips and the timeline alike.
#pragma once

#include <string>

#include "agent/model/model.hpp"

namespace coroscope::viewer {

struct Location {
    std::string function, file;
    std::uint32_t line = 0;

    bool known() const { return !file.empty() || !function.empty(); }
};

// Where a node is: its own site.
Location location(const model::Model& model, model::NodeId node);
// "pipeline.cpp:34", or "" if unknown.
std::string place_of(const model::Model& model, model::NodeId node);

// "queue 3 (get)", "Task-12", "timer", "read of fd 7"; "several tasks".
std::string wait_text(const model::Model& model, const model::Wait& wait);
// Task's name, or "Task-7 (gone)" if it is not retained.
std::string name_of(const model::Model& model, model::TaskId task);
// Name and coroutine: "consumer-2 (consume)", without the second if it says the same.
std::string title_of(const model::Model& model, const model::Task& task);

// Alive: how long it has lived so far. Done: how long it lived. 0: unknown.
std::uint64_t age_ns(const model::Model& model, const model::Task& task);
// Since when it is in its state. 0: unknown.
std::uint64_t in_state_ns(const model::Model& model, const model::Task& task);
// Finished steps, and the one that runs.
std::uint64_t busy_so_far_ns(const model::Model& model, const model::Task& task);

// The site of the coroutine a task runs, for its colour. 0: unknown.
model::SiteId coroutine_site(const model::Model& model, model::TaskId task);

}  // namespace coroscope::viewer
