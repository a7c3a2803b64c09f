// Something to point at in a timeline, such as a problem. Exporters know no analysis: their caller fills these.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "agent/model/session.hpp"

namespace coroscope::trace {

struct Frame {
    std::string function, file;
    std::uint32_t line = 0;  // 0: unknown
};

struct Marker {
    model::AppKey app = 0;
    model::TaskId task = 0;                                    // 0: none; else it is drawn on the task's loop
    std::uint64_t time_ns = 0;                                 // on the app's clock
    std::uint64_t duration_ns = 0;                             // 0: does not apply
    std::string kind;                                          // "slow_step"
    std::string severity;                                      // "error", "warning", "info"
    std::string title;                                         // one line for a person
    std::vector<std::pair<std::string, std::string>> details;  // {"advice", "..."}
    std::vector<Frame> stack;                                  // innermost last
};

}  // namespace coroscope::trace
