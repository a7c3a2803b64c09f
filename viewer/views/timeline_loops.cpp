// The loops' lanes: what each loop ran when; and what both kinds of lanes are drawn with.
#include <imgui.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "agent/words/task.hpp"
#include "agent/words/where.hpp"
#include "proto/words/amount.hpp"
#include "timeline_parts.hpp"
#include "viewer/layout/coroutine.hpp"
#include "viewer/layout/run_summary.hpp"
#include "viewer/layout/slices.hpp"
#include "viewer/ui/widgets.hpp"

namespace coroscope::viewer::views {

namespace color = ui::color;
using ui::px;

void Drawn::add(Drawn below) {
    next_y = below.next_y;
    if (below.hit) hit = std::move(below.hit);
}

bool mouse_in(const LaneArea& area, float y0, float y1) {
    return area.hovered && area.mouse.y >= std::max(y0, area.top) && area.mouse.y < std::min(y1, area.bottom);
}

void bar_label(const LaneArea& area, float x0, float x1, float y, float height, std::string_view label, ImU32 paint) {
    const float from = std::max(x0, area.axis.left_px) + px(4), to = std::min(x1, area.axis.right_px()) - px(3);
    if (to - from < px(14)) return;
    ImGui::PushFont(ui::fonts().small);
    const std::string fits = ui::fitting(label, to - from);
    ui::draw_text(area.list, {from, y + (height - ImGui::GetFontSize()) / 2 - 0.5f}, paint, fits);
    ImGui::PopFont();
}

void gutter_name(const LaneArea& area, float y, float height, std::string_view name, std::string_view more, ImU32 paint,
                 ImU32 dot, bool emphasised) {
    if (emphasised)
        area.list.AddRectFilled({area.left, y}, {area.axis.left_px, y + height}, ui::with_alpha(color::selection, 0.8f),
                                px(3));
    float x = area.left + px(4);
    if (dot != 0) {
        const float r = px(7);
        area.list.AddRectFilled({x, y + (height - r) / 2}, {x + r, y + (height + r) / 2}, dot, px(2));
        x += r + px(5);
    }
    const float text_y = y + (height - ImGui::GetFontSize()) / 2 - 0.5f;
    const std::string fits = ui::fitting(name, area.axis.left_px - px(6) - x);
    ui::draw_text(area.list, {x, text_y}, paint, fits);
    x += ui::text_width(fits) + px(6);
    if (!more.empty() && fits.size() == name.size())
        ui::draw_text(area.list, {x, text_y}, color::faint, ui::fitting(more, area.axis.left_px - px(6) - x));
}

namespace {

constexpr float loop_lane = 40;

void draw_slice(const Context& context, const LaneArea& area, const model::Loop& loop, const Bar& bar, float y,
                float height) {
    const model::Model& model = context.model();
    const model::Slice& slice = loop.slices[bar.first];
    const float x0 = std::max(bar.x0, area.axis.left_px - 2), x1 = std::min(bar.x1, area.axis.right_px() + 2);
    if (bar.merged()) {
        // As high as the loop was busy, so that a long run looks like its load.
        const RunSummary run = summarise(model, loop.slices, bar);
        const ImU32 paint = run.mostly == 0 ? ui::rgb(0x5b6a80) : ui::coroutine_color(run.mostly);
        const float tall = std::max(px(3), height * static_cast<float>(run.busy));
        area.list.AddRectFilled({x0, y + height - tall}, {x1, y + height}, ui::with_alpha(paint, 0.7f));
        area.list.AddRectFilled({x0, y + height - 1}, {x1, y + height}, ui::with_alpha(color::bright, 0.25f));
        return;
    }
    const bool selected = slice.task != 0 && slice.task == context.state.task;
    const ImU32 paint = slice.task == 0 ? ui::rgb(0x4a5568) : ui::coroutine_color(coroutine_site(model, slice.task));
    const bool slow = model.slow_step_ns() > 0 && slice.end_ns - slice.begin_ns >= model.slow_step_ns();
    // One px of space to the right, where there is room for it.
    const float right = x1 - x0 > 4 ? x1 - 1 : std::max(x1, x0 + 1);
    area.list.AddRectFilled({x0, y}, {right, y + height}, paint, right - x0 > px(8) ? px(3) : 0);
    if (slow)
        area.list.AddRectFilled({x0, y + height - px(4)}, {right, y + height}, color::bad,
                                right - x0 > px(8) ? px(2) : 0);
    if (selected)
        area.list.AddRect({x0 - 0.5f, y - 0.5f}, {right + 0.5f, y + height + 0.5f}, color::bright, px(3), 0, px(1.5f));
    if (right - x0 > px(22)) {
        std::string label = slice.task == 0 ? "callback" : words::task_name(model, slice.task);
        if (right - x0 > px(150)) {
            const std::string where = words::place(words::where(model, slice.began_at), "from ");
            label += "  " + words::duration(slice.end_ns - slice.begin_ns);
            if (!where.empty()) label += "  " + where;
        }
        bar_label(area, x0, right, y, slow ? height - px(3) : height, label, color::bright);
    }
}

// Says how many steps a stretch of merged bars stands for.
void label_runs(const LaneArea& area, const std::vector<Bar>& all, float y) {
    for (std::size_t i = 0; i < all.size();) {
        std::size_t last = i, steps = 0;
        while (last < all.size() && all[last].merged() && (last == i || all[last].x0 - all[last - 1].x1 < px(12)))
            steps += all[last++].count;
        if (last == i) {
            ++i;
            continue;
        }
        const float x0 = std::max(all[i].x0, area.axis.left_px), x1 = std::min(all[last - 1].x1, area.axis.right_px());
        const std::string label = words::full_count(steps) + " steps";
        const float width = ui::text_width(label, ui::fonts().small);
        if (x1 - x0 > width + px(24)) {
            const float x = (x0 + x1 - width) / 2;
            area.list.AddRectFilled({x - px(4), y + px(1)}, {x + width + px(4), y + px(16)},
                                    ui::with_alpha(color::well, 0.8f), px(3));
            ui::draw_text(area.list, {x, y + px(2)}, ui::with_alpha(color::text, 0.8f), label, ui::fonts().small);
        }
        i = last;
    }
}

Drawn draw_loop_lane(const Context& context, const LaneArea& area, const model::Loop& loop, float y) {
    const model::Model& model = context.model();
    const float height = px(loop_lane);
    Drawn drawn{y + height + lane_gap(), {}};
    if (y > area.bottom || y + height < area.top) return drawn;
    std::string_view thread_name;
    for (const model::Thread& thread : model.threads()) {
        if (thread.id == loop.thread) thread_name = thread.name;
    }
    gutter_name(area, y, height, "Loop " + std::to_string(loop.id), thread_name, color::text, 0, false);
    area.list.PushClipRect({area.axis.left_px, area.top}, {area.axis.right_px(), area.bottom}, true);
    area.list.AddRectFilled({area.axis.left_px, y}, {area.axis.right_px(), y + height}, ui::rgb(0xffffff, 7));
    const std::vector<Bar> all = bars(loop.slices, area.axis);
    for (const Bar& bar : all) draw_slice(context, area, loop, bar, y, height);
    label_runs(area, all, y);
    if (loop.open_slice) {
        // It still runs: drawn up to now, with an open end.
        const model::Slice& open = *loop.open_slice;
        const float x0 = std::max(area.axis.x(open.begin_ns), area.axis.left_px), x1 = area.axis.x(model.now_ns());
        if (x1 > x0) {
            area.list.AddRectFilled({x0, y}, {x1, y + height}, ui::coroutine_color(coroutine_site(model, open.task)),
                                    px(3));
            ui::draw_hatching(area.list, {x0, y}, {x1, y + height}, ui::with_alpha(color::bright, 0.25f), px(6));
            bar_label(area, x0, x1, y, height,
                      (open.task == 0 ? "callback" : words::task_name(model, open.task)) + " runs", color::bright);
        }
    }
    area.list.PopClipRect();
    if (mouse_in(area, y, y + height) && area.mouse.x >= area.axis.left_px) {
        if (const Bar* bar = bar_at(all, area.mouse.x)) {
            drawn.hit = Hit{.loop = &loop, .first = bar->first, .slices = bar->count};
            if (!bar->merged()) drawn.hit->task = loop.slices[bar->first].task;
        }
    }
    return drawn;
}

}  // namespace

Drawn draw_loop_lanes(const Context& context, const LaneArea& area, float y) {
    Drawn drawn{y, {}};
    for (const auto& loop : context.model().loops()) drawn.add(draw_loop_lane(context, area, *loop, drawn.next_y));
    return drawn;
}

}  // namespace coroscope::viewer::views
