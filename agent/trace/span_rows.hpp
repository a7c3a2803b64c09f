// Spans of an app in rows, for tools that draw nested slices: of two in a row, one lies in the other or comes after it.
// The spans of a task need more than one row only where they overlap.
#pragma once

#include <cstdint>
#include <vector>

#include "agent/model/model.hpp"

namespace coroscope::trace {

struct SpanRow {
    model::TaskId task = 0;                 // 0: what ran outside of tasks
    std::uint32_t thread = 0;               // of the first of them
    std::vector<const model::Span*> spans;  // by begin; the outer one first
};

// Without marks. O(n log n) for n spans; refers to the model.
std::vector<SpanRow> span_rows(const model::Model& model);

}  // namespace coroscope::trace
