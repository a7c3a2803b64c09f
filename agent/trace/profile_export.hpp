// Samples of CPU time as stacks: the async stack, then the native frames within the step.
#pragma once

#include "agent/model/session.hpp"
#include "output.hpp"

namespace coroscope::trace {

// A line per stack, "app;outer (file:line);inner (file:line) samples". For flame graph tools.
void export_profile_folded(const model::Session& session, Output& out);

// A sampled profile for each app that has samples, in CPU time. For speedscope.app.
void export_profile_speedscope(const model::Session& session, Output& out);

}  // namespace coroscope::trace
