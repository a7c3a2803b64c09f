// Where a task stands, in the user's own code: frames of the library are named only on demand.
//
// A frame of the library says how a task waits, the user's line says why. A connection's whole stack can be the
// library's (a server that waits for the next request); then the place in the user's code that created its task, or the
// task that created that one, tells which server it is.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "agent/model/model.hpp"

namespace coroscope::words {

using StackFrame = model::Model::StackFrame;

struct Where {
    StackFrame frame;      // refers to the model's text, valid until the next apply()
    bool created = false;  // `frame` is where its task was created: it has no user's frame of its own

    bool known() const { return !frame.file.empty() || (!frame.function.empty() && frame.function != "?"); }
};

// Not the user's own code: the app says so, or its function or file does.
bool is_library(const StackFrame& frame);
// A known line of the user's code.
bool is_users(const StackFrame& frame);

// The innermost frame of the user's code at `node`, or where the user's code created its task. The innermost frame of
// all, if there is no user's. O(depth of the stacks).
Where where(const model::Model& model, model::NodeId node);
// Where it is suspended, or goes on; its coroutine until it has run.
Where where(const model::Model& model, const model::Task& task);

// The innermost frame, whosever it is.
Where innermost(const model::Model& model, const model::Task& task);

// The line alone, for a row: "pipeline.cpp:34", "created at web_server.cpp:27"; "" if it is not known. `before` is put
// before a line that it stands at: "from pipeline.cpp:34".
std::string place(const Where& where, std::string_view before = {});
// "pipeline.cpp:34 in consume"; "created at web_server.cpp:27 in async_main"; "" if it is not known.
std::string where_text(const Where& where);
// The same with what the task waits for: "waits for Task-7 at pipeline.cpp:34 in consume"; "waits for input on fd 9,
// created at web_server.cpp:27 in async_main".
std::string waits_text(const model::Model& model, const model::Task& task, const Where& where);
// To go on with after a verb: "at pipeline.cpp:34 in consume", "in a task created at ...", "at an unknown place".
std::string at_text(const Where& where);

// A stack to show: indexes of its frames, outermost first, and runs of the library's frames that are left out.
struct StackRow {
    std::size_t frame = 0;
    std::size_t hidden = 0;  // not 0: this row stands for that many of the library's frames, from `frame` on
    bool here = false;       // look here first: the innermost of the user's frames, or of all if none is the user's
};
// The library's frames are shown when asked for, and when there are no others.
std::vector<StackRow> stack_rows(const std::vector<StackFrame>& stack, bool with_library);
// The same, given which of the frames are the library's.
std::vector<StackRow> stack_rows(const std::vector<bool>& of_library, bool with_library);
// "2 frames of the library"
std::string hidden_text(const StackRow& row);

}  // namespace coroscope::words
