#include "widgets.hpp"

#include <imgui_internal.h>

#include <algorithm>
#include <cmath>

#include "agent/words/task.hpp"

namespace coroscope::viewer::ui {

void begin_panel(const char* id, const Box& box) {
    ImGui::SetCursorPos({box.x, box.y});
    ImGui::PushStyleColor(ImGuiCol_ChildBg, vec(color::panel));
    ImGui::PushStyleVar(ImGuiStyleVar_WindowPadding, {px(10), px(8)});
    ImGui::BeginChild(
        id, {box.width, box.height}, false,
        ImGuiWindowFlags_NoScrollbar | ImGuiWindowFlags_NoScrollWithMouse | ImGuiWindowFlags_AlwaysUseWindowPadding);
    ImGui::PopStyleVar();
    ImGui::PopStyleColor();
}

void end_panel() { ImGui::EndChild(); }

ImVec2 text_cursor() {
    const ImVec2 at = ImGui::GetCursorScreenPos();
    return {at.x, at.y + ImGui::GetCurrentWindow()->DC.CurrLineTextBaseOffset};
}

void panel_title(std::string_view title, std::string_view beside) {
    ImGui::PushFont(fonts().bold);
    text(title, color::text);
    ImGui::PopFont();
    if (!beside.empty()) {
        ImGui::SameLine(0, px(10));
        text(beside, color::dim);
    }
}

void to_the_right(float width) {
    ImGui::SameLine();
    const float right = ImGui::GetWindowContentRegionMax().x - width;
    ImGui::SetCursorPosX(std::max(ImGui::GetCursorPosX(), right));
}

void draw_state(ImDrawList& list, ImVec2 at, float size, model::State state, model::Outcome outcome) {
    const ImU32 paint = state_color(state, outcome);
    const ImVec2 middle{at.x + size / 2, at.y + size / 2};
    const float r = size * 0.34f;
    const float line = std::max(1.2f, size * 0.11f);
    switch (state) {
        case model::State::running:
            list.AddTriangleFilled({middle.x - r * 0.8f, middle.y - r}, {middle.x - r * 0.8f, middle.y + r},
                                   {middle.x + r * 1.1f, middle.y}, paint);
            return;
        case model::State::ready: list.AddCircleFilled(middle, r * 0.9f, paint, 16); return;
        case model::State::suspended:
            list.AddRectFilled({middle.x - r * 0.85f, middle.y - r}, {middle.x - r * 0.2f, middle.y + r}, paint, 1);
            list.AddRectFilled({middle.x + r * 0.2f, middle.y - r}, {middle.x + r * 0.85f, middle.y + r}, paint, 1);
            return;
        case model::State::created: list.AddCircle(middle, r * 0.85f, paint, 16, line); return;
        case model::State::done: break;
    }
    if (outcome == model::Outcome::error) {
        list.AddLine({middle.x - r, middle.y - r}, {middle.x + r, middle.y + r}, paint, line * 1.3f);
        list.AddLine({middle.x - r, middle.y + r}, {middle.x + r, middle.y - r}, paint, line * 1.3f);
    } else if (outcome == model::Outcome::cancelled) {
        list.AddCircle(middle, r, paint, 16, line);
        list.AddLine({middle.x - r * 0.65f, middle.y + r * 0.65f}, {middle.x + r * 0.65f, middle.y - r * 0.65f}, paint,
                     line);
    } else {
        const ImVec2 tick[] = {{middle.x - r, middle.y},
                               {middle.x - r * 0.25f, middle.y + r * 0.75f},
                               {middle.x + r, middle.y - r * 0.8f}};
        list.AddPolyline(tick, 3, paint, 0, line);
    }
}

void state_item(model::State state, model::Outcome outcome, bool with_word) {
    const float size = ImGui::GetTextLineHeight();
    const ImVec2 at = text_cursor();
    ImGui::Dummy({size, size});
    draw_state(*ImGui::GetWindowDrawList(), at, size, state, outcome);
    if (!with_word) return;
    ImGui::SameLine(0, px(3));
    text(words::state(state, outcome), state_color(state, outcome));
}

void text(std::string_view what, ImU32 paint) {
    ImGui::PushStyleColor(ImGuiCol_Text, paint);
    ImGui::TextUnformatted(what.data(), what.data() + what.size());
    ImGui::PopStyleColor();
}

void small(std::string_view what, ImU32 paint) {
    const float lower = std::floor((ImGui::GetFontSize() - fonts().small->FontSize) * 0.75f);
    ImGui::SetCursorPosY(ImGui::GetCursorPosY() + lower);
    ImGui::PushFont(fonts().small);
    text(what, paint);
    ImGui::PopFont();
}

void wrapped(std::string_view what, ImU32 paint) {
    ImGui::PushTextWrapPos(0);
    text(what, paint);
    ImGui::PopTextWrapPos();
}

bool link(std::string_view what, ImU32 paint) {
    text(what, paint);
    if (!ImGui::IsItemHovered()) return false;
    const ImVec2 from = ImGui::GetItemRectMin(), to = ImGui::GetItemRectMax();
    ImGui::GetWindowDrawList()->AddLine({from.x, to.y - 1}, {to.x, to.y - 1}, paint);
    ImGui::SetMouseCursor(ImGuiMouseCursor_Hand);
    return ImGui::IsMouseClicked(ImGuiMouseButton_Left);
}

void number(std::string_view what, ImU32 paint) {
    const float room = ImGui::GetContentRegionAvail().x;
    const float width = text_width(what);
    if (width < room) ImGui::SetCursorPosX(ImGui::GetCursorPosX() + room - width);
    text(what, paint);
}

void badge(std::string_view what, ImU32 paint) {
    ImGui::PushFont(fonts().small);
    const ImVec2 size = ImGui::CalcTextSize(what.data(), what.data() + what.size());
    const ImVec2 at = ImGui::GetCursorScreenPos();
    const float padding = px(6);
    const float line = ImGui::GetFontSize() + px(4);
    ImGui::Dummy({size.x + 2 * padding, line});
    ImDrawList& list = *ImGui::GetWindowDrawList();
    list.AddRectFilled(at, {at.x + size.x + 2 * padding, at.y + line}, with_alpha(paint, 0.18f), px(4));
    draw_text(list, {at.x + padding, at.y + (line - size.y) / 2}, paint, what, fonts().small);
    ImGui::PopFont();
}

bool toggle(const char* label, bool on, const char* tooltip) {
    ImGui::PushStyleColor(ImGuiCol_Button, on ? vec(color::selection) : vec(color::raised));
    ImGui::PushStyleColor(ImGuiCol_Text, on ? vec(color::bright) : vec(color::dim));
    const bool clicked = ImGui::Button(label);
    ImGui::PopStyleColor(2);
    if (tooltip != nullptr && ImGui::IsItemHovered()) ImGui::SetTooltip("%s", tooltip);
    return clicked;
}

void key_cap(std::string_view what) {
    const ImVec2 size = ImGui::CalcTextSize(what.data(), what.data() + what.size());
    const ImVec2 at = ImGui::GetCursorScreenPos();
    const float padding = px(6);
    ImGui::Dummy({size.x + 2 * padding, size.y + px(2)});
    ImDrawList& list = *ImGui::GetWindowDrawList();
    list.AddRectFilled(at, {at.x + size.x + 2 * padding, at.y + size.y + px(2)}, color::raised, px(3));
    list.AddRect(at, {at.x + size.x + 2 * padding, at.y + size.y + px(2)}, color::border, px(3));
    draw_text(list, {at.x + padding, at.y + px(1)}, color::text, what);
}

float text_width(std::string_view what, ImFont* font) {
    if (font == nullptr) font = ImGui::GetFont();
    return font
        ->CalcTextSizeA(font == ImGui::GetFont() ? ImGui::GetFontSize() : font->FontSize, 1e9f, 0, what.data(),
                        what.data() + what.size())
        .x;
}

std::string fitting(std::string_view what, float width) {
    if (text_width(what) <= width) return std::string(what);
    const float room = width - text_width(ellipsis());
    if (room < ImGui::GetFontSize()) return {};
    const char* rest = nullptr;
    ImGui::GetFont()->CalcTextSizeA(ImGui::GetFontSize(), room, 0, what.data(), what.data() + what.size(), &rest);
    return std::string(what.data(), rest) + ellipsis();
}

void draw_text(ImDrawList& list, ImVec2 at, ImU32 paint, std::string_view what, ImFont* font) {
    if (what.empty()) return;
    if (font == nullptr) font = ImGui::GetFont();
    const float size = font == ImGui::GetFont() ? ImGui::GetFontSize() : font->FontSize;
    list.AddText(font, size, {std::floor(at.x), std::floor(at.y)}, paint, what.data(), what.data() + what.size());
}

bool splitter(const char* id, const Box& bar, bool moves_sideways, float whole_px, float& part) {
    ImGui::SetCursorPos({bar.x, bar.y});
    ImGui::InvisibleButton(id, {std::max(1.0f, bar.width), std::max(1.0f, bar.height)});
    const bool hot = ImGui::IsItemHovered() || ImGui::IsItemActive();
    if (hot) {
        ImGui::SetMouseCursor(moves_sideways ? ImGuiMouseCursor_ResizeEW : ImGuiMouseCursor_ResizeNS);
        const ImVec2 from = ImGui::GetItemRectMin(), to = ImGui::GetItemRectMax();
        const ImVec2 middle{(from.x + to.x) / 2, (from.y + to.y) / 2};
        const ImVec2 half = moves_sideways ? ImVec2(1, (to.y - from.y) / 2) : ImVec2((to.x - from.x) / 2, 1);
        ImGui::GetWindowDrawList()->AddRectFilled({middle.x - half.x, middle.y - half.y},
                                                  {middle.x + half.x, middle.y + half.y}, color::accent);
    }
    if (!ImGui::IsItemActive() || whole_px <= 0) return false;
    const ImVec2 moved = ImGui::GetIO().MouseDelta;
    part = std::clamp(part + (moves_sideways ? moved.x : moved.y) / whole_px, 0.05f, 0.9f);
    return true;
}

void draw_dashed_line(ImDrawList& list, ImVec2 from, ImVec2 to, ImU32 paint, float dash_px) {
    const float length = std::hypot(to.x - from.x, to.y - from.y);
    if (length <= 0) return;
    const ImVec2 step{(to.x - from.x) / length, (to.y - from.y) / length};
    for (float at = 0; at < length; at += 2 * dash_px) {
        const float end = std::min(at + dash_px, length);
        list.AddLine({from.x + step.x * at, from.y + step.y * at}, {from.x + step.x * end, from.y + step.y * end},
                     paint);
    }
}

void draw_hatching(ImDrawList& list, ImVec2 from, ImVec2 to, ImU32 paint, float gap_px) {
    const float height = to.y - from.y;
    if (height <= 0 || to.x <= from.x) return;
    list.PushClipRect(from, to, true);
    // Anchored to the screen, so that neighbours look like one surface.
    for (float x = std::floor((from.x - height) / gap_px) * gap_px; x < to.x; x += gap_px) {
        list.AddLine({x, to.y}, {x + height, from.y}, paint);
    }
    list.PopClipRect();
}

void begin_tooltip() {
    ImGui::PushStyleVar(ImGuiStyleVar_WindowPadding, {px(10), px(8)});
    ImGui::BeginTooltip();
}

void end_tooltip() {
    ImGui::EndTooltip();
    ImGui::PopStyleVar();
}

}  // namespace coroscope::viewer::ui
