// Drawing the lanes: loops with their slices, tasks with their phases, and who woke whom.
#include <imgui.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "timeline_parts.hpp"
#include "viewer/layout/describe.hpp"
#include "viewer/layout/run_summary.hpp"
#include "viewer/layout/slices.hpp"
#include "viewer/layout/text.hpp"
#include "viewer/ui/widgets.hpp"

namespace coroscope::viewer::views {

namespace {

namespace color = ui::color;
using ui::px;

constexpr float loop_lane = 40, task_lane = 21, lane_gap = 3;

bool mouse_in(const Lanes& lanes, float y0, float y1) {
    return lanes.hovered && lanes.mouse.y >= std::max(y0, lanes.top) && lanes.mouse.y < std::min(y1, lanes.bottom);
}

// A label inside a bar, from where the bar becomes visible.
void bar_label(const Lanes& lanes, float x0, float x1, float y, float height, std::string_view label, ImU32 paint) {
    const float from = std::max(x0, lanes.axis.left_px) + px(4), to = std::min(x1, lanes.axis.right_px()) - px(3);
    if (to - from < px(14)) return;
    ImGui::PushFont(ui::fonts().small);
    const std::string fits = ui::fitting(label, to - from);
    ui::draw_text(lanes.list, {from, y + (height - ImGui::GetFontSize()) / 2 - 0.5f}, paint, fits);
    ImGui::PopFont();
}

void gutter_name(const Lanes& lanes, float y, float height, std::string_view name, std::string_view more, ImU32 paint, ImU32 dot, bool emphasised) {
    if (emphasised) lanes.list.AddRectFilled({lanes.left, y}, {lanes.axis.left_px, y + height}, ui::with_alpha(color::selection, 0.8f), px(3));
    float x = lanes.left + px(4);
    if (dot != 0) {
        const float r = px(7);
        lanes.list.AddRectFilled({x, y + (height - r) / 2}, {x + r, y + (height + r) / 2}, dot, px(2));
        x += r + px(5);
    }
    const float text_y = y + (height - ImGui::GetFontSize()) / 2 - 0.5f;
    const std::string fits = ui::fitting(name, lanes.axis.left_px - px(6) - x);
    ui::draw_text(lanes.list, {x, text_y}, paint, fits);
    x += ui::text_width(fits) + px(6);
    if (!more.empty() && fits.size() == name.size()) ui::draw_text(lanes.list, {x, text_y}, color::faint, ui::fitting(more, lanes.axis.left_px - px(6) - x));
}

void draw_slice(const Context& context, const Lanes& lanes, const model::Loop& loop, const Bar& bar, float y, float height) {
    const model::Model& model = context.model();
    const model::Slice& slice = loop.slices[bar.first];
    const float x0 = std::max(bar.x0, lanes.axis.left_px - 2), x1 = std::min(bar.x1, lanes.axis.right_px() + 2);
    if (bar.merged()) {
        // As high as the loop was busy, so that a long run looks like its load.
        const RunSummary run = summarise(model, loop, bar);
        const ImU32 paint = run.mostly == 0 ? ui::rgb(0x5b6a80) : ui::coroutine_color(run.mostly);
        const float tall = std::max(px(3), height * static_cast<float>(run.busy));
        lanes.list.AddRectFilled({x0, y + height - tall}, {x1, y + height}, ui::with_alpha(paint, 0.7f));
        lanes.list.AddRectFilled({x0, y + height - 1}, {x1, y + height}, ui::with_alpha(color::bright, 0.25f));
        return;
    }
    const bool selected = slice.task != 0 && slice.task == context.state.task;
    const ImU32 paint = slice.task == 0 ? ui::rgb(0x4a5568) : ui::coroutine_color(coroutine_site(model, slice.task));
    const bool slow = model.slow_step_ns() > 0 && slice.end_ns - slice.begin_ns >= model.slow_step_ns();
    // One px of space to the right, where there is room for it.
    const float right = x1 - x0 > 4 ? x1 - 1 : std::max(x1, x0 + 1);
    lanes.list.AddRectFilled({x0, y}, {right, y + height}, paint, right - x0 > px(8) ? px(3) : 0);
    if (slow) lanes.list.AddRectFilled({x0, y + height - px(4)}, {right, y + height}, color::bad, right - x0 > px(8) ? px(2) : 0);
    if (selected) lanes.list.AddRect({x0 - 0.5f, y - 0.5f}, {right + 0.5f, y + height + 0.5f}, color::bright, px(3), 0, px(1.5f));
    if (right - x0 > px(22)) {
        std::string label = slice.task == 0 ? "callback" : name_of(model, slice.task);
        if (right - x0 > px(150)) {
            const std::string where = place_of(model, slice.began_at);
            label += "  " + duration_text(slice.end_ns - slice.begin_ns);
            if (!where.empty()) label += "  from " + where;
        }
        bar_label(lanes, x0, right, y, slow ? height - px(3) : height, label, color::bright);
    }
}

// Says how many steps a stretch of merged bars stands for.
void label_runs(const Lanes& lanes, const std::vector<Bar>& all, float y) {
    for (std::size_t i = 0; i < all.size();) {
        std::size_t last = i, steps = 0;
        while (last < all.size() && all[last].merged() && (last == i || all[last].x0 - all[last - 1].x1 < px(12))) steps += all[last++].count;
        if (last == i) {
            ++i;
            continue;
        }
        const float x0 = std::max(all[i].x0, lanes.axis.left_px), x1 = std::min(all[last - 1].x1, lanes.axis.right_px());
        const std::string label = full_count_text(steps) + " steps";
        const float width = ui::text_width(label, ui::fonts().small);
        if (x1 - x0 > width + px(24)) {
            const float x = (x0 + x1 - width) / 2;
            lanes.list.AddRectFilled({x - px(4), y + px(1)}, {x + width + px(4), y + px(16)}, ui::with_alpha(color::well, 0.8f), px(3));
            ui::draw_text(lanes.list, {x, y + px(2)}, ui::with_alpha(color::text, 0.8f), label, ui::fonts().small);
        }
        i = last;
    }
}

float draw_loop_lane(const Context& context, Lanes& lanes, const model::Loop& loop, float y) {
    const model::Model& model = context.model();
    const float height = px(loop_lane);
    if (y > lanes.bottom || y + height < lanes.top) return y + height + px(lane_gap);
    std::string_view thread_name;
    for (const model::Thread& thread : model.threads()) {
        if (thread.id == loop.thread) thread_name = thread.name;
    }
    gutter_name(lanes, y, height, "Loop " + std::to_string(loop.id), thread_name, color::text, 0, false);
    lanes.list.PushClipRect({lanes.axis.left_px, lanes.top}, {lanes.axis.right_px(), lanes.bottom}, true);
    lanes.list.AddRectFilled({lanes.axis.left_px, y}, {lanes.axis.right_px(), y + height}, ui::rgb(0xffffff, 7));
    const std::vector<Bar> all = bars(loop.slices, lanes.axis);
    for (const Bar& bar : all) draw_slice(context, lanes, loop, bar, y, height);
    label_runs(lanes, all, y);
    if (loop.open_slice) {
        // It still runs: drawn up to now, with an open end.
        const model::Slice& open = *loop.open_slice;
        const float x0 = std::max(lanes.axis.x(open.begin_ns), lanes.axis.left_px), x1 = lanes.axis.x(model.now_ns());
        if (x1 > x0) {
            lanes.list.AddRectFilled({x0, y}, {x1, y + height}, ui::coroutine_color(coroutine_site(model, open.task)), px(3));
            ui::draw_hatching(lanes.list, {x0, y}, {x1, y + height}, ui::with_alpha(color::bright, 0.25f), px(6));
            bar_label(lanes, x0, x1, y, height, (open.task == 0 ? "callback" : name_of(model, open.task)) + " runs", color::bright);
        }
    }
    lanes.list.PopClipRect();
    if (mouse_in(lanes, y, y + height) && lanes.mouse.x >= lanes.axis.left_px) {
        if (const Bar* bar = bar_at(all, lanes.mouse.x)) {
            lanes.loop = &loop;
            lanes.slice = bar->first;
            lanes.slices = bar->count;
            if (!bar->merged()) lanes.task = loop.slices[bar->first].task;
        }
    }
    return y + height + px(lane_gap);
}

void draw_span(const Context& context, const Lanes& lanes, const Span& span, float y, float height) {
    const float x0 = lanes.axis.x(span.begin_ns), x1 = lanes.axis.x(span.end_ns);
    switch (span.phase) {
        case Phase::suspended: {
            lanes.list.AddRectFilled({x0, y + px(3)}, {x1, y + height - px(3)}, ui::with_alpha(color::suspended, 0.13f));
            lanes.list.AddRectFilled({x0, y + height - px(4)}, {x1, y + height - px(3)}, ui::with_alpha(color::suspended, 0.35f));
            if (x1 - x0 > px(26) && span.node != 0) {
                // The file is cut off before the line is: a part of either would tell nothing.
                const float room = std::min(x1, lanes.axis.right_px()) - std::max(x0, lanes.axis.left_px) - px(8);
                std::string where = place_of(context.model(), span.node);
                if (ui::text_width(where, ui::fonts().small) > room) where.erase(0, std::min(where.rfind(':'), where.size()));
                if (ui::text_width(where, ui::fonts().small) <= room) bar_label(lanes, x0, x1, y, height, where, ui::with_alpha(color::dim, 0.9f));
            }
            return;
        }
        case Phase::ready:
            lanes.list.AddRectFilled({x0, y + px(5)}, {std::max(x1, x0 + 1), y + height - px(5)}, ui::with_alpha(color::ready, 0.75f));
            return;
        case Phase::running: break;
    }
    const float bottom = y + height - px(1), right = std::max(x1, x0 + 1.5f);
    if (span.merged > 1) {
        // As high as it ran in this time; on top of that what it waited for the loop.
        const double whole = std::max(span.end_ns - span.begin_ns, 1.0);
        const float room = height - px(2);
        const float busy = std::max(px(2), room * static_cast<float>(std::min(1.0, span.busy_ns / whole)));
        const float ready = std::min(room - busy, room * static_cast<float>(std::min(1.0, span.ready_ns / whole)));
        lanes.list.AddRectFilled({x0, y + px(3)}, {right, y + height - px(3)}, ui::with_alpha(color::suspended, 0.13f));
        lanes.list.AddRectFilled({x0, bottom - busy}, {right, bottom}, color::running);
        if (ready > 0.5f) lanes.list.AddRectFilled({x0, bottom - busy - ready}, {right, bottom - busy}, color::ready);
        return;
    }
    lanes.list.AddRectFilled({x0, y + px(1)}, {right, bottom}, color::running, x1 - x0 > px(6) ? px(2) : 0);
    if (x1 - x0 > px(40)) {
        bar_label(lanes, x0, x1, y, height, duration_text(static_cast<std::uint64_t>(span.end_ns - span.begin_ns)), ui::rgb(0x06281a));
    }
}

float draw_task_lane(Context& context, Lanes& lanes, const model::Task& task, float y) {
    const model::Model& model = context.model();
    const float height = px(task_lane);
    const float next = y + height + px(lane_gap);
    const TaskSlices* lane = context.derived.lanes().find(task.id);
    if (lane == nullptr || y > lanes.bottom || next < lanes.top) return next;
    const bool selected = task.id == context.state.task;
    const bool in_gutter = mouse_in(lanes, y, y + height) && lanes.mouse.x < lanes.axis.left_px;
    const std::string name = model.task_name(task), coroutine = short_function_text(model.coroutine(task));
    gutter_name(lanes, y, height, name, coroutine == name ? "" : coroutine, selected || in_gutter ? color::bright : color::text,
                ui::coroutine_color(coroutine_site(model, task.id)), selected);
    if (in_gutter) lanes.task = task.id;
    lanes.list.PushClipRect({lanes.axis.left_px, lanes.top}, {lanes.axis.right_px(), lanes.bottom}, true);
    const std::vector<Span> all = spans(model, task, *lane, lanes.axis);
    for (const Span& span : all) draw_span(context, lanes, span, y, height);
    if (task.created_ns != 0) {
        const float x = lanes.axis.x(task.created_ns);
        lanes.list.AddLine({x, y + px(1)}, {x, y + height - px(1)}, color::created, px(2));
    }
    if (task.state == model::State::done && task.done_ns != 0) {
        const float x = lanes.axis.x(task.done_ns);
        lanes.list.AddLine({x, y + px(1)}, {x, y + height - px(1)}, ui::state_color(task.state, task.outcome), px(2));
        if (x + px(20) > lanes.axis.left_px && x < lanes.axis.right_px()) {
            ui::draw_state(lanes.list, {x + px(3), y + px(3)}, height - px(6), task.state, task.outcome);
        }
    }
    lanes.list.PopClipRect();
    if (mouse_in(lanes, y, y + height) && lanes.mouse.x >= lanes.axis.left_px) {
        const double time = lanes.axis.time_ns(lanes.mouse.x);
        for (const Span& span : all) {
            if (time >= span.begin_ns && time <= span.end_ns) lanes.span = span;
        }
        lanes.task = task.id;
    }
    return next;
}

void draw_wakes(const Context& context, const Lanes& lanes, const std::map<model::TaskId, float>& middles, float loop_y) {
    constexpr std::size_t most = 120;
    for (const Wake& wake : wakes(context.derived.lanes(), context.state.task, context.derived.lane_tasks(), lanes.axis.range, most)) {
        const auto from = middles.find(wake.from), to = middles.find(wake.to);
        if (to == middles.end()) continue;
        const ImVec2 a{lanes.axis.x(wake.from_ns), from == middles.end() ? loop_y : from->second};
        const ImVec2 b{lanes.axis.x(wake.to_ns), to->second};
        const ImU32 paint = ui::with_alpha(wake.to == context.state.task ? color::accent : color::ready, 0.85f);
        lanes.list.AddCircleFilled(a, px(2.2f), paint);
        if (b.x - a.x > px(16)) {
            const float bow = std::min((b.x - a.x) * 0.5f, px(40));
            lanes.list.AddBezierCubic(a, {a.x + bow, a.y}, {b.x - bow, b.y}, b, paint, px(1.4f));
            lanes.list.AddTriangleFilled(b, {b.x - px(6), b.y - px(3.5f)}, {b.x - px(6), b.y + px(3.5f)}, paint);
        } else {
            // As good as at once: straight up or down, to the edge of the lane.
            const float direction = b.y > a.y ? 1.0f : -1.0f;
            const ImVec2 tip{b.x, b.y - direction * px(task_lane) / 2};
            lanes.list.AddLine(a, tip, paint, px(1.4f));
            lanes.list.AddTriangleFilled(tip, {tip.x - px(3.5f), tip.y - direction * px(6)}, {tip.x + px(3.5f), tip.y - direction * px(6)}, paint);
        }
    }
}

}  // namespace

float draw_loop_lanes(const Context& context, Lanes& lanes, float y) {
    for (const auto& loop : context.model().loops()) y = draw_loop_lane(context, lanes, *loop, y);
    return y;
}

float draw_task_lanes(Context& context, Lanes& lanes, float y) {
    std::map<model::TaskId, float> middles;
    const float first = y;
    for (const model::TaskId id : context.derived.lane_tasks()) {
        const model::Task* task = context.model().task(id);
        if (task == nullptr) continue;
        middles[id] = y + px(task_lane) / 2;
        y = draw_task_lane(context, lanes, *task, y);
    }
    lanes.list.PushClipRect({lanes.axis.left_px, lanes.top}, {lanes.axis.right_px(), lanes.bottom}, true);
    draw_wakes(context, lanes, middles, first - px(8));
    lanes.list.PopClipRect();
    const std::size_t known = context.derived.tree().tasks();
    if (known > middles.size() && y < lanes.bottom) {
        ui::draw_text(lanes.list, {lanes.left + px(4), y + px(3)}, color::faint,
                      "+ " + full_count_text(known - middles.size()) + " tasks: select one in the tree to see its lane", ui::fonts().small);
        y += px(20);
    }
    return y;
}

}  // namespace coroscope::viewer::views
