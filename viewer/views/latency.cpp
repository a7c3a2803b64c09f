// Loop latency: how long others had to wait for the loop. A column is the longest iteration in its pixel.
#include <imgui.h>

#include <algorithm>
#include <cmath>

#include "agent/words/task.hpp"
#include "agent/words/where.hpp"
#include "proto/words/amount.hpp"
#include "viewer/layout/coroutine.hpp"
#include "viewer/ui/time_ruler.hpp"
#include "viewer/ui/widgets.hpp"
#include "views.hpp"

namespace coroscope::viewer::views {

namespace {

namespace color = ui::color;
using ui::px;

// Lengths on a logarithmic scale from 10 us to what is past both the threshold and the longest.
struct LengthScale {
    double low_ns = 10e3, high_ns = 1e9;
    float top = 0, bottom = 0;

    float y(double length_ns) const {
        const double part = std::log(std::max(length_ns, low_ns) / low_ns) / std::log(high_ns / low_ns);
        return bottom - static_cast<float>(std::clamp(part, 0.0, 1.0)) * (bottom - top);
    }
};

LengthScale length_scale(const model::Model& model, float top, float bottom) {
    LengthScale scale;
    scale.top = top;
    scale.bottom = bottom;
    double longest = static_cast<double>(model.slow_step_ns()) * 2;
    for (const auto& loop : model.loops())
        longest = std::max(longest, static_cast<double>(loop->longest_iteration_ns) * 1.5);
    scale.high_ns = longest;
    return scale;
}

void draw_scale(ImDrawList& list, const LengthScale& scale, const model::Model& model, const TimeAxis& axis,
                float label_right) {
    const double threshold = static_cast<double>(model.slow_step_ns());
    for (double decade = scale.low_ns * 10; decade < scale.high_ns; decade *= 10) {
        const float y = std::floor(scale.y(decade)) + 0.5f;
        list.AddLine({axis.left_px, y}, {axis.right_px(), y}, color::grid);
        if (std::abs(y - scale.y(threshold)) < px(9)) continue;
        const std::string label = words::round_duration(static_cast<std::uint64_t>(std::llround(decade)));
        ui::draw_text(list, {label_right - ui::text_width(label, ui::fonts().small), y - px(7)}, color::faint, label,
                      ui::fonts().small);
    }
    const float y = std::floor(scale.y(threshold)) + 0.5f;
    ui::draw_dashed_line(list, {axis.left_px, y}, {axis.right_px(), y}, ui::with_alpha(color::bad, 0.75f), px(4));
    const std::string label = words::round_duration(model.slow_step_ns());
    ui::draw_text(list, {label_right - ui::text_width(label, ui::fonts().small), y - px(7)}, color::bad, label,
                  ui::fonts().small);
}

struct Hovered {
    const model::Loop* loop = nullptr;
    LatencyColumn column;
};

void tooltip(Context& context, const Hovered& hovered) {
    const model::Model& model = context.model();
    const model::Iteration& iteration = hovered.loop->iterations[hovered.column.longest];
    ui::begin_tooltip();
    ui::text("Loop " + std::to_string(hovered.loop->id) + " at " +
                 since_start(context, static_cast<double>(iteration.begin_ns)),
             color::dim);
    const std::uint64_t length = iteration.end_ns - iteration.begin_ns;
    ImGui::PushFont(ui::fonts().bold);
    ui::text(words::duration(length), ui::latency_color(length, model.slow_step_ns()));
    ImGui::PopFont();
    ImGui::SameLine(0, px(6));
    ui::text("iteration, " + words::full_count(iteration.steps) + (iteration.steps == 1 ? " step" : " steps"),
             color::text);
    const std::vector<Share> shares = composition(*hovered.loop, iteration);
    std::size_t shown = 0;
    for (const Share& share : shares) {
        if (++shown > 6) break;
        const ImVec2 at = ImGui::GetCursorScreenPos();
        const float width =
            px(70) * static_cast<float>(share.busy_ns) / static_cast<float>(std::max<std::uint64_t>(1, length));
        ImGui::Dummy({px(74), ImGui::GetTextLineHeight()});
        ImGui::GetWindowDrawList()->AddRectFilled(
            {at.x, at.y + px(3)}, {at.x + std::max(1.0f, width), at.y + px(13)},
            share.task == 0 ? color::faint : ui::coroutine_color(coroutine_site(model, share.task)), px(2));
        ImGui::SameLine();
        const std::string who = share.task == 0 ? "callbacks" : words::task_name(model, share.task);
        const std::string where = words::place(words::where(model, share.node), "from ");
        ui::text(words::duration(share.busy_ns) + "  " + who +
                 (share.steps > 1 ? ", " + words::short_count(share.steps) + " steps" : "") +
                 (where.empty() ? "" : ", " + where));
    }
    if (shares.size() > 6) ui::text("and " + std::to_string(shares.size() - 6) + " more tasks", color::dim);
    if (hovered.column.count > 1)
        ui::text("The longest of " + words::full_count(hovered.column.count) + " in this column. Click to go there.",
                 color::faint);
    ui::end_tooltip();
}

void jump(Context& context, const Hovered& hovered, double time) {
    if (hovered.loop == nullptr) {
        context.state.jump_to(time, 0);
        return;
    }
    const model::Iteration& iteration = hovered.loop->iterations[hovered.column.longest];
    const TimeRange what{static_cast<double>(iteration.begin_ns), static_cast<double>(iteration.end_ns)};
    context.state.show_range(around(what, 1.0, 1e6));
}

// Bars of one loop's columns; returns the column under the mouse.
Hovered draw_columns(ImDrawList& list, const model::Loop& loop, const IterationIndex& index, const TimeAxis& axis,
                     const LengthScale& scale, std::uint64_t threshold, bool hovered) {
    const std::vector<LatencyColumn> columns = latency_columns(loop, index, axis);
    Hovered result;
    const float mouse = ImGui::GetMousePos().x;
    for (std::size_t i = 0; i < columns.size();) {
        // Neighbours of one iteration are one bar.
        std::size_t last = i + 1;
        while (last < columns.size() && columns[last].longest_ns == columns[i].longest_ns &&
               columns[last].longest == columns[i].longest)
            ++last;
        if (columns[i].longest_ns > 0) {
            const float x0 = axis.left_px + static_cast<float>(i), x1 = axis.left_px + static_cast<float>(last);
            const ImU32 paint = ui::latency_color(columns[i].longest_ns, threshold);
            const float top = std::min(scale.y(static_cast<double>(columns[i].longest_ns)), scale.bottom - 1);
            list.AddRectFilled({x0, top}, {x1, scale.bottom}, ui::with_alpha(paint, 0.62f));
            list.AddRectFilled({x0, top}, {x1, top + px(1.5f)}, paint);
            if (hovered && mouse >= x0 - 1 && mouse < x1 + 1 &&
                (result.loop == nullptr || columns[i].longest_ns > result.column.longest_ns)) {
                result.loop = &loop;
                result.column = columns[i];
            }
        }
        i = last;
    }
    // The iteration that runs now has no end yet: a stalled loop shows at once.
    const auto now = axis.range.end_ns;
    if (loop.running && !loop.polling && loop.iteration_began_ns != 0 &&
        now > static_cast<double>(loop.iteration_began_ns)) {
        const double length = now - static_cast<double>(loop.iteration_began_ns);
        if (length > static_cast<double>(threshold) * 0.1) {
            list.AddRectFilled({axis.x(loop.iteration_began_ns), scale.y(length)}, {axis.x(now), scale.bottom},
                               ui::with_alpha(ui::latency_color(static_cast<std::uint64_t>(length), threshold), 0.5f));
        }
    }
    return result;
}

// A chart of some loops over all of the app's time, with the timeline's range marked. Takes the rest of the panel, or
// `height`.
void chart(Context& context, const char* id, const std::vector<const model::Loop*>& loops, float height) {
    const model::Model& model = context.model();
    const ImVec2 at = ImGui::GetCursorScreenPos();
    const float width = ImGui::GetContentRegionAvail().x;
    const float gutter = px(58), ruler = px(16);
    if (width < gutter + px(40) || height < ruler + px(20)) return;
    ImGui::InvisibleButton(id, {width, height});
    const bool hovered = ImGui::IsItemHovered();
    ImDrawList& list = *ImGui::GetWindowDrawList();
    const TimeAxis axis{history(model), at.x + gutter, std::floor(width - gutter)};
    const LengthScale scale = length_scale(model, at.y + px(2), at.y + height - ruler);
    list.AddRectFilled({axis.left_px, scale.top}, {axis.right_px(), scale.bottom}, color::well, px(3));
    list.PushClipRect(at, {at.x + width, at.y + height}, true);
    draw_scale(list, scale, model, axis, axis.left_px - px(6));
    Hovered under;
    for (const model::Loop* loop : loops) {
        const Hovered one =
            draw_columns(list, *loop, context.derived.iterations(loop->id), axis, scale, model.slow_step_ns(), hovered);
        if (one.loop != nullptr && (under.loop == nullptr || one.column.longest_ns > under.column.longest_ns))
            under = one;
    }
    for (const Tick& tick : ticks(axis, axis.range.begin_ns, px(120))) {
        if (!tick.labelled) continue;
        const float x = axis.x(tick.time_ns);
        list.AddLine({x, scale.bottom}, {x, scale.bottom + px(3)}, color::faint);
        const float label = ui::text_width(tick.label, ui::fonts().small);
        const float left = std::clamp(x - label / 2, axis.left_px, axis.right_px() - label);
        ui::draw_text(list, {left, scale.bottom + px(3)}, color::faint, tick.label, ui::fonts().small);
    }
    // Where the timeline is.
    const TimeRange& shown = context.state.timeline.range.shown();
    const float x0 = std::clamp(axis.x(shown.begin_ns), axis.left_px, axis.right_px());
    const float x1 = std::clamp(axis.x(shown.end_ns), axis.left_px, axis.right_px());
    if (x1 - x0 < axis.width_px - 2) {
        list.AddRectFilled({axis.left_px, scale.top}, {x0, scale.bottom}, ui::rgb(0x0d1117, 130));
        list.AddRectFilled({x1, scale.top}, {axis.right_px(), scale.bottom}, ui::rgb(0x0d1117, 130));
        list.AddRect({x0 - 0.5f, scale.top}, {std::max(x1, x0 + 2) + 0.5f, scale.bottom},
                     ui::with_alpha(color::accent, 0.9f), px(2));
    }
    list.PopClipRect();
    if (hovered && ImGui::GetMousePos().x >= axis.left_px) {
        const float x = ImGui::GetMousePos().x;
        list.AddLine({x, scale.top}, {x, scale.bottom}, ui::with_alpha(color::bright, 0.35f));
        if (under.loop != nullptr) tooltip(context, under);
        if (ImGui::IsItemClicked(ImGuiMouseButton_Left)) jump(context, under, axis.time_ns(x));
    }
}

std::string summary(const model::Model& model) {
    std::uint64_t longest = 0;
    for (const auto& loop : model.loops()) longest = std::max(longest, loop->longest_iteration_ns);
    return "longest iteration " + words::duration(longest) + ", threshold " + words::duration(model.slow_step_ns());
}

std::vector<const model::Loop*> all_loops(const model::Model& model) {
    std::vector<const model::Loop*> loops;
    for (const auto& loop : model.loops()) loops.push_back(loop.get());
    return loops;
}

void histogram(Context& context, float width, float height) {
    const model::Model& model = context.model();
    const std::vector<std::size_t>& counts = context.derived.latency().histogram;
    const ImVec2 at = ImGui::GetCursorScreenPos();
    ImGui::Dummy({width, height});
    ImDrawList& list = *ImGui::GetWindowDrawList();
    const float bottom = at.y + height - px(18), left = at.x + px(4),
                bar = (width - px(8)) / static_cast<float>(LatencyDigest::bins);
    list.AddRectFilled(at, {at.x + width, bottom}, color::well, px(3));
    if (counts.empty() || *std::max_element(counts.begin(), counts.end()) == 0) {
        ui::draw_text(list, {at.x + px(10), at.y + px(8)}, color::dim, "No iteration yet.");
        return;
    }
    const double most = std::log10(static_cast<double>(*std::max_element(counts.begin(), counts.end())) + 1);
    for (std::size_t i = 0; i < counts.size(); ++i) {
        const float x = left + static_cast<float>(i) * bar;
        const double low_ns = 1e3 * std::pow(10.0, static_cast<double>(i) / LatencyDigest::bins_per_decade);
        if (i % LatencyDigest::bins_per_decade == 0) {
            list.AddLine({x, at.y}, {x, bottom + px(3)}, color::grid);
            const std::string label = words::round_duration(static_cast<std::uint64_t>(std::llround(low_ns)));
            ui::draw_text(list, {std::max(at.x, x - px(10)), bottom + px(3)}, color::faint, label, ui::fonts().small);
        }
        if (counts[i] == 0) continue;
        const float tall = std::max(px(2), static_cast<float>(std::log10(static_cast<double>(counts[i]) + 1) / most) *
                                               (bottom - at.y - px(20)));
        const ImU32 paint = ui::latency_color(static_cast<std::uint64_t>(low_ns), model.slow_step_ns());
        list.AddRectFilled({x + 1, bottom - tall}, {x + bar - 1, bottom}, ui::with_alpha(paint, 0.7f), px(2));
        const std::string label = words::short_count(counts[i]);
        const float label_width = ui::text_width(label, ui::fonts().small);
        if (label_width < bar + px(4))
            ui::draw_text(list, {x + (bar - label_width) / 2, bottom - tall - px(15)}, color::dim, label,
                          ui::fonts().small);
    }
}

void longest_row(Context& context, const LongIteration& one, int index) {
    const model::Model& model = context.model();
    ImGui::TableNextRow();
    ImGui::TableNextColumn();
    ImGui::PushID(index);
    if (ImGui::Selectable("##row", false, ImGuiSelectableFlags_SpanAllColumns)) {
        context.state.show_range(
            around({static_cast<double>(one.iteration.begin_ns), static_cast<double>(one.iteration.end_ns)}, 1.0, 1e6));
        if (one.mostly.task != 0) context.state.select(model, one.mostly.task);
        context.state.view = &all_views().front();  // has the timeline of that time
    }
    ImGui::PopID();
    ImGui::SameLine(0, 0);
    const std::uint64_t length = one.iteration.end_ns - one.iteration.begin_ns;
    ui::number(words::duration(length), ui::latency_color(length, model.slow_step_ns()));
    ImGui::TableNextColumn();
    ui::number(since_start(context, static_cast<double>(one.iteration.begin_ns)));
    ImGui::TableNextColumn();
    ui::number(std::to_string(one.loop));
    ImGui::TableNextColumn();
    ui::number(words::full_count(one.iteration.steps));
    ImGui::TableNextColumn();
    ui::text(one.mostly.task == 0 ? "callbacks" : words::task_name(model, one.mostly.task));
    ImGui::SameLine(0, px(6));
    ui::text(words::duration(one.mostly.busy_ns), color::dim);
    ImGui::SameLine(0, px(6));
    ui::text(words::place(words::where(model, one.mostly.node)), color::link);
}

void longest_list(Context& context) {
    const ImGuiTableFlags flags = ImGuiTableFlags_RowBg | ImGuiTableFlags_ScrollY | ImGuiTableFlags_SizingFixedFit |
                                  ImGuiTableFlags_BordersInnerV;
    if (!ImGui::BeginTable("longest", 5, flags)) return;
    ImGui::TableSetupScrollFreeze(0, 1);
    ImGui::TableSetupColumn("Length", 0, px(80));
    ImGui::TableSetupColumn("At", 0, px(100));
    ImGui::TableSetupColumn("Loop", 0, px(50));
    ImGui::TableSetupColumn("Steps", 0, px(60));
    ImGui::TableSetupColumn("Mostly", ImGuiTableColumnFlags_WidthStretch);
    ImGui::TableHeadersRow();
    const std::vector<LongIteration>& longest = context.derived.latency().longest;
    for (std::size_t i = 0; i < longest.size(); ++i) longest_row(context, longest[i], static_cast<int>(i));
    ImGui::EndTable();
}

}  // namespace

void draw_latency_strip(Context& context, const Box& box) {
    ui::begin_panel("latency", box);
    ui::panel_title("Loop latency", summary(context.model()));
    chart(context, "##strip", all_loops(context.model()), ImGui::GetContentRegionAvail().y);
    ui::end_panel();
}

// A strip for each loop, the histogram, the longest iterations.
void draw_latency(Context& context, const Box& box) {
    const model::Model& model = context.model();
    ui::begin_panel("latency", box);
    ui::panel_title("Loop latency", summary(model));
    const std::vector<const model::Loop*> loops = all_loops(model);
    const float room = ImGui::GetContentRegionAvail().y;
    const auto strips = static_cast<float>(std::clamp<std::size_t>(loops.size(), 1, 4));
    const float height = std::max(px(90), room * 0.5f / strips);
    for (std::size_t i = 0; i < loops.size() && i < 4; ++i) {
        ImGui::PushID(static_cast<int>(i));
        if (loops.size() > 1) ui::text("Loop " + std::to_string(loops[i]->id), color::dim);
        chart(context, "##chart", {loops[i]}, height - px(loops.size() > 1 ? 22 : 0));
        ImGui::PopID();
    }
    ImGui::Spacing();
    const float width = ImGui::GetContentRegionAvail().x;
    ImGui::BeginChild("histogram", {width * 0.45f, 0});
    ImGui::PushFont(ui::fonts().bold);
    ui::text("Iterations by length");
    ImGui::PopFont();
    histogram(context, ImGui::GetContentRegionAvail().x, ImGui::GetContentRegionAvail().y);
    ImGui::EndChild();
    ImGui::SameLine(0, px(14));
    ImGui::BeginChild("longest", {0, 0});
    ImGui::PushFont(ui::fonts().bold);
    ui::text("The longest");
    ImGui::PopFont();
    longest_list(context);
    ImGui::EndChild();
    ui::end_panel();
}

}  // namespace coroscope::viewer::views
