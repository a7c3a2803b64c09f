// The bar at the top: app, views, what to do; and the one at the bottom: source, time, losses.
#include <imgui.h>

#include <algorithm>
#include <cmath>

#include "agent/words/task.hpp"
#include "proto/words/amount.hpp"
#include "viewer/ui/widgets.hpp"
#include "views.hpp"

namespace coroscope::viewer::views {

namespace {

namespace color = ui::color;
using ui::px;

// Two interleaved arcs: one task, and the one that waits for it.
void logo(ImDrawList& list, ImVec2 at, float size) {
    const ImVec2 m{at.x + size / 2, at.y + size / 2};
    const float r = size * 0.42f, line = size * 0.13f;
    list.PathArcTo(m, r, 0.4f, 3.6f, 24);
    list.PathStroke(color::accent, 0, line);
    list.PathArcTo(m, r * 0.52f, 3.5f, 6.9f, 20);
    list.PathStroke(color::running, 0, line);
    list.AddCircleFilled({m.x + r * std::cos(0.4f), m.y + r * std::sin(0.4f)}, line * 0.85f, color::accent, 12);
    list.AddCircleFilled({m.x + r * 0.52f * std::cos(3.5f), m.y + r * 0.52f * std::sin(3.5f)}, line * 0.85f,
                         color::running, 12);
}

std::string app_label(const model::App& app) { return app.name + "  " + std::to_string(app.pid); }

void connection_dot(const model::App& app, bool live) {
    const float line = ImGui::GetTextLineHeight();
    const ImVec2 at = ui::text_cursor();
    ImGui::Dummy({line * 0.7f, line});
    const ImU32 paint = app.connected && live ? color::good : app.orderly || !live ? color::done : color::bad;
    ImGui::GetWindowDrawList()->AddCircleFilled({at.x + line * 0.3f, at.y + line / 2}, px(4), paint, 12);
    ImGui::SameLine(0, px(2));
}

void app_choice(Context& context) {
    if (context.app == nullptr) {
        ImGui::AlignTextToFramePadding();
        ui::text("no app", color::dim);
        return;
    }
    ImGui::AlignTextToFramePadding();
    connection_dot(*context.app, context.source.live);
    ImGui::SetNextItemWidth(std::min(px(260), ui::text_width(app_label(*context.app)) + px(52)));
    if (!ImGui::BeginCombo("##app", app_label(*context.app).c_str())) return;
    for (const auto& [key, app] : context.session.apps()) {
        ImGui::PushID(static_cast<int>(key));
        connection_dot(app, context.source.live);
        const std::size_t problems = context.derived.problems_of(key);
        std::string label = app_label(app) + "   " + words::full_count(app.model.live_tasks().size()) + " tasks";
        if (problems > 0) label += ", " + words::full_count(problems) + (problems == 1 ? " problem" : " problems");
        if (ImGui::Selectable(label.c_str(), key == context.state.app)) context.state.choose_app(key);
        ImGui::PopID();
    }
    ImGui::EndCombo();
}

void view_buttons(Context& context) {
    for (const View& view : all_views()) {
        const bool on = context.state.view == &view;
        ImGui::PushStyleColor(ImGuiCol_Button, on ? ui::vec(color::raised) : ImVec4(0, 0, 0, 0));
        ImGui::PushStyleColor(ImGuiCol_Text, on ? ui::vec(color::bright) : ui::vec(color::dim));
        const std::size_t count = view.count == nullptr ? 0 : view.count(context);
        std::string label(view.title);
        if (count > 0) label += "  " + words::short_count(count);
        label += "###" + std::string(view.name);
        if (ImGui::Button(label.c_str())) context.state.view = &view;
        ImGui::PopStyleColor(2);
        if (on) {
            const ImVec2 from = ImGui::GetItemRectMin(), to = ImGui::GetItemRectMax();
            ImGui::GetWindowDrawList()->AddRectFilled({from.x + px(6), to.y - px(2)}, {to.x - px(6), to.y},
                                                      color::accent, px(1));
        }
        ImGui::SameLine(0, px(2));
    }
}

void separator(float gap) {
    ImGui::SameLine(0, gap);
    ui::text("|", color::faint);
    ImGui::SameLine(0, gap);
}

}  // namespace

void draw_top_bar(Context& context, const Box& box) {
    ImGui::SetCursorPos({box.x, box.y});
    ImGui::BeginChild("top", {box.width, box.height}, false,
                      ImGuiWindowFlags_NoScrollbar | ImGuiWindowFlags_NoScrollWithMouse);
    const float frame = ImGui::GetFrameHeight();
    ImGui::SetCursorPos({px(4), (box.height - frame) / 2});
    const ImVec2 at = ImGui::GetCursorScreenPos();
    logo(*ImGui::GetWindowDrawList(), at, frame);
    ImGui::Dummy({frame, frame});
    ImGui::SameLine(0, px(6));
    ImGui::AlignTextToFramePadding();
    ImGui::PushFont(ui::fonts().bold);
    ui::text("coroscope", color::bright);
    ImGui::PopFont();
    ImGui::SameLine(0, px(16));
    app_choice(context);
    ImGui::SameLine(0, px(16));
    view_buttons(context);
    const float padding = 2 * ImGui::GetStyle().FramePadding.x;
    const float buttons = ui::text_width("Find task") + ui::text_width("?") + 2 * padding + px(4);
    ui::to_the_right(buttons + px(4));
    if (ImGui::Button("Find task")) context.state.find_open = true;
    if (ImGui::IsItemHovered()) ImGui::SetTooltip("Ctrl+P");
    ImGui::SameLine(0, px(4));
    if (ImGui::Button("?")) context.state.help_open = !context.state.help_open;
    if (ImGui::IsItemHovered()) ImGui::SetTooltip("Keys and mouse");
    ImGui::EndChild();
}

void draw_status_bar(Context& context, const Box& box) {
    const SourceInfo& source = context.source;
    ImGui::SetCursorPos({box.x, box.y});
    ImGui::BeginChild("status", {box.width, box.height}, false,
                      ImGuiWindowFlags_NoScrollbar | ImGuiWindowFlags_NoScrollWithMouse);
    ImGui::PushFont(ui::fonts().small);
    ImGui::SetCursorPos({px(6), (box.height - ImGui::GetTextLineHeight()) / 2});
    const ImU32 mood = source.mood == SourceInfo::Mood::good      ? color::good
                       : source.mood == SourceInfo::Mood::warning ? color::warning
                       : source.mood == SourceInfo::Mood::failed  ? color::bad
                                                                  : color::dim;
    const ImVec2 at = ImGui::GetCursorScreenPos();
    ImGui::GetWindowDrawList()->AddCircleFilled({at.x + px(4), at.y + ImGui::GetTextLineHeight() / 2}, px(4), mood, 12);
    ImGui::Dummy({px(10), 1});
    ImGui::SameLine(0, px(4));
    ui::text(source.phase, mood);
    ImGui::SameLine(0, px(8));
    ui::text(source.name, color::text);
    if (!source.message.empty()) {
        ImGui::SameLine(0, px(8));
        ui::text(source.message, color::warning);
    }
    if (context.live()) {
        separator(px(8));
        ui::text(context.state.timeline.follow ? "following" : "paused (Space follows again)",
                 context.state.timeline.follow ? color::good : color::warning);
    }
    if (context.app != nullptr) {
        const model::Model& model = context.model();
        const std::uint64_t lost = model.dropped();
        std::string right = words::duration(model.now_ns() - model.first_ns()) + " covered    " +
                            words::full_count(model.events()) + " events";
        if (context.source.live)
            right += "    " + words::short_count(static_cast<std::uint64_t>(context.derived.events_per_s())) + "/s";
        const std::string drops = lost == 0 ? "no drops" : words::full_count(lost) + " dropped";
        ui::to_the_right(ui::text_width(right) + ui::text_width(drops) + px(26));
        ui::text(right, color::dim);
        ImGui::SameLine(0, px(16));
        ui::text(drops, lost == 0 ? color::dim : color::bad);
    }
    ImGui::PopFont();
    ImGui::EndChild();
}

}  // namespace coroscope::viewer::views
