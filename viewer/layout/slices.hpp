// Which rectangles a lane draws: slices wide enough to see, and runs of narrower ones merged into one.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "time_axis.hpp"

namespace coroscope::viewer {

// One rectangle of a lane: slices [first, first + count).
struct Bar {
    float x0 = 0, x1 = 0;
    std::size_t first = 0, count = 1;

    bool merged() const { return count > 1; }
};

inline constexpr float narrowest_bar_px = 3;

// `slices`: random access, each with begin_ns and end_ns, in order of time, none overlapping. What is narrower than
// `narrowest_px` is merged with its neighbours up to that width, skipped over by binary search: the cost depends on the
// pixels, not on the slices.
template <typename Slices>
std::vector<Bar> bars(const Slices& slices, const TimeAxis& axis, float narrowest_px = narrowest_bar_px) {
    std::vector<Bar> result;
    const double per_px = axis.ns_per_px();
    if (per_px <= 0) return result;
    const auto narrowest_ns = static_cast<double>(narrowest_px) * per_px;
    const auto ends_before = [](const auto& slice, double time) { return static_cast<double>(slice.end_ns) < time; };
    auto at = std::lower_bound(slices.begin(), slices.end(), axis.range.begin_ns, ends_before);
    while (at != slices.end() && static_cast<double>(at->begin_ns) < axis.range.end_ns) {
        Bar bar;
        bar.first = static_cast<std::size_t>(at - slices.begin());
        const auto begin = static_cast<double>(at->begin_ns);
        if (static_cast<double>(at->end_ns) - begin >= narrowest_ns) {
            bar.x0 = axis.x(at->begin_ns);
            bar.x1 = axis.x(at->end_ns);
            ++at;
        } else {
            auto next = std::lower_bound(at, slices.end(), begin + narrowest_ns, ends_before);
            // A wide one that reaches in from the right stands for itself.
            if (next == at) ++next;
            bar.count = static_cast<std::size_t>(next - at);
            const auto last_end = static_cast<double>(std::prev(next)->end_ns);
            bar.x0 = axis.x(begin);
            bar.x1 = std::max(axis.x(last_end), bar.x0 + (bar.count > 1 ? narrowest_px - 1 : 1));
            at = next;
        }
        result.push_back(bar);
    }
    return result;
}

// The bar under a pixel, or nullptr. Bars are in order.
inline const Bar* bar_at(const std::vector<Bar>& all, float x_px, float slack_px = 1) {
    const Bar* best = nullptr;
    for (const Bar& bar : all) {
        if (x_px < bar.x0 - slack_px) break;
        if (x_px <= bar.x1 + slack_px) {
            const bool inside = x_px >= bar.x0 && x_px <= bar.x1;
            if (best == nullptr || inside) best = &bar;
        }
    }
    return best;
}

}  // namespace coroscope::viewer
