// A session as a Perfetto trace: for ui.perfetto.dev and trace_processor.
#pragma once

#include <span>

#include "agent/model/session.hpp"
#include "marker.hpp"
#include "output.hpp"

namespace coroscope::trace {

// Streams; errors are the output's. A process per app; under it a thread per loop with a slice per step, the counters,
// and "Tasks" with a track per task: its life, and nested in it where it waited. Flows lead from who created or woke a
// task to the step that this caused. Markers are instants with their call stack.
void export_perfetto(const model::Session& session, std::span<const Marker> markers, Output& out);

}  // namespace coroscope::trace
