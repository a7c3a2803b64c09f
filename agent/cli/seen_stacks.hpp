// What a process answers about its tasks (cs_stacks_writer in coroscope/emit.h), as a model: so that it is told in the
// words of all other commands.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "agent/model/model.hpp"
#include "output.hpp"

namespace coroscope::cli {

// What is known of a task beside the model: a task that runs has no place there.
struct SeenTask {
    model::TaskId id = 0;
    model::NodeId at = 0;        // where it waits; of one that runs, its innermost coroutine
    bool wait_is_known = false;  // what it waits for
    std::string last_await;      // of one that runs, in its innermost coroutine: "shop.cpp:12"; "": it has not awaited
};

struct SeenLoop {
    std::uint64_t id = 0, thread = 0;  // the system's number; 0: none is known
    std::string how;                   // "answered", "busy", "not running"
    std::string runtime;
    bool changing = false;
    std::uint64_t left_out = 0;
    std::vector<SeenTask> tasks;
    Json thread_now;  // null: nobody looked
};

struct SeenStacks {
    model::Model model;
    std::vector<SeenLoop> loops;
    std::vector<std::string> silent_runtimes;  // that cannot say what their tasks do
};

// Throws nlohmann's exceptions if the answer is not of that form.
SeenStacks seen_stacks(const Json& answer);

}  // namespace coroscope::cli
