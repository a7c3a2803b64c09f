// How commands put apps, tasks, stacks and waits into words and JSON.
#pragma once

#include <string>
#include <vector>

#include "agent/analysis/problem.hpp"
#include "agent/model/session.hpp"
#include "output.hpp"

namespace coroscope::cli {

// [{"function", "file", "line"} ...], innermost last.
Json stack_json(const std::vector<model::Model::StackFrame>& stack);
Json place_json(const analysis::Place& place);
Json place_json(const std::vector<analysis::Place>& places);

// "pipeline (pid 1234)"
std::string app_title(const model::App& app);
// "connected"; "ended"; "connection lost ..."
std::string app_state(const model::App& app);

// The await in a few words: "an item from queue 3", "Task-7", "input on fd 9". Empty unless suspended.
std::string wait_text(const model::Model& model, const model::Task& task);
// Where it is suspended, in the program's own code if its stack has any: "web_server.cpp:40 in handle". Empty when
// unknown.
std::string where_text(const model::Model& model, const model::Task& task);
// State as a word, done with its outcome: "suspended", "done (cancelled)".
std::string state_text(const model::Task& task);
Style state_style(const model::Task& task);
// Time in finished steps, plus that of the step that runs.
std::uint64_t busy_ns(const model::Model& model, const model::Task& task);

}  // namespace coroscope::cli
