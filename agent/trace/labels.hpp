// What exporters write beside the shapes: names of steps and tasks, places in the source.
// Refers to the model, which must not change meanwhile.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "agent/model/session.hpp"
#include "marker.hpp"

namespace coroscope::trace {

// "ns::fetch" of "coroscope::Coro<int> ns::fetch(const std::string&) [with T = int]".
std::string_view short_function(std::string_view function);
std::string_view base_name(std::string_view path);

// Text with every byte that is not part of well-formed UTF-8 replaced.
std::string clean_utf8(std::string_view text);

class Labels {
public:
    explicit Labels(const model::Model& model) : model_(model) {}

    std::string task(const model::Task& task) const;     // "Task-7 fetch", "reader fetch"; "fetch" if named so
    std::string step(const model::Slice& slice) const;   // the task's, or "callback on_timer"
    std::string phase_at(model::NodeId node) const;      // "await client.cpp:31"
    std::string wait(const model::Wait& wait) const;     // "queue_get 3", "task 12", "timer"
    const std::string& place(model::NodeId node);        // "src/client.cpp:31"; empty: unknown
    const std::string& stack_text(model::NodeId node);   // "main (a.cpp:1) > fetch (b.cpp:2)"; empty: unknown
    std::vector<Frame> stack(model::NodeId node) const;  // innermost last

private:
    std::string coroutine_of(model::NodeId node) const;

    const model::Model& model_;
    std::unordered_map<model::NodeId, std::string> places_, stacks_;
};

}  // namespace coroscope::trace
