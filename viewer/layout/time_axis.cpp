#include "time_axis.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

namespace coroscope::viewer {

namespace {

TimeRange limited(TimeRange range, double at_ns) {
    const double span = std::clamp(range.span_ns(), shortest_span_ns, longest_span_ns);
    if (span == range.span_ns()) return range;
    const double part = range.span_ns() > 0 ? (at_ns - range.begin_ns) / range.span_ns() : 0.5;
    range.begin_ns = at_ns - part * span;
    range.end_ns = range.begin_ns + span;
    return range;
}

// The least of 1, 2, 5 x 10^n that is not below `least`.
double round_step(double least) {
    const double decade = std::pow(10.0, std::floor(std::log10(std::max(least, 1.0))));
    for (const double factor : {1.0, 2.0, 5.0, 10.0}) {
        if (decade * factor >= least * 0.999999) return decade * factor;
    }
    return decade * 10;
}

struct Unit {
    double ns;
    const char* name;
};

std::string label_of(double since_origin_ns, double step_ns) {
    constexpr std::array<Unit, 4> units{{{1e9, "s"}, {1e6, "ms"}, {1e3, "us"}, {1, "ns"}}};
    // Seconds once the labels would be long otherwise: 12.345 678 s reads better than 12345678 us.
    const double size = std::max(std::abs(since_origin_ns), step_ns);
    std::size_t unit = 0;
    while (unit + 1 < units.size() && size < units[unit].ns) ++unit;
    int decimals = 0;
    for (double step = step_ns / units[unit].ns; decimals < 9 && std::abs(step - std::round(step)) > 1e-6; step *= 10)
        ++decimals;
    char text[64];
    std::snprintf(text, sizeof text, "%.*f %s", decimals, since_origin_ns / units[unit].ns, units[unit].name);
    return text;
}

}  // namespace

TimeRange zoomed(const TimeRange& range, double at_ns, double factor) {
    return limited({at_ns - (at_ns - range.begin_ns) * factor, at_ns + (range.end_ns - at_ns) * factor}, at_ns);
}

TimeRange panned(const TimeRange& range, double by_ns) { return {range.begin_ns + by_ns, range.end_ns + by_ns}; }

TimeRange around(const TimeRange& what, double margin, double least_ns) {
    const double half = std::max(what.span_ns() * (0.5 + margin), std::max(least_ns, shortest_span_ns) / 2);
    return limited({what.middle_ns() - half, what.middle_ns() + half}, what.middle_ns());
}

std::vector<Tick> ticks(const TimeAxis& axis, double origin_ns, float label_gap_px) {
    std::vector<Tick> result;
    if (axis.width_px < 1 || axis.range.span_ns() <= 0) return result;
    const double step = round_step(axis.ns_per_px() * static_cast<double>(label_gap_px));
    constexpr int parts = 5;  // unlabelled ticks between two labels
    const double minor = step / parts;
    const auto first = static_cast<std::int64_t>(std::ceil((axis.range.begin_ns - origin_ns) / minor));
    const auto last = static_cast<std::int64_t>(std::floor((axis.range.end_ns - origin_ns) / minor));
    for (std::int64_t n = first; n <= last && result.size() < 10'000; ++n) {
        Tick tick;
        tick.time_ns = origin_ns + static_cast<double>(n) * minor;
        tick.labelled = n % parts == 0;
        if (tick.labelled) tick.label = label_of(static_cast<double>(n) * minor, step);
        result.push_back(std::move(tick));
    }
    return result;
}

bool EasedRange::step(double elapsed_s) {
    if (!moving()) return false;
    const double rate = 1 - std::exp(-18 * std::clamp(elapsed_s, 0.0, 0.1));
    shown_.begin_ns += (target_.begin_ns - shown_.begin_ns) * rate;
    shown_.end_ns += (target_.end_ns - shown_.end_ns) * rate;
    const double left = std::abs(target_.begin_ns - shown_.begin_ns) + std::abs(target_.end_ns - shown_.end_ns);
    if (left < target_.span_ns() * 1e-3 || !std::isfinite(left)) shown_ = target_;
    return moving();
}

}  // namespace coroscope::viewer
