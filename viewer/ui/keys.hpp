// Keys as the window system numbers them: GLFW names printable keys by their ASCII capital. Before 1.87 Dear ImGui
// knows only the handful it needs itself.
#pragma once

#include <imgui.h>

namespace coroscope::viewer::ui {

inline bool key_down(char key) { return ImGui::IsKeyDown(key); }
inline bool key_pressed(char key, bool repeat = false) { return ImGui::IsKeyPressed(key, repeat); }
inline bool key_pressed(ImGuiKey_ key, bool repeat = false) {
    return ImGui::IsKeyPressed(ImGui::GetKeyIndex(key), repeat);
}

}  // namespace coroscope::viewer::ui
