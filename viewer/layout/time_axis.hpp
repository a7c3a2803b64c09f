// The time axis every chart shares: a range of time mapped on pixels, its ticks, and eased movement of the range.
// Times are ns on the app's clock, as double: exact to the ns for an uptime of 104 days.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace coroscope::viewer {

struct TimeRange {
    double begin_ns = 0, end_ns = 0;

    double span_ns() const { return end_ns - begin_ns; }
    double middle_ns() const { return (begin_ns + end_ns) / 2; }
    bool contains(double time_ns) const { return time_ns >= begin_ns && time_ns < end_ns; }
    bool operator==(const TimeRange&) const = default;
};

inline constexpr double shortest_span_ns = 1e3;  // 1 us over the whole width: single ns are visible
inline constexpr double longest_span_ns = 30 * 86400e9;

// `factor` < 1 zooms in; the time `at_ns` stays where it is on the screen.
TimeRange zoomed(const TimeRange& range, double at_ns, double factor);
TimeRange panned(const TimeRange& range, double by_ns);
// `what` with `margin` of its length on both sides, and at least `least_ns` long.
TimeRange around(const TimeRange& what, double margin, double least_ns);

struct TimeAxis {
    TimeRange range;
    float left_px = 0, width_px = 1;

    double ns_per_px() const { return range.span_ns() / static_cast<double>(width_px); }
    float x(double time_ns) const {
        return left_px +
               static_cast<float>((time_ns - range.begin_ns) / range.span_ns() * static_cast<double>(width_px));
    }
    float x(std::uint64_t time_ns) const { return x(static_cast<double>(time_ns)); }
    double time_ns(float x_px) const {
        return range.begin_ns + static_cast<double>(x_px - left_px) / static_cast<double>(width_px) * range.span_ns();
    }
    float right_px() const { return left_px + width_px; }
};

struct Tick {
    double time_ns = 0;
    bool labelled = false;
    std::string label;  // relative to the origin: "1.250 s"
};

// Ticks at round times since `origin_ns`; labelled ones at least `label_gap_px` apart.
std::vector<Tick> ticks(const TimeAxis& axis, double origin_ns, float label_gap_px);

// A range that moves to its target within a fraction of a second.
class EasedRange {
public:
    const TimeRange& shown() const { return shown_; }
    const TimeRange& target() const { return target_; }
    void jump(const TimeRange& range) { shown_ = target_ = range; }
    void move(const TimeRange& range) { target_ = range; }
    bool moving() const { return shown_ != target_; }
    // Advances by `elapsed_s`; true while there is further to go.
    bool step(double elapsed_s);

private:
    TimeRange shown_, target_;
};

}  // namespace coroscope::viewer
