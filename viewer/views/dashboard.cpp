// The dashboard: the task tree, the latency strip, the timeline, and below it problems, task and capture health in
// tabs.
#include <imgui.h>

#include <string>

#include "viewer/ui/widgets.hpp"
#include "views.hpp"

namespace coroscope::viewer::views {

namespace {

using ui::px;

void bottom_tabs(Context& context, const Box& box) {
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

}  // namespace

void draw_dashboard(Context& context, const Box& area) {
    Splits& splits = context.state.splits;
    const Panes all = panes(area, splits, px(110));
    draw_tasks(context, all.tasks);
    draw_latency_strip(context, all.latency);
    draw_timeline(context, all.timeline);
    bottom_tabs(context, all.bottom);
    ui::splitter("##left", {all.tasks.x + all.tasks.width, area.y, splitter_px, area.height}, true, area.width,
                 splits.left);
    ui::splitter("##latency", {all.latency.x, all.latency.y + all.latency.height, all.latency.width, splitter_px},
                 false, area.height, splits.latency);
    ui::splitter("##timeline", {all.timeline.x, all.timeline.y + all.timeline.height, all.timeline.width, splitter_px},
                 false, area.height, splits.timeline);
}

}  // namespace coroscope::viewer::views
