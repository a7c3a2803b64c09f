// How commands put apps, stacks and places into words and JSON.
#pragma once

#include <string>
#include <vector>

#include "agent/analysis/problem.hpp"
#include "agent/model/session.hpp"
#include "agent/words/where.hpp"
#include "command.hpp"
#include "output.hpp"

namespace coroscope::cli {

// [{"function", "file", "line", "library"} ...], innermost last.
Json stack_json(const std::vector<model::Model::StackFrame>& stack);
// {"function", "file", "line", "created"}: the user's line; null: unknown.
Json where_json(const words::Where& where);
Json place_json(const analysis::Place& place);
Json place_json(const std::vector<analysis::Place>& places);
Json part_json(const model::Model& model, const analysis::Part& part);

// "pipeline (pid 1234)"
std::string app_title(const model::App& app);
// "connected"; "ended"; "connection lost ..."
std::string app_state(const model::App& app);

// Where a task stands: the user's line, see words::where(); with the library, the innermost line, whosever it is.
// Of a task that is done: where its error came from, else nowhere.
words::Where shown_place(const model::Model& model, const model::Task& task, bool with_library);
// --library, for commands that name such places.
void add_library_flag(Command command, bool& with_library);
// Of `ps` and `tree`: rows that say the same are shown, too.
void add_each_flag(Command command, bool& each);
// A line for tasks that the model does not keep, if there are any: else what is shown would be taken for all.
void print_left_out(const model::Model& model);

// An amount that events of the task added up to. "12+": there was more before debug mode was on, or events were lost.
std::string at_least(std::string amount, const model::Task& task);

Style state_style(const model::Task& task);

}  // namespace coroscope::cli
