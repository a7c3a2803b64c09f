// The timeline: what each loop did when, and the story of the tasks that matter.
#include <imgui.h>

#include <algorithm>
#include <cmath>

#include "proto/words/amount.hpp"
#include "timeline_parts.hpp"
#include "viewer/ui/time_ruler.hpp"
#include "viewer/ui/widgets.hpp"
#include "views.hpp"

namespace coroscope::viewer::views {

namespace {

namespace color = ui::color;
using ui::px;

void controls(Context& context) {
    ViewState& state = context.state;
    const TimeRange& shown = state.timeline.range.shown();
    std::string beside = words::duration(static_cast<std::uint64_t>(std::max(0.0, shown.span_ns()))) + " from " +
                         since_start(context, shown.begin_ns);
    ui::panel_title("Timeline", beside);
    const char* follow = state.timeline.follow ? "Following" : "Follow";
    float width = ui::text_width("Fit") + 2 * ImGui::GetStyle().FramePadding.x;
    if (context.live()) width += ui::text_width(follow) + 2 * ImGui::GetStyle().FramePadding.x + px(4);
    ui::to_the_right(width + px(2));
    ImGui::SetCursorPosY(ImGui::GetCursorPosY() - px(3));
    if (context.live()) {
        if (ui::toggle(follow, state.timeline.follow, "Keep the newest in sight (Space)"))
            state.timeline.follow = !state.timeline.follow;
        ImGui::SameLine(0, px(4));
    }
    if (ImGui::Button("Fit")) state.fit(context.model());
    if (ImGui::IsItemHovered()) ImGui::SetTooltip("Show all of the app's time (Home)");
}

// Stretches in which events were lost: what is not drawn there may have happened.
void draw_gaps(const Context& context, const LaneArea& area) {
    for (const model::Gap& gap : context.model().gaps()) {
        const float x0 = std::max(area.axis.x(gap.first_ns), area.axis.left_px);
        const float x1 = std::min(std::max(area.axis.x(gap.last_ns), x0 + 2), area.axis.right_px());
        if (x1 <= area.axis.left_px || x0 >= area.axis.right_px()) continue;
        ui::draw_hatching(area.list, {x0, area.top}, {x1, area.bottom}, ui::with_alpha(color::bad, 0.25f), px(7));
    }
}

// A mark on the ruler for each problem; true and its index if the mouse is on one.
std::optional<std::size_t> draw_problem_marks(const Context& context, const LaneArea& area, float y) {
    std::optional<std::size_t> under;
    const auto& problems = context.derived.problems();
    for (std::size_t i = problems.size(); i-- > 0;) {
        const analysis::Problem& problem = problems[i];
        if (problem.app != context.state.app || problem.time_ns == 0) continue;
        const float x = area.axis.x(problem.time_ns);
        if (x < area.axis.left_px || x > area.axis.right_px()) continue;
        const float r = px(5);
        const bool hot = area.hovered && std::abs(area.mouse.x - x) < r + 1 && std::abs(area.mouse.y - (y - r)) < r + 2;
        const ImU32 paint = ui::severity_color(problem.severity);
        area.list.AddTriangleFilled({x - r, y - 2 * r}, {x + r, y - 2 * r}, {x, y}, hot ? color::bright : paint);
        if (hot || i == context.state.problem) area.list.AddLine({x, y}, {x, area.bottom}, ui::with_alpha(paint, 0.5f));
        if (hot) under = i;
    }
    return under;
}

void draw_cursor(const Context& context, const LaneArea& area) {
    const double now = static_cast<double>(context.model().now_ns());
    if (const float x = area.axis.x(now); x < area.axis.right_px()) {
        const float from = std::max(x, area.axis.left_px);
        area.list.AddRectFilled({from, area.top}, {area.axis.right_px(), area.bottom}, ui::rgb(0x0d1117, 120));
        if (x > area.axis.left_px)
            area.list.AddLine({x, area.top}, {x, area.bottom}, ui::with_alpha(color::accent, 0.5f));
    }
    const auto box = [&](const TimeRange& range, ImU32 paint, bool label) {
        const float x0 = area.axis.x(range.begin_ns), x1 = area.axis.x(range.end_ns);
        area.list.AddRectFilled({x0, area.top}, {x1, area.bottom}, ui::with_alpha(paint, 0.16f));
        area.list.AddLine({x0, area.top}, {x0, area.bottom}, paint);
        area.list.AddLine({x1, area.top}, {x1, area.bottom}, paint);
        if (!label) return;
        const std::string text = words::duration(static_cast<std::uint64_t>(std::abs(range.span_ns())));
        const float width = ui::text_width(text, ui::fonts().bold) + px(12);
        const float x = (x0 + x1 - width) / 2, y = (area.top + area.bottom) / 2 - px(10);
        area.list.AddRectFilled({x, y}, {x + width, y + px(22)}, color::raised, px(4));
        ui::draw_text(area.list, {x + px(6), y + px(3)}, color::bright, text, ui::fonts().bold);
    };
    if (context.state.timeline.measure) box(*context.state.timeline.measure, color::accent, true);
    if (context.state.timeline.zoom_box) box(*context.state.timeline.zoom_box, color::good, true);
    if (area.hovered && area.mouse.x >= area.axis.left_px && !context.state.timeline.measure) {
        area.list.AddLine({area.mouse.x, area.top}, {area.mouse.x, area.bottom}, ui::with_alpha(color::bright, 0.18f));
    }
}

Hit draw_lanes(Context& context, const LaneArea& area) {
    TimelineState& timeline = context.state.timeline;
    area.list.PushClipRect({area.left, area.top}, {area.axis.right_px(), area.bottom}, true);
    Drawn drawn = draw_loop_lanes(context, area, area.top + px(4) - timeline.scroll_px);
    drawn.add(draw_counter_lanes(context, area, drawn.next_y));
    drawn.add(draw_task_lanes(context, area, drawn.next_y + px(4)));
    const float overflow = drawn.next_y + timeline.scroll_px - area.bottom;
    timeline.scroll_px = std::clamp(timeline.scroll_px, 0.0f, std::max(0.0f, overflow));
    area.list.PopClipRect();
    return drawn.hit.value_or(Hit{});
}

void draw_area(Context& context, const LaneArea& area, float ruler_y) {
    ImDrawList& list = area.list;
    list.AddRectFilled({area.axis.left_px, area.top}, {area.axis.right_px(), area.bottom}, color::well);
    list.PushClipRect({area.axis.left_px, ruler_y}, {area.axis.right_px(), area.bottom}, true);
    ui::draw_ruler(list, area.axis, static_cast<double>(context.model().first_ns()), ruler_y, area.top - ruler_y,
                   area.bottom);
    list.PopClipRect();
    const Hit hit = draw_lanes(context, area);
    list.PushClipRect({area.axis.left_px, ruler_y}, {area.axis.right_px(), area.bottom}, true);
    draw_gaps(context, area);
    const std::optional<std::size_t> problem = draw_problem_marks(context, area, area.top);
    draw_cursor(context, area);
    list.PopClipRect();
    if (problem) {
        ui::begin_tooltip();
        ui::text(context.derived.problems()[*problem].summary);
        ui::end_tooltip();
        if (ImGui::IsMouseClicked(ImGuiMouseButton_Left)) open_problem(context, *problem);
        return;
    }
    if (area.hovered && !ImGui::IsMouseDown(ImGuiMouseButton_Right)) timeline_tooltip(context, hit);
    timeline_mouse(context, area, hit);
}

}  // namespace

void draw_timeline(Context& context, const Box& box) {
    ui::begin_panel("timeline", box);
    controls(context);
    const ImVec2 at = ImGui::GetCursorScreenPos();
    const ImVec2 room = ImGui::GetContentRegionAvail();
    const float gutter = px(158), ruler = px(27);
    if (room.x > gutter + px(60) && room.y > ruler + px(20)) {
        ImGui::InvisibleButton(
            "##lanes", room,
            ImGuiButtonFlags_MouseButtonLeft | ImGuiButtonFlags_MouseButtonRight | ImGuiButtonFlags_MouseButtonMiddle);
        const LaneArea area{
            .list = *ImGui::GetWindowDrawList(),
            .axis = {context.state.timeline.range.shown(), at.x + gutter, std::floor(room.x - gutter)},
            .left = at.x,
            .top = at.y + ruler,
            .bottom = at.y + room.y,
            .hovered = ImGui::IsItemHovered() || ImGui::IsItemActive(),
            .mouse = ImGui::GetMousePos(),
        };
        draw_area(context, area, at.y);
    }
    timeline_keys(context);
    ui::end_panel();
}

}  // namespace coroscope::viewer::views
