// The timeline's parts: the area of the lanes, what is under the mouse there, and how mouse and keys move it.
#pragma once

#include <imgui.h>

#include <optional>
#include <string_view>

#include "context.hpp"
#include "viewer/ui/theme.hpp"

namespace coroscope::viewer::views {

// The area that lanes are drawn in.
struct LaneArea {
    ImDrawList& list;
    TimeAxis axis;
    float left = 0, top = 0, bottom = 0;  // of everything, with the gutter of names
    bool hovered = false;                 // the mouse is in the area
    ImVec2 mouse;
};

// What the mouse is on.
struct Hit {
    const model::Loop* loop = nullptr;               // of the slices
    const TaskSlices* group = nullptr;               // or this, if they are of a lane that tasks share
    std::size_t first = 0, slices = 0;               // which they are; more than one if they were merged, 0: none
    std::optional<Span> span = std::nullopt;         // of a task's own lane
    model::TaskId task = 0;                          // whose span or slice it is
    std::optional<model::Span> said = std::nullopt;  // a span or mark of the app's own

    const model::Slice& slice(std::size_t i) const { return loop != nullptr ? loop->slices[i] : group->slices[i]; }
};

// A lane, or several, as they were drawn.
struct Drawn {
    float next_y = 0;  // where the lane below begins
    std::optional<Hit> hit;

    void add(Drawn below);
};

// What lanes are drawn with.
inline float lane_gap() { return ui::px(3); }
bool mouse_in(const LaneArea& area, float y0, float y1);
// A label inside a bar, from where the bar becomes visible.
void bar_label(const LaneArea& area, float x0, float x1, float y, float height, std::string_view label, ImU32 paint);
// Left of the lane: a dot (0: none), a name, and what else there is room for.
void gutter_name(const LaneArea& area, float y, float height, std::string_view name, std::string_view more, ImU32 paint,
                 ImU32 dot, bool emphasised);

// Loops' lanes, then tasks' lanes, from `y` down.
Drawn draw_loop_lanes(const Context& context, const LaneArea& area, float y);
Drawn draw_task_lanes(const Context& context, const LaneArea& area, float y);

// What the app said about itself. A task's spans, from `y` down; its marks, on its lane; counters, in lanes of their
// own.
Drawn draw_spans(const Context& context, const LaneArea& area, model::TaskId task, float y);
std::optional<Hit> draw_marks(const Context& context, const LaneArea& area, model::TaskId task, float y, float height);
Drawn draw_counter_lanes(const Context& context, const LaneArea& area, float y);
void said_tooltip(const Context& context, const model::Span& said);

void timeline_tooltip(const Context& context, const Hit& hit);
// Mouse and keys over the lanes.
void timeline_mouse(Context& context, const LaneArea& area, const Hit& hit);
void timeline_keys(Context& context);

}  // namespace coroscope::viewer::views
