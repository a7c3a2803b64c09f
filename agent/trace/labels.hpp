// What exporters write beside the shapes: names of steps and tasks, places in the source.
// Refers to the model, which must not change meanwhile.
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "agent/model/session.hpp"
#include "marker.hpp"

namespace coroscope::trace {

class Labels {
public:
    explicit Labels(const model::Model& model) : model_(model) {}

    std::string task(const model::Task& task);           // "Task-7 fetch", "reader fetch"; "fetch" if named so
    std::string step(const model::Slice& slice);         // the task's, or "callback on_timer"
    std::string wait(const model::Wait& wait) const;     // "an item from queue 3", "Task-12", "a timer"
    std::string ending(const model::Task& task) const;   // "std::runtime_error: no route"; empty: it returned, or lives
    const std::string& stack_text(model::NodeId node);   // "main (a.cpp:1) > fetch (b.cpp:2)"; empty: unknown
    std::vector<Frame> stack(model::NodeId node) const;  // innermost last
    // The user's line of a node, see words::where().
    const std::string& phase_at(model::NodeId node);             // "await client.cpp:31"
    const std::string& place(model::NodeId node);                // "src/client.cpp:31"; empty: unknown
    const std::string& creation_place(const model::Task& task);  // of the call that created the task

private:
    const std::string& coroutine_of(model::NodeId node);

    const model::Model& model_;
    std::unordered_map<model::NodeId, std::string> coroutines_, phases_, places_, stacks_;  // by node
};

}  // namespace coroscope::trace
