// What a run of merged slices says at a glance: how busy the loop was, and mostly with what.
#pragma once

#include <cstdint>

#include "agent/model/model.hpp"
#include "slices.hpp"

namespace coroscope::viewer {

struct RunSummary {
    double busy = 0;           // part of its time the loop ran steps, 0..1
    model::SiteId mostly = 0;  // the coroutine that ran longest; 0: callbacks, or unknown
};

// Looks at no more than `samples` of the run's slices, evenly spread.
RunSummary summarise(const model::Model& model, const model::Loop& loop, const Bar& bar, std::size_t samples = 24);

}  // namespace coroscope::viewer
