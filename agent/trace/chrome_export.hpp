// A session as Chrome's JSON trace: for chrome://tracing, ui.perfetto.dev and speedscope.
#pragma once

#include <span>

#include "agent/model/session.hpp"
#include "marker.hpp"
#include "output.hpp"

namespace coroscope::trace {

// Streams; errors are the output's. Loops are threads with a slice per step; tasks are async rows with their waits
// nested; arrows lead from who created or woke a task to the step that this caused; markers are instants.
void export_chrome(const model::Session& session, std::span<const Marker> markers, Output& out);

}  // namespace coroscope::trace
