// The one theme: colours, fonts, sizes. Every colour a view uses has its name here, so that a state looks the same
// everywhere.
#pragma once

#include <imgui.h>

#include <cstdint>

#include "agent/analysis/problem.hpp"
#include "agent/model/model.hpp"

namespace coroscope::viewer::ui {

constexpr ImU32 rgb(std::uint32_t hex, std::uint32_t alpha = 255) {
    return IM_COL32((hex >> 16) & 255, (hex >> 8) & 255, hex & 255, alpha);
}
inline ImVec4 vec(ImU32 color) { return ImGui::ColorConvertU32ToFloat4(color); }
ImU32 with_alpha(ImU32 color, float alpha);  // 0..1, replaces
ImU32 mixed(ImU32 a, ImU32 b, float part_of_b);

namespace color {
inline constexpr ImU32 window = rgb(0x0d1117), panel = rgb(0x151a22), raised = rgb(0x1e2530), well = rgb(0x10151c);
inline constexpr ImU32 border = rgb(0x2a3240), grid = rgb(0x232b37), stripe = rgb(0xffffff, 6);
inline constexpr ImU32 text = rgb(0xd9e0ea), dim = rgb(0x8793a5), faint = rgb(0x566173), bright = rgb(0xffffff);
inline constexpr ImU32 accent = rgb(0x58b4ff), link = rgb(0x79c0ff), selection = rgb(0x1f4468), hover = rgb(0x26303e);
inline constexpr ImU32 good = rgb(0x3fb67f), warning = rgb(0xe3a53a), bad = rgb(0xf0605d);

inline constexpr ImU32 created = rgb(0xa78bfa), ready = rgb(0xf2b544), running = rgb(0x41c983),
                       suspended = rgb(0x6f8fb8);
inline constexpr ImU32 done = rgb(0x6b778a), error = rgb(0xf0605d), cancelled = rgb(0xd98a4b);
}  // namespace color

ImU32 state_color(model::State state, model::Outcome outcome);
// Tells coroutines apart: the same site, the same colour.
ImU32 coroutine_color(std::uint32_t site);
// An iteration's length against the threshold: calm, near it, past it.
ImU32 latency_color(std::uint64_t length_ns, std::uint64_t threshold_ns);
ImU32 severity_color(analysis::Severity severity);

struct Fonts {
    ImFont* text = nullptr;
    ImFont* bold = nullptr;
    ImFont* mono = nullptr;
    ImFont* small = nullptr;
    ImFont* title = nullptr;
    bool symbols = false;  // arrows and the like are in the fonts
};
const Fonts& fonts();

// Builds the font atlas and the style for `scale` (1: 96 dpi). Uses DejaVu where it is installed, else ImGui's own
// font.
void set_up(float scale);
float scale();
inline float px(float logical) { return logical * scale(); }

const char* arrow();     // "→", or what stands for it
const char* ellipsis();  // "…"

}  // namespace coroscope::viewer::ui
