// The whole window: bars, the chosen view, overlays, and the keys that hold everywhere.
#include <imgui.h>

#include <algorithm>
#include <cmath>

#include "viewer/ui/keys.hpp"
#include "viewer/ui/widgets.hpp"
#include "views.hpp"

namespace coroscope::viewer::views {

namespace {

namespace color = ui::color;
using ui::px;

void dashboard(Context& context, const Box& area) {
    Splits& splits = context.state.splits;
    const Panes all = panes(area, splits, px(110));
    draw_tasks(context, all.tasks);
    draw_latency_strip(context, all.latency);
    draw_timeline(context, all.timeline);
    draw_bottom_tabs(context, all.bottom);
    ui::splitter("##left", {all.tasks.x + all.tasks.width, area.y, splitter_px, area.height}, true, area.width,
                 splits.left);
    ui::splitter("##latency", {all.latency.x, all.latency.y + all.latency.height, all.latency.width, splitter_px},
                 false, area.height, splits.latency);
    ui::splitter("##timeline", {all.timeline.x, all.timeline.y + all.timeline.height, all.timeline.width, splitter_px},
                 false, area.height, splits.timeline);
}

void draw_view(Context& context, const Box& area) {
    switch (context.state.view) {
        case View::dashboard: return dashboard(context, area);
        case View::tasks: return draw_tasks(context, area);
        case View::timeline: return draw_timeline(context, area);
        case View::latency: return draw_latency(context, area);
        case View::problems: return draw_problems(context, area);
        case View::detail: {
            // A task's story needs its time, too.
            const float upper = std::floor(area.height * 0.42f);
            draw_detail(context, {area.x, area.y, area.width, upper});
            return draw_timeline(context,
                                 {area.x, area.y + upper + splitter_px, area.width, area.height - upper - splitter_px});
        }
        case View::health: return draw_health(context, area);
    }
}

// The innermost thing that is open is closed.
void escape(ViewState& state) {
    if (state.find_open) {
        state.find_open = false;
    } else if (state.help_open) {
        state.help_open = false;
    } else if (state.timeline.measure) {
        state.timeline.measure.reset();
    } else if (!state.tree.filter.empty()) {
        state.tree.filter.clear();
    } else {
        state.select_none();
    }
}

void zoom_interface(ViewState& state, float factor) { state.scale = std::clamp(state.scale * factor, 0.5f, 3.0f); }

}  // namespace

void handle_keys(Context& context) {
    const ImGuiIO& io = ImGui::GetIO();
    ViewState& state = context.state;
    if (ui::key_pressed(ImGuiKey_Escape)) escape(state);
    if (io.KeyCtrl) {
        if (ui::key_pressed('P')) state.find_open = !state.find_open, state.find_text.clear(), state.find_at = 0;
        if (ui::key_pressed('F')) state.focus_filter = true;
        if (ui::key_pressed('=') || ui::key_pressed('+')) zoom_interface(state, 1.1f);
        if (ui::key_pressed('-')) zoom_interface(state, 1 / 1.1f);
        if (ui::key_pressed('0')) state.scale = 1;
        if (ui::key_pressed('Z') && !io.WantTextInput) state.undo_range();
        return;
    }
    if (io.WantTextInput) return;
    if (io.KeyAlt && context.app != nullptr) {
        if (ui::key_pressed(ImGuiKey_LeftArrow)) state.go_back(context.model());
        if (ui::key_pressed(ImGuiKey_RightArrow)) state.go_forward(context.model());
        return;
    }
    for (std::size_t i = 0; i < std::size(all_views); ++i) {
        if (ui::key_pressed(static_cast<char>('1' + i))) state.view = all_views[i];
    }
    // Where "?" is depends on the keyboard; what was typed does not.
    if (std::find(io.InputQueueCharacters.begin(), io.InputQueueCharacters.end(), ImWchar('?')) !=
        io.InputQueueCharacters.end()) {
        state.help_open = !state.help_open;
    }
}

void draw_bottom_tabs(Context& context, const Box& box) {
    ui::begin_panel("bottom", box);
    ViewState& state = context.state;
    const auto tab = [&](BottomTab which, const std::string& label, auto contents) {
        const bool chosen = state.show_tab && state.tab == which;
        if (!ImGui::BeginTabItem(label.c_str(), nullptr, chosen ? ImGuiTabItemFlags_SetSelected : 0)) return;
        if (!state.show_tab) state.tab = which;
        if (chosen) state.show_tab = false;
        contents(context);
        ImGui::EndTabItem();
    };
    if (ImGui::BeginTabBar("tabs")) {
        const std::size_t problems = context.derived.problems().size();
        tab(BottomTab::problems, (problems == 0 ? "Problems" : "Problems  " + std::to_string(problems)) + "###problems",
            problems_contents);
        const model::Task* selected = context.selected();
        tab(BottomTab::detail, (selected == nullptr ? "Task" : context.model().task_name(*selected)) + "###detail",
            detail_contents);
        tab(BottomTab::health, "Capture health###health", health_contents);
        ImGui::EndTabBar();
    }
    ui::end_panel();
}

void draw_frame(Context& context) {
    const ImVec2 screen = ImGui::GetIO().DisplaySize;
    handle_keys(context);
    context.state.problem = index_of(context.derived.problems(), context.state.problem_identity, context.state.problem);
    ImGui::SetNextWindowPos({0, 0});
    ImGui::SetNextWindowSize(screen);
    ImGui::PushStyleVar(ImGuiStyleVar_WindowRounding, 0);
    ImGui::PushStyleVar(ImGuiStyleVar_WindowPadding, {0, 0});
    ImGui::Begin("coroscope", nullptr,
                 ImGuiWindowFlags_NoDecoration | ImGuiWindowFlags_NoMove | ImGuiWindowFlags_NoSavedSettings |
                     ImGuiWindowFlags_NoBringToFrontOnFocus | ImGuiWindowFlags_NoScrollWithMouse);
    ImGui::PopStyleVar(2);
    const float top = px(42), bottom = px(24), margin = px(6);
    draw_top_bar(context, {0, 0, screen.x, top});
    const Box area{margin, top, std::max(1.0f, screen.x - 2 * margin), std::max(1.0f, screen.y - top - bottom)};
    if (context.app == nullptr) {
        draw_empty(context, area);
    } else {
        draw_view(context, area);
    }
    draw_status_bar(context, {0, screen.y - bottom, screen.x, bottom});
    ImGui::End();
    draw_help(context);
    draw_finder(context);
}

}  // namespace coroscope::viewer::views
