// The timeline's parts: what the lanes found under the mouse, and how mouse and keys move it.
#pragma once

#include <imgui.h>

#include <optional>

#include "context.hpp"

namespace coroscope::viewer::views {

// The area lanes are drawn in, and what the mouse is on.
struct Lanes {
    ImDrawList& list;
    TimeAxis axis;
    float left = 0, top = 0, bottom = 0;  // of everything, with the gutter of names
    bool hovered = false;                 // the mouse is in the area
    ImVec2 mouse;

    // Filled while drawing.
    const model::Loop* loop = nullptr;    // of the slice under the mouse
    std::size_t slice = 0, slices = 0;    // the first, and how many were merged; 0: none
    std::optional<Span> span;             // of a task's lane
    model::TaskId task = 0;               // whose span or slice it is
};

// Loops' lanes, then tasks' lanes, from `y` down. Return where they end.
float draw_loop_lanes(const Context& context, Lanes& lanes, float y);
float draw_task_lanes(Context& context, Lanes& lanes, float y);

void timeline_tooltip(const Context& context, const Lanes& lanes);
// Mouse and keys over the lanes. `item_active`: the area's button is held.
void timeline_mouse(Context& context, const Lanes& lanes);
void timeline_keys(Context& context);

}  // namespace coroscope::viewer::views
