// What lies over the views: the help, and the finder.
#include <imgui.h>

#include <algorithm>
#include <span>
#include <string>
#include <vector>

#include "agent/words/task.hpp"
#include "agent/words/where.hpp"
#include "viewer/state/finder.hpp"
#include "viewer/ui/keys.hpp"
#include "viewer/ui/text_field.hpp"
#include "viewer/ui/widgets.hpp"
#include "views.hpp"

namespace coroscope::viewer::views {

namespace {

namespace color = ui::color;
using ui::px;

struct Shortcut {
    std::string keys, what;
};
const Shortcut timeline_keys_help[] = {
    {"A D", "pan; with Shift faster"},
    {"W S", "zoom in, out"},
    {"wheel", "zoom at the cursor (Shift: scroll lanes)"},
    {"right-drag", "pan"},
    {"middle-drag", "zoom to a range"},
    {"left-drag", "measure"},
    {"F", "centre the selected task, again: fit it"},
    {", .", "its previous, next step"},
    {"Home", "all of the time"},
    {"Space", "follow the newest, or pause"},
    {"Ctrl+Z", "back to the range before"},
};
const Shortcut other_keys_help[] = {
    {"Ctrl+P", "find a task"},
    {"Ctrl+F", "filter the tree"},
    {"up down", "in the tree: previous, next"},
    {"left right", "in the tree: close, open"},
    {"Alt+left right", "task before, task after"},
    {"Esc", "close, clear, deselect"},
    {"Ctrl + -", "larger, smaller (Ctrl+0: as before)"},
    {"?", "this"},
};

std::vector<Shortcut> view_keys_help() {
    std::vector<Shortcut> all;
    for (const View& view : all_views()) all.push_back({std::string(1, view.key), std::string(view.shows)});
    return all;
}

void shortcuts(const char* title, std::span<const Shortcut> all) {
    ImGui::BeginGroup();
    ui::text(title, color::dim);
    if (ImGui::BeginTable(title, 2, ImGuiTableFlags_SizingFixedFit, {px(340), 0})) {
        ImGui::TableSetupColumn("keys", 0, px(112));
        ImGui::TableSetupColumn("what", ImGuiTableColumnFlags_WidthStretch);
        for (const Shortcut& shortcut : all) {
            ImGui::TableNextRow();
            ImGui::TableNextColumn();
            ui::key_cap(shortcut.keys);
            ImGui::TableNextColumn();
            ui::text(shortcut.what);
        }
        ImGui::EndTable();
    }
    ImGui::EndGroup();
}

void legend() {
    ui::text("States", color::dim);
    for (const model::State state :
         {model::State::created, model::State::ready, model::State::running, model::State::suspended}) {
        ui::state_item(state, model::Outcome::unknown);
        ImGui::SameLine(0, px(16));
    }
    for (const model::Outcome outcome : {model::Outcome::ok, model::Outcome::error, model::Outcome::cancelled}) {
        ui::state_item(model::State::done, outcome);
        ImGui::SameLine(0, px(16));
    }
    ImGui::NewLine();
}

constexpr ImGuiWindowFlags overlay_flags =
    ImGuiWindowFlags_NoDecoration | ImGuiWindowFlags_NoMove | ImGuiWindowFlags_NoSavedSettings;

void begin_overlay(const char* name, ImVec2 at, ImVec2 size, ImVec2 pivot, ImGuiWindowFlags more = 0) {
    ImGui::SetNextWindowPos(at, ImGuiCond_Always, pivot);
    ImGui::SetNextWindowSize(size);
    ImGui::PushStyleColor(ImGuiCol_WindowBg, ImGui::GetStyle().Colors[ImGuiCol_PopupBg]);
    ImGui::PushStyleVar(ImGuiStyleVar_WindowBorderSize, 1);
    ImGui::PushStyleVar(ImGuiStyleVar_WindowPadding, {px(18), px(14)});
    ImGui::Begin(name, nullptr, overlay_flags | more);
    ImGui::PopStyleVar(2);
    ImGui::PopStyleColor();
}

}  // namespace

void draw_help(Context& context) {
    if (!context.state.help_open) return;
    const ImVec2 screen = ImGui::GetIO().DisplaySize;
    begin_overlay("help", {screen.x / 2, screen.y / 2}, {0, 0}, {0.5f, 0.5f}, ImGuiWindowFlags_AlwaysAutoResize);
    ImGui::PushFont(ui::fonts().title);
    ui::text("Keys and mouse", color::bright);
    ImGui::PopFont();
    ImGui::Spacing();
    shortcuts("Timeline", timeline_keys_help);
    ImGui::SameLine(0, px(24));
    ImGui::BeginGroup();
    shortcuts("Views", view_keys_help());
    ImGui::Spacing();
    shortcuts("Everywhere", other_keys_help);
    ImGui::EndGroup();
    ImGui::Spacing();
    legend();
    if (!ImGui::IsWindowFocused() && ImGui::IsMouseClicked(ImGuiMouseButton_Left) && !ImGui::IsWindowAppearing())
        context.state.help_open = false;
    ImGui::End();
}

void draw_finder(Context& context) {
    ViewState& state = context.state;
    if (!state.find_open || context.app == nullptr) {
        state.find_open = false;
        return;
    }
    constexpr std::size_t most = 14;
    const model::Model& model = context.model();
    const ImVec2 screen = ImGui::GetIO().DisplaySize;
    begin_overlay("finder", {screen.x / 2, screen.y * 0.12f}, {std::min(px(620), screen.x - px(40)), 0}, {0.5f, 0});
    if (ImGui::IsWindowAppearing()) ImGui::SetKeyboardFocusHere();
    ImGui::SetNextItemWidth(-1);
    if (ui::text_field("##find", "Find a task by a few letters of its name or coroutine", state.find_text))
        state.find_at = 0;
    const std::vector<Found> found = find_tasks(model, state.find_text, most);
    if (ui::key_pressed(ImGuiKey_DownArrow, true)) ++state.find_at;
    if (ui::key_pressed(ImGuiKey_UpArrow, true) && state.find_at > 0) --state.find_at;
    state.find_at = std::min(state.find_at, found.empty() ? 0 : found.size() - 1);
    bool chosen = ui::key_pressed(ImGuiKey_Enter) || ui::key_pressed(ImGuiKey_KeyPadEnter);
    if (found.empty()) ui::text("No task like this.", color::dim);
    for (std::size_t i = 0; i < found.size(); ++i) {
        const model::Task* task = model.task(found[i].task);
        if (task == nullptr) continue;
        ImGui::PushID(static_cast<int>(i));
        const ImVec2 at = ImGui::GetCursorPos();
        if (ImGui::Selectable("##found", i == state.find_at, 0, {0, ImGui::GetTextLineHeight() + px(4)})) {
            state.find_at = i;
            chosen = true;
        }
        ImGui::SetCursorPos({at.x + px(4), at.y + px(2)});
        ui::state_item(task->state, task->outcome, false);
        ImGui::SameLine(0, px(6));
        ui::text(model.task_name(*task), color::text);
        ImGui::SameLine(0, px(10));
        ui::text(words::short_coroutine(model, *task), color::dim);
        if (task->state == model::State::suspended) {
            ImGui::SameLine(0, px(10));
            ui::text(words::waits_text(model, *task, words::where(model, *task)), color::faint);
        }
        ImGui::PopID();
    }
    if (chosen && state.find_at < found.size()) {
        state.select(model, found[state.find_at].task);
        state.show(BottomTab::detail);
        state.find_open = false;
    }
    const bool left = !ImGui::IsWindowFocused(ImGuiFocusedFlags_RootAndChildWindows) && !ImGui::IsWindowAppearing() &&
                      ImGui::IsMouseClicked(ImGuiMouseButton_Left);
    if (left) state.find_open = false;
    ImGui::End();
}

}  // namespace coroscope::viewer::views
