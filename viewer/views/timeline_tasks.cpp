// The tasks' lanes: when each ran, was ready, was suspended and where; lanes that many tasks share; and who woke whom.
#include <imgui.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "agent/words/task.hpp"
#include "agent/words/where.hpp"
#include "proto/words/amount.hpp"
#include "proto/words/function_name.hpp"
#include "timeline_parts.hpp"
#include "viewer/layout/coroutine.hpp"
#include "viewer/layout/run_summary.hpp"
#include "viewer/layout/slices.hpp"
#include "viewer/ui/widgets.hpp"

namespace coroscope::viewer::views {

namespace {

namespace color = ui::color;
using ui::px;

constexpr float task_lane = 21;

void draw_span(const Context& context, const LaneArea& area, const Span& span, float y, float height) {
    const float x0 = area.axis.x(span.begin_ns), x1 = area.axis.x(span.end_ns);
    switch (span.phase) {
        case Phase::suspended: {
            area.list.AddRectFilled({x0, y + px(3)}, {x1, y + height - px(3)}, ui::with_alpha(color::suspended, 0.13f));
            area.list.AddRectFilled({x0, y + height - px(4)}, {x1, y + height - px(3)},
                                    ui::with_alpha(color::suspended, 0.35f));
            if (x1 - x0 > px(26) && span.node != 0) {
                // The file is cut off before the line is: a part of either would tell nothing.
                const float room = std::min(x1, area.axis.right_px()) - std::max(x0, area.axis.left_px) - px(8);
                std::string where = words::place(words::where(context.model(), span.node));
                if (ui::text_width(where, ui::fonts().small) > room)
                    where.erase(0, std::min(where.rfind(':'), where.size()));
                if (ui::text_width(where, ui::fonts().small) <= room)
                    bar_label(area, x0, x1, y, height, where, ui::with_alpha(color::dim, 0.9f));
            }
            return;
        }
        case Phase::ready:
            area.list.AddRectFilled({x0, y + px(5)}, {std::max(x1, x0 + 1), y + height - px(5)},
                                    ui::with_alpha(color::ready, 0.75f));
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
        area.list.AddRectFilled({x0, y + px(3)}, {right, y + height - px(3)}, ui::with_alpha(color::suspended, 0.13f));
        area.list.AddRectFilled({x0, bottom - busy}, {right, bottom}, color::running);
        if (ready > 0.5f) area.list.AddRectFilled({x0, bottom - busy - ready}, {right, bottom - busy}, color::ready);
        return;
    }
    area.list.AddRectFilled({x0, y + px(1)}, {right, bottom}, color::running, x1 - x0 > px(6) ? px(2) : 0);
    if (x1 - x0 > px(40)) {
        bar_label(area, x0, x1, y, height, words::duration(static_cast<std::uint64_t>(span.end_ns - span.begin_ns)),
                  ui::rgb(0x06281a));
    }
}

Drawn draw_task_lane(const Context& context, const LaneArea& area, const model::Task& task, float y) {
    const model::Model& model = context.model();
    const float height = px(task_lane);
    Drawn drawn{y + height + lane_gap(), {}};
    const TaskSlices* lane = context.derived.lanes().find(task.id);
    if (lane == nullptr || y > area.bottom || drawn.next_y < area.top) return drawn;
    const bool selected = task.id == context.state.task;
    const bool in_gutter = mouse_in(area, y, y + height) && area.mouse.x < area.axis.left_px;
    const std::string name = model.task_name(task), coroutine = words::short_coroutine(model, task);
    gutter_name(area, y, height, name, coroutine == name ? "" : coroutine,
                selected || in_gutter ? color::bright : color::text,
                ui::coroutine_color(coroutine_site(model, task.id)), selected);
    if (in_gutter) drawn.hit = Hit{.task = task.id};
    area.list.PushClipRect({area.axis.left_px, area.top}, {area.axis.right_px(), area.bottom}, true);
    const std::vector<Span> all = spans(model, task, *lane, area.axis);
    for (const Span& span : all) draw_span(context, area, span, y, height);
    if (task.created_ns != 0) {
        const float x = area.axis.x(task.created_ns);
        area.list.AddLine({x, y + px(1)}, {x, y + height - px(1)}, color::created, px(2));
    }
    if (task.state == model::State::done && task.done_ns != 0) {
        const float x = area.axis.x(task.done_ns);
        area.list.AddLine({x, y + px(1)}, {x, y + height - px(1)}, ui::state_color(task.state, task.outcome), px(2));
        if (x + px(20) > area.axis.left_px && x < area.axis.right_px()) {
            ui::draw_state(area.list, {x + px(3), y + px(3)}, height - px(6), task.state, task.outcome);
        }
    }
    area.list.PopClipRect();
    if (mouse_in(area, y, y + height) && area.mouse.x >= area.axis.left_px) {
        const double time = area.axis.time_ns(area.mouse.x);
        drawn.hit = Hit{.task = task.id};
        for (const Span& span : all) {
            if (time >= span.begin_ns && time <= span.end_ns) drawn.hit->span = span;
        }
    }
    if (auto mark = draw_marks(context, area, task.id, y, height)) drawn.hit = std::move(mark);
    return drawn;
}

// All tasks of one creation site in one lane: their steps, and how busy they were together.
Drawn draw_group_lane(const Context& context, const LaneArea& area, const Lane& lane, float y) {
    const model::Model& model = context.model();
    const float height = px(task_lane);
    Drawn drawn{y + height + lane_gap(), {}};
    const TaskSlices* group = context.derived.lanes().find_group(lane.root);
    if (group == nullptr || y > area.bottom || drawn.next_y < area.top) return drawn;
    const model::Node* node = model.node(lane.root);
    const ImU32 dot = ui::coroutine_color(node == nullptr ? 0 : node->site);
    const model::Site* site = model.site_of(lane.root);
    const std::string name = (site == nullptr ? "?" : words::short_function_name(site->function)) + " \xc3\x97 " +
                             words::short_count(lane.tasks);
    gutter_name(area, y, height, name, "", color::text, dot, false);
    area.list.PushClipRect({area.axis.left_px, area.top}, {area.axis.right_px(), area.bottom}, true);
    area.list.AddRectFilled({area.axis.left_px, y + px(3)}, {area.axis.right_px(), y + height - px(3)},
                            ui::with_alpha(color::suspended, 0.07f));
    const std::vector<Bar> all = bars(group->slices, area.axis);
    for (const Bar& bar : all) {
        const float bottom = y + height - px(1);
        const float tall =
            bar.merged()
                ? std::max(px(2), (height - px(2)) * static_cast<float>(summarise(model, group->slices, bar).busy))
                : height - px(2);
        area.list.AddRectFilled({bar.x0, bottom - tall}, {std::max(bar.x1, bar.x0 + 1.5f), bottom}, color::running,
                                bar.x1 - bar.x0 > px(6) ? px(2) : 0);
        if (!bar.merged() && bar.x1 - bar.x0 > px(40))
            bar_label(area, bar.x0, bar.x1, y, height, words::task_name(model, group->slices[bar.first].task),
                      ui::rgb(0x06281a));
    }
    area.list.PopClipRect();
    if (mouse_in(area, y, y + height) && area.mouse.x >= area.axis.left_px) {
        if (const Bar* bar = bar_at(all, area.mouse.x)) {
            drawn.hit = Hit{.group = group, .first = bar->first, .slices = bar->count};
            if (!bar->merged()) drawn.hit->task = group->slices[bar->first].task;
        }
    }
    return drawn;
}

void draw_wakes(const Context& context, const LaneArea& area, const std::map<model::TaskId, float>& middles,
                float loop_y) {
    constexpr std::size_t most = 120;
    for (const Wake& wake :
         wakes(context.derived.lanes(), context.state.task, context.derived.shown_lanes(), area.axis.range, most)) {
        const auto from = middles.find(wake.from), to = middles.find(wake.to);
        if (to == middles.end()) continue;
        const ImVec2 a{area.axis.x(wake.from_ns), from == middles.end() ? loop_y : from->second};
        const ImVec2 b{area.axis.x(wake.to_ns), to->second};
        const ImU32 paint = ui::with_alpha(wake.to == context.state.task ? color::accent : color::ready, 0.85f);
        area.list.AddCircleFilled(a, px(2.2f), paint);
        if (b.x - a.x > px(16)) {
            const float bow = std::min((b.x - a.x) * 0.5f, px(40));
            area.list.AddBezierCubic(a, {a.x + bow, a.y}, {b.x - bow, b.y}, b, paint, px(1.4f));
            area.list.AddTriangleFilled(b, {b.x - px(6), b.y - px(3.5f)}, {b.x - px(6), b.y + px(3.5f)}, paint);
        } else {
            // As good as at once: straight up or down, to the edge of the lane.
            const float direction = b.y > a.y ? 1.0f : -1.0f;
            const ImVec2 tip{b.x, b.y - direction * px(task_lane) / 2};
            area.list.AddLine(a, tip, paint, px(1.4f));
            area.list.AddTriangleFilled(tip, {tip.x - px(3.5f), tip.y - direction * px(6)},
                                        {tip.x + px(3.5f), tip.y - direction * px(6)}, paint);
        }
    }
}

}  // namespace

Drawn draw_task_lanes(const Context& context, const LaneArea& area, float y) {
    std::map<model::TaskId, float> middles;
    Drawn drawn{y, {}};
    std::size_t shown = 0;
    for (const Lane& lane : context.derived.shown_lanes()) {
        shown += lane.tasks;
        if (lane.group()) {
            drawn.add(draw_group_lane(context, area, lane, drawn.next_y));
        } else if (const model::Task* task = context.model().task(lane.task)) {
            middles[lane.task] = drawn.next_y + px(task_lane) / 2;
            drawn.add(draw_task_lane(context, area, *task, drawn.next_y));
            drawn.add(draw_spans(context, area, lane.task, drawn.next_y));
        }
    }
    area.list.PushClipRect({area.axis.left_px, area.top}, {area.axis.right_px(), area.bottom}, true);
    draw_wakes(context, area, middles, y - px(8));
    area.list.PopClipRect();
    const std::size_t known = context.derived.tree().tasks();
    if (known > shown && drawn.next_y < area.bottom) {
        ui::draw_text(area.list, {area.left + px(4), drawn.next_y + px(3)}, color::faint,
                      "+ " + words::full_count(known - shown) + " more tasks", ui::fonts().small);
        drawn.next_y += px(20);
    }
    return drawn;
}

}  // namespace coroscope::viewer::views
