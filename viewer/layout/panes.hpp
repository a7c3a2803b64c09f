// Where the panes of the dashboard are, from the window's size and the splitters' positions.
#pragma once

#include <algorithm>

namespace coroscope::viewer {

struct Box {
    float x = 0, y = 0, width = 0, height = 0;
};

// Parts of the whole, kept when the window is resized. Dragging a splitter changes one.
struct Splits {
    float left = 0.48f;      // the task tree's part of the width
    float latency = 0.17f;   // the latency strip's part of the height
    float timeline = 0.45f;  // the timeline's part of the height

    bool operator==(const Splits&) const = default;
};

struct Panes {
    Box tasks, latency, timeline, bottom;
};

inline constexpr float splitter_px = 6;

// `least_px`: no pane becomes narrower or lower, as far as the window allows.
inline Panes panes(const Box& area, const Splits& splits, float least_px) {
    const auto part = [&](float whole, float share, float reserved) {
        return std::max(std::min(least_px, whole / 4), std::min(whole * share, whole - reserved));
    };
    Panes result;
    const float left = part(area.width, splits.left, least_px);
    const float right = std::max(1.0f, area.width - left - splitter_px);
    const float x = area.x + left + splitter_px;
    const float latency = part(area.height, splits.latency, 2 * least_px);
    const float timeline = part(area.height, splits.timeline, latency + least_px);
    const float bottom = std::max(1.0f, area.height - latency - timeline - 2 * splitter_px);
    result.tasks = {area.x, area.y, left, area.height};
    result.latency = {x, area.y, right, latency};
    result.timeline = {x, area.y + latency + splitter_px, right, timeline};
    result.bottom = {x, area.y + latency + timeline + 2 * splitter_px, right, bottom};
    return result;
}

}  // namespace coroscope::viewer
