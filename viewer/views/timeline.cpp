// The timeline: what each loop did when, and the story of the tasks that matter.
#include <imgui.h>

#include <algorithm>
#include <cmath>

#include "timeline_parts.hpp"
#include "viewer/layout/describe.hpp"
#include "viewer/layout/text.hpp"
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
    std::string beside = duration_text(static_cast<std::uint64_t>(std::max(0.0, shown.span_ns()))) + " from " +
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
void draw_gaps(const Context& context, Lanes& lanes) {
    for (const model::Gap& gap : context.model().gaps()) {
        const float x0 = std::max(lanes.axis.x(gap.first_ns), lanes.axis.left_px);
        const float x1 = std::min(std::max(lanes.axis.x(gap.last_ns), x0 + 2), lanes.axis.right_px());
        if (x1 <= lanes.axis.left_px || x0 >= lanes.axis.right_px()) continue;
        ui::draw_hatching(lanes.list, {x0, lanes.top}, {x1, lanes.bottom}, ui::with_alpha(color::bad, 0.25f), px(7));
    }
}

// A mark on the ruler for each problem; true and its index if the mouse is on one.
std::optional<std::size_t> draw_problem_marks(const Context& context, Lanes& lanes, float y) {
    std::optional<std::size_t> under;
    const auto& problems = context.derived.problems();
    for (std::size_t i = problems.size(); i-- > 0;) {
        const analysis::Problem& problem = problems[i];
        if (problem.app != context.state.app || problem.time_ns == 0) continue;
        const float x = lanes.axis.x(problem.time_ns);
        if (x < lanes.axis.left_px || x > lanes.axis.right_px()) continue;
        const float r = px(5);
        const bool hot =
            lanes.hovered && std::abs(lanes.mouse.x - x) < r + 1 && std::abs(lanes.mouse.y - (y - r)) < r + 2;
        const ImU32 paint = ui::severity_color(problem.kind);
        lanes.list.AddTriangleFilled({x - r, y - 2 * r}, {x + r, y - 2 * r}, {x, y}, hot ? color::bright : paint);
        if (hot || i == context.state.problem)
            lanes.list.AddLine({x, y}, {x, lanes.bottom}, ui::with_alpha(paint, 0.5f));
        if (hot) under = i;
    }
    return under;
}

void draw_cursor(const Context& context, Lanes& lanes) {
    const double now = static_cast<double>(context.model().now_ns());
    if (const float x = lanes.axis.x(now); x < lanes.axis.right_px()) {
        const float from = std::max(x, lanes.axis.left_px);
        lanes.list.AddRectFilled({from, lanes.top}, {lanes.axis.right_px(), lanes.bottom}, ui::rgb(0x0d1117, 120));
        if (x > lanes.axis.left_px)
            lanes.list.AddLine({x, lanes.top}, {x, lanes.bottom}, ui::with_alpha(color::accent, 0.5f));
    }
    const auto box = [&](const TimeRange& range, ImU32 paint, bool label) {
        const float x0 = lanes.axis.x(range.begin_ns), x1 = lanes.axis.x(range.end_ns);
        lanes.list.AddRectFilled({x0, lanes.top}, {x1, lanes.bottom}, ui::with_alpha(paint, 0.16f));
        lanes.list.AddLine({x0, lanes.top}, {x0, lanes.bottom}, paint);
        lanes.list.AddLine({x1, lanes.top}, {x1, lanes.bottom}, paint);
        if (!label) return;
        const std::string text = duration_text(static_cast<std::uint64_t>(std::abs(range.span_ns())));
        const float width = ui::text_width(text, ui::fonts().bold) + px(12);
        const float x = (x0 + x1 - width) / 2, y = (lanes.top + lanes.bottom) / 2 - px(10);
        lanes.list.AddRectFilled({x, y}, {x + width, y + px(22)}, color::raised, px(4));
        ui::draw_text(lanes.list, {x + px(6), y + px(3)}, color::bright, text, ui::fonts().bold);
    };
    if (context.state.timeline.measure) box(*context.state.timeline.measure, color::accent, true);
    if (context.state.timeline.zoom_box) box(*context.state.timeline.zoom_box, color::good, true);
    if (lanes.hovered && lanes.mouse.x >= lanes.axis.left_px && !context.state.timeline.measure) {
        lanes.list.AddLine({lanes.mouse.x, lanes.top}, {lanes.mouse.x, lanes.bottom},
                           ui::with_alpha(color::bright, 0.18f));
    }
}

}  // namespace

std::string since_start(const Context& context, double time_ns) {
    const double since = time_ns - static_cast<double>(context.model().first_ns());
    char text[48];
    if (std::abs(since) < 60e9) {
        std::snprintf(text, sizeof text, "%+.3f s", since / 1e9);
    } else {
        const auto seconds = static_cast<long long>(since / 1e9);
        std::snprintf(text, sizeof text, "+%lld:%02lld:%06.3f", seconds / 3600, seconds / 60 % 60,
                      std::fmod(since / 1e9, 60.0));
    }
    return text;
}

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
        ImDrawList& list = *ImGui::GetWindowDrawList();
        Lanes lanes{list,
                    {context.state.timeline.range.shown(), at.x + gutter, std::floor(room.x - gutter)},
                    at.x,
                    at.y + ruler,
                    at.y + room.y,
                    ImGui::IsItemHovered() || ImGui::IsItemActive(),
                    ImGui::GetMousePos(),
                    nullptr,
                    nullptr,
                    0,
                    0,
                    {},
                    0};
        list.AddRectFilled({lanes.axis.left_px, lanes.top}, {lanes.axis.right_px(), lanes.bottom}, color::well);
        list.PushClipRect({lanes.axis.left_px, at.y}, {lanes.axis.right_px(), lanes.bottom}, true);
        ui::draw_ruler(list, lanes.axis, static_cast<double>(context.model().first_ns()), at.y, ruler, lanes.bottom);
        list.PopClipRect();
        list.PushClipRect({lanes.left, lanes.top}, {lanes.axis.right_px(), lanes.bottom}, true);
        float y = lanes.top + px(4) - context.state.timeline.scroll_px;
        y = draw_loop_lanes(context, lanes, y);
        y = draw_task_lanes(context, lanes, y + px(4));
        const float overflow = y + context.state.timeline.scroll_px - lanes.bottom;
        context.state.timeline.scroll_px = std::clamp(context.state.timeline.scroll_px, 0.0f, std::max(0.0f, overflow));
        list.PopClipRect();
        list.PushClipRect({lanes.axis.left_px, at.y}, {lanes.axis.right_px(), lanes.bottom}, true);
        draw_gaps(context, lanes);
        const std::optional<std::size_t> problem = draw_problem_marks(context, lanes, lanes.top);
        draw_cursor(context, lanes);
        list.PopClipRect();
        if (problem) {
            ui::begin_tooltip();
            ui::text(context.derived.problems()[*problem].summary);
            ui::end_tooltip();
            if (ImGui::IsMouseClicked(ImGuiMouseButton_Left)) open_problem(context, *problem);
        } else {
            if (lanes.hovered && !ImGui::IsMouseDown(ImGuiMouseButton_Right)) timeline_tooltip(context, lanes);
            timeline_mouse(context, lanes);
        }
    }
    timeline_keys(context);
    ui::end_panel();
}

}  // namespace coroscope::viewer::views
