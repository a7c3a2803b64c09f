// A line of text to type into, bound to a std::string.
#pragma once

#include <imgui.h>
#include <imgui_stdlib.h>

#include <string>

namespace coroscope::viewer::ui {

inline bool text_field(const char* id, const char* hint, std::string& text, ImGuiInputTextFlags flags = 0) {
    return ImGui::InputTextWithHint(id, hint, &text, flags);
}

}  // namespace coroscope::viewer::ui
