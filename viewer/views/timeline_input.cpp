// Mouse, keys and tooltips of the timeline. Conventions: WASD and arrows, wheel and Ctrl+wheel zoom at the cursor,
// Shift+wheel scrolls, right-drag pans, middle-drag zooms to a range, left-drag measures, F centres then fits, comma
// and dot step.
#include <imgui.h>

#include <algorithm>
#include <cmath>

#include "agent/words/task.hpp"
#include "agent/words/where.hpp"
#include "proto/words/amount.hpp"
#include "timeline_parts.hpp"
#include "viewer/ui/keys.hpp"
#include "viewer/ui/widgets.hpp"
#include "views.hpp"

namespace coroscope::viewer::views {

namespace {

namespace color = ui::color;

void slice_tooltip(const Context& context, const model::Slice& slice) {
    const model::Model& model = context.model();
    const model::Task* task = model.task(slice.task);
    ImGui::PushFont(ui::fonts().bold);
    ui::text(slice.task == 0   ? "Callback"
             : task == nullptr ? words::task_name(model, slice.task)
                               : words::task_title(model, *task));
    ImGui::PopFont();
    const std::uint64_t length = slice.end_ns - slice.begin_ns;
    const bool slow = model.slow_step_ns() > 0 && length >= model.slow_step_ns();
    ui::text("ran " + words::duration(length) + " at " + since_start(context, static_cast<double>(slice.begin_ns)),
             slow ? color::bad : color::text);
    if (slow) ui::text("Slow: nothing else could run on this loop meanwhile.", color::bad);
    const words::Where from = words::where(model, slice.began_at), to = words::where(model, slice.ended_at);
    if (from.known()) ui::text(words::place(from, "from  "), color::dim);
    // Where its task was created is said once.
    if (to.known() && !to.created) ui::text(words::place(to, "to    "), color::dim);
    if (slice.ended_at == 0 && slice.task != 0) ui::text("then it was done", color::dim);
    if (slice.ready_ns != 0 && slice.ready_ns < slice.begin_ns) {
        ui::text("had waited " + words::duration(slice.begin_ns - slice.ready_ns) + " for the loop, woken by " +
                     (slice.woken_by == 0 ? "the loop" : words::task_name(model, slice.woken_by)),
                 color::dim);
    }
}

void run_tooltip(const Context& context, const Hit& hit) {
    const model::Slice &first = hit.slice(hit.first), &last = hit.slice(hit.first + hit.slices - 1);
    std::uint64_t busy = 0;
    for (std::size_t i = 0; i < hit.slices; ++i) {
        const model::Slice& slice = hit.slice(hit.first + i);
        busy += slice.end_ns - slice.begin_ns;
    }
    ImGui::PushFont(ui::fonts().bold);
    ui::text(words::full_count(hit.slices) + " steps");
    ImGui::PopFont();
    ui::text(words::duration(busy) + " busy within " + words::duration(last.end_ns - first.begin_ns) + " at " +
             since_start(context, static_cast<double>(first.begin_ns)));
    ui::text("Zoom in to see them.", color::dim);
}

void span_tooltip(const Context& context, const Hit& hit, const model::Task& task) {
    const model::Model& model = context.model();
    ImGui::PushFont(ui::fonts().bold);
    ui::text(words::task_title(model, task));
    ImGui::PopFont();
    if (!hit.span) return;
    const Span& span = *hit.span;
    const std::string length = words::duration(static_cast<std::uint64_t>(span.end_ns - span.begin_ns));
    const words::Where where = words::where(model, span.node);
    switch (span.phase) {
        case Phase::suspended: ui::text("suspended " + words::at_text(where), color::suspended); break;
        case Phase::ready:
            ui::text("waits " + length + " for the loop, woken by " +
                         (span.woken_by == 0 ? "the loop" : words::task_name(model, span.woken_by)),
                     color::ready);
            break;
        case Phase::running:
            if (span.merged > 1) {
                ui::text(words::full_count(span.merged) + " steps ran " +
                             words::duration(static_cast<std::uint64_t>(span.busy_ns)) + " within " + length,
                         color::running);
                ui::text("and waited " + words::duration(static_cast<std::uint64_t>(span.ready_ns)) +
                             " for the loop. Zoom in to see them.",
                         color::dim);
                break;
            }
            ui::text("runs " + length + (where.known() ? ", " + words::place(where, "from ") : ""), color::running);
            break;
    }
}

void wheel(Context& context, const LaneArea& area) {
    const ImGuiIO& io = ImGui::GetIO();
    TimelineState& timeline = context.state.timeline;
    if (io.MouseWheelH != 0) {
        context.state.show_range(panned(
            timeline.range.target(), -static_cast<double>(io.MouseWheelH) * timeline.range.target().span_ns() * 0.1));
    }
    if (io.MouseWheel == 0) return;
    if (io.KeyShift) {
        timeline.scroll_px -= io.MouseWheel * ui::px(48);
        return;
    }
    const double factor = std::pow(0.8, static_cast<double>(io.MouseWheel));
    const TimeRange target = timeline.range.target();
    if (timeline.follow && context.live()) {
        timeline.range.move(zoomed(target, target.end_ns, factor));  // the newest stays where it is
        return;
    }
    timeline.range.move(zoomed(target, area.axis.time_ns(std::max(area.mouse.x, area.axis.left_px)), factor));
}

void drags(Context& context, const LaneArea& area) {
    TimelineState& timeline = context.state.timeline;
    const auto drag = [&](ImGuiMouseButton button, std::optional<TimeRange>& range) {
        if (!ImGui::IsMouseDragging(button, 4)) return;
        const float from = area.mouse.x - ImGui::GetMouseDragDelta(button, 0).x;
        if (!range) range = TimeRange{area.axis.time_ns(from), 0};
        range->end_ns = area.axis.time_ns(area.mouse.x);
    };
    drag(ImGuiMouseButton_Left, timeline.measure);
    drag(ImGuiMouseButton_Middle, timeline.zoom_box);
    if (timeline.zoom_box && ImGui::IsMouseReleased(ImGuiMouseButton_Middle)) {
        const TimeRange box = *timeline.zoom_box;
        timeline.zoom_box.reset();
        context.state.show_range({std::min(box.begin_ns, box.end_ns), std::max(box.begin_ns, box.end_ns)});
    }
    if (ImGui::IsMouseDragging(ImGuiMouseButton_Right, 2)) {
        const ImVec2 moved = ImGui::GetIO().MouseDelta;
        if (timeline.follow) context.state.navigation.left(timeline.range.target());
        timeline.follow = false;
        timeline.range.jump(panned(timeline.range.shown(), -static_cast<double>(moved.x) * area.axis.ns_per_px()));
        timeline.scroll_px -= moved.y;
    }
}

// The step of the selected task after or before the middle of the range.
void step_selected(Context& context, int by) {
    const TaskSlices* lane = context.derived.lanes().find(context.state.task);
    if (lane == nullptr || lane->slices.empty()) return;
    const TimeRange& range = context.state.timeline.range.target();
    const double middle = range.middle_ns();
    std::ptrdiff_t at = slice_at_or_before(lane->slices, middle);
    const auto middle_of = [&](std::ptrdiff_t i) {
        const model::Slice& slice = lane->slices[static_cast<std::size_t>(i)];
        return (static_cast<double>(slice.begin_ns) + static_cast<double>(slice.end_ns)) / 2;
    };
    at = std::clamp<std::ptrdiff_t>(at, 0, static_cast<std::ptrdiff_t>(lane->slices.size()) - 1);
    if (by > 0 && middle_of(at) <= middle + range.span_ns() * 1e-6) ++at;
    if (by < 0 && middle_of(at) >= middle - range.span_ns() * 1e-6) --at;
    if (at < 0 || at >= static_cast<std::ptrdiff_t>(lane->slices.size())) return;
    context.state.jump_to(middle_of(at), 0);
}

// First into the middle, then as large as fits: the selected task, or all.
void focus(Context& context) {
    const model::Task* task = context.selected();
    if (task == nullptr) return context.state.fit(context.model());
    const double begin = static_cast<double>(task->created_ns != 0 ? task->created_ns : context.model().first_ns());
    const double end = static_cast<double>(
        task->state == model::State::done && task->done_ns != 0 ? task->done_ns : context.model().now_ns());
    const TimeRange& range = context.state.timeline.range.target();
    const bool centred = std::abs(range.middle_ns() - (begin + end) / 2) < range.span_ns() * 0.01;
    if (centred) {
        context.state.show_range(around({begin, end}, 0.05, 0));
    } else {
        context.state.jump_to((begin + end) / 2, 0);
    }
}

}  // namespace

void timeline_tooltip(const Context& context, const Hit& hit) {
    if (context.state.timeline.measure) return;
    const model::Task* task = context.model().task(hit.task);
    if (hit.slices == 0 && task == nullptr) return;
    ui::begin_tooltip();
    if (hit.said) {
        said_tooltip(context, *hit.said);
    } else if (hit.slices > 1) {
        run_tooltip(context, hit);
    } else if (hit.slices == 1) {
        slice_tooltip(context, hit.slice(hit.first));
    } else {
        span_tooltip(context, hit, *task);
    }
    ui::end_tooltip();
}

void timeline_mouse(Context& context, const LaneArea& area, const Hit& hit) {
    if (!area.hovered) return;
    wheel(context, area);
    drags(context, area);
    ViewState& state = context.state;
    if (!ImGui::IsMouseReleased(ImGuiMouseButton_Left)) return;
    const bool was_click = ImGui::GetIO().MouseDragMaxDistanceSqr[ImGuiMouseButton_Left] < 16;
    if (!was_click) return;
    state.timeline.measure.reset();
    if (hit.task != 0) {
        state.select(context.model(), hit.task);
        state.show(BottomTab::detail);
    } else if (hit.slices > 1) {
        const model::Slice &first = hit.slice(hit.first), &last = hit.slice(hit.first + hit.slices - 1);
        state.show_range(around({static_cast<double>(first.begin_ns), static_cast<double>(last.end_ns)}, 0.2, 0));
    }
}

void timeline_keys(Context& context) {
    const ImGuiIO& io = ImGui::GetIO();
    if (io.WantTextInput || io.KeyCtrl || io.KeyAlt || context.state.find_open) return;
    ViewState& state = context.state;
    const TimeRange target = state.timeline.range.target();
    const double step = static_cast<double>(std::min(io.DeltaTime, 0.1f)) * (io.KeyShift ? 4 : 1);
    const double pan = (ui::key_down('D') ? 1 : 0) - (ui::key_down('A') ? 1 : 0);
    const double zoom = (ui::key_down('S') ? 1 : 0) - (ui::key_down('W') ? 1 : 0);
    if (pan != 0) {
        if (state.timeline.follow) state.navigation.left(target);
        state.timeline.follow = false;
        state.timeline.range.move(panned(target, pan * step * 1.2 * target.span_ns()));
    }
    if (zoom != 0) {
        const bool following = state.timeline.follow && context.live();
        state.timeline.range.move(
            zoomed(target, following ? target.end_ns : target.middle_ns(), std::exp(zoom * step * 2.5)));
    }
    state.animating = state.animating || pan != 0 || zoom != 0;
    if (ui::key_pressed('F')) focus(context);
    if (ui::key_pressed(ImGuiKey_Home)) state.fit(context.model());
    if (ui::key_pressed(ImGuiKey_End) || ui::key_pressed(' ')) {
        if (state.timeline.follow && ui::key_pressed(' ')) {
            state.timeline.follow = false;
        } else {
            state.follow();
        }
    }
    if (ui::key_pressed(',')) step_selected(context, -1);
    if (ui::key_pressed('.')) step_selected(context, 1);
}

}  // namespace coroscope::viewer::views
