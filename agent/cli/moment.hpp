// What a person types for a moment of a recording.
#pragma once

#include <optional>
#include <string>

#include "agent/trace/load.hpp"

namespace coroscope::cli {

// "12.5": seconds since the recording began. "2026-11-26T14:03:07.25": wall-clock time of this machine. Nothing:
// neither.
std::optional<trace::When> parse_moment(const std::string& text);

}  // namespace coroscope::cli
