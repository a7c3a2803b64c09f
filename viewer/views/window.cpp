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

void toggle_finder(ViewState& state) {
    state.find_open = !state.find_open;
    state.find_text.clear();
    state.find_at = 0;
}

void zoom_interface(ViewState& state, float factor) { state.scale = std::clamp(state.scale * factor, 0.5f, 3.0f); }

}  // namespace

void handle_keys(Context& context) {
    const ImGuiIO& io = ImGui::GetIO();
    ViewState& state = context.state;
    if (ui::key_pressed(ImGuiKey_Escape)) escape(state);
    if (io.KeyCtrl) {
        if (ui::key_pressed('P')) toggle_finder(state);
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
    for (const View& view : all_views()) {
        if (ui::key_pressed(view.key)) state.view = &view;
    }
    // Where "?" is depends on the keyboard; what was typed does not.
    if (std::find(io.InputQueueCharacters.begin(), io.InputQueueCharacters.end(), ImWchar('?')) !=
        io.InputQueueCharacters.end()) {
        state.help_open = !state.help_open;
    }
}

const View* find_view(std::string_view name) {
    const std::span<const View> all = all_views();
    const auto at = std::ranges::find(all, name, &View::name);
    return at == all.end() ? nullptr : &*at;
}

std::string view_names() {
    std::string names;
    for (const View& view : all_views()) names += (names.empty() ? "" : ", ") + std::string(view.name);
    return names;
}

void draw_window(Context& context) {
    const ImVec2 screen = ImGui::GetIO().DisplaySize;
    if (context.state.view == nullptr) context.state.view = &all_views().front();
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
        context.state.view->draw(context, area);
    }
    draw_status_bar(context, {0, screen.y - bottom, screen.x, bottom});
    ImGui::End();
    draw_help(context);
    draw_finder(context);
}

}  // namespace coroscope::viewer::views
