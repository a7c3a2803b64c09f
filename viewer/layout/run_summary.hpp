// What a run of merged slices says at a glance: how busy the loop was, and mostly with what.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "agent/model/model.hpp"
#include "coroutine.hpp"
#include "slices.hpp"

namespace coroscope::viewer {

struct RunSummary {
    double busy = 0;           // part of its time the loop ran steps, 0..1
    model::SiteId mostly = 0;  // the coroutine that ran longest; 0: callbacks, or unknown
};

// Looks at no more than `samples` of the run's slices, evenly spread.
template <typename Slices>
RunSummary summarise(const model::Model& model, const Slices& slices, const Bar& bar, std::size_t samples = 24) {
    struct Tally {
        model::SiteId site = 0;
        double ns = 0;
    };
    std::array<Tally, 8> tallies{};  // more coroutines than these in so narrow a run do not matter
    std::size_t used = 0;
    const std::size_t stride = std::max<std::size_t>(1, bar.count / samples);
    double busy_ns = 0;
    std::size_t looked_at = 0;
    for (std::size_t i = 0; i < bar.count; i += stride, ++looked_at) {
        const model::Slice& slice = slices[bar.first + i];
        const auto ns = static_cast<double>(slice.end_ns - slice.begin_ns);
        busy_ns += ns;
        const model::SiteId site = coroutine_site(model, slice.task);
        std::size_t at = 0;
        while (at < used && tallies[at].site != site) ++at;
        if (at == used && used < tallies.size()) tallies[used++].site = site;
        if (at < tallies.size()) tallies[at].ns += ns;
    }
    const model::Slice& first = slices[bar.first];
    const model::Slice& last = slices[bar.first + bar.count - 1];
    const auto span = static_cast<double>(last.end_ns - first.begin_ns);
    RunSummary summary;
    if (looked_at > 0 && span > 0) {
        summary.busy = std::min(1.0, busy_ns * static_cast<double>(bar.count) / static_cast<double>(looked_at) / span);
    }
    summary.mostly = std::max_element(tallies.begin(), tallies.end(), [](const Tally& a, const Tally& b) {
                         return a.ns < b.ns;
                     })->site;
    return summary;
}

}  // namespace coroscope::viewer
