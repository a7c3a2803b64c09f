// A session as stacks: speedscope's profiles of what each loop ran, and folded stacks of where tasks waited.
#pragma once

#include "agent/model/session.hpp"
#include "output.hpp"

namespace coroscope::trace {

// One evented profile per thread that ran loops: every step opens the async stack that it resumed. For speedscope.app.
void export_speedscope(const model::Session& session, Output& out);

// A line per await path, "app;outer (file:line);inner (file:line) microseconds": the time that tasks spent waiting
// there, summed. For flame graph tools.
void export_folded(const model::Session& session, Output& out);

}  // namespace coroscope::trace
