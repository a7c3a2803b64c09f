// The timeline's parts: what the lanes found under the mouse, and how mouse and keys move it.
#pragma once

#include <imgui.h>

#include <optional>
#include <string_view>

#include "context.hpp"
#include "viewer/ui/theme.hpp"

namespace coroscope::viewer::views {

// The area lanes are drawn in, and what the mouse is on.
struct Lanes {
    ImDrawList& list;
    TimeAxis axis;
    float left = 0, top = 0, bottom = 0;  // of everything, with the gutter of names
    bool hovered = false;                 // the mouse is in the area
    ImVec2 mouse;

    // Filled while drawing.
    const model::Loop* loop = nullptr;  // of the slice under the mouse
    const TaskSlices* group = nullptr;  // or of the shared lane
    std::size_t slice = 0, slices = 0;  // the first, and how many were merged; 0: none
    std::optional<Span> span;           // of a task's lane
    model::TaskId task = 0;             // whose span or slice it is

    const model::Slice& slice_at(std::size_t i) const { return loop != nullptr ? loop->slices[i] : group->slices[i]; }
};

// What lanes are drawn with.
inline float lane_gap() { return ui::px(3); }
bool mouse_in(const Lanes& lanes, float y0, float y1);
// A label inside a bar, from where the bar becomes visible.
void bar_label(const Lanes& lanes, float x0, float x1, float y, float height, std::string_view label, ImU32 paint);
// Left of the lane: a dot (0: none), a name, and what else there is room for.
void gutter_name(const Lanes& lanes, float y, float height, std::string_view name, std::string_view more, ImU32 paint,
                 ImU32 dot, bool emphasised);

// Loops' lanes, then tasks' lanes, from `y` down. Return where they end.
float draw_loop_lanes(const Context& context, Lanes& lanes, float y);
float draw_task_lanes(Context& context, Lanes& lanes, float y);

void timeline_tooltip(const Context& context, const Lanes& lanes);
// Mouse and keys over the lanes. `item_active`: the area's button is held.
void timeline_mouse(Context& context, const Lanes& lanes);
void timeline_keys(Context& context);

}  // namespace coroscope::viewer::views
