#include "theme.hpp"

#include <imgui_freetype.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <string_view>

namespace coroscope::viewer::ui {

namespace {

Fonts loaded;
float current_scale = 1;

// Latin, Greek, Cyrillic, punctuation, arrows, mathematics, shapes: what names of tasks and our own texts use.
constexpr ImWchar ranges[] = {0x0020, 0x024f, 0x0370, 0x04ff, 0x2010, 0x2044, 0x2190, 0x21ff,
                              0x2200, 0x22ff, 0x2500, 0x25ff, 0x2713, 0x2718, 0};

std::string find_font(std::string_view file) {
    for (const char* folder : {"/usr/share/fonts/truetype/dejavu/", "/usr/share/fonts/dejavu/", "/usr/share/fonts/TTF/",
                               "/usr/share/fonts/dejavu-sans-fonts/"}) {
        const std::string path = folder + std::string(file);
        if (::access(path.c_str(), R_OK) == 0) return path;
    }
    return {};
}

ImFont* load(std::string_view file, float size_px) {
    ImFontAtlas& atlas = *ImGui::GetIO().Fonts;
    const std::string path = find_font(file);
    ImFontConfig config;
    config.FontBuilderFlags = ImGuiFreeTypeBuilderFlags_LightHinting;
    config.OversampleH = 1;
    config.PixelSnapH = true;
    if (path.empty()) {
        config.SizePixels = std::floor(size_px);
        return atlas.AddFontDefault(&config);
    }
    return atlas.AddFontFromFileTTF(path.c_str(), std::round(size_px), &config, ranges);
}

void set_colors(ImGuiStyle& style) {
    ImGui::StyleColorsDark(&style);
    const auto set = [&](ImGuiCol_ what, ImU32 value) { style.Colors[what] = vec(value); };
    set(ImGuiCol_Text, color::text);
    set(ImGuiCol_TextDisabled, color::dim);
    set(ImGuiCol_WindowBg, color::window);
    set(ImGuiCol_ChildBg, rgb(0, 0));
    set(ImGuiCol_PopupBg, rgb(0x1a212c, 250));
    set(ImGuiCol_Border, color::border);
    set(ImGuiCol_FrameBg, color::raised);
    set(ImGuiCol_FrameBgHovered, color::hover);
    set(ImGuiCol_FrameBgActive, color::selection);
    set(ImGuiCol_Button, color::raised);
    set(ImGuiCol_ButtonHovered, color::hover);
    set(ImGuiCol_ButtonActive, color::selection);
    set(ImGuiCol_Header, color::selection);
    set(ImGuiCol_HeaderHovered, color::hover);
    set(ImGuiCol_HeaderActive, color::selection);
    set(ImGuiCol_CheckMark, color::accent);
    set(ImGuiCol_Separator, color::border);
    set(ImGuiCol_SeparatorHovered, color::accent);
    set(ImGuiCol_SeparatorActive, color::accent);
    set(ImGuiCol_ScrollbarBg, rgb(0, 0));
    set(ImGuiCol_ScrollbarGrab, rgb(0x3a4454, 160));
    set(ImGuiCol_ScrollbarGrabHovered, rgb(0x4a566a));
    set(ImGuiCol_ScrollbarGrabActive, rgb(0x5a6880));
    set(ImGuiCol_TableHeaderBg, color::well);
    set(ImGuiCol_TableBorderLight, rgb(0x232b37, 120));
    set(ImGuiCol_TableBorderStrong, color::border);
    set(ImGuiCol_TableRowBg, rgb(0, 0));
    set(ImGuiCol_TableRowBgAlt, color::stripe);
    set(ImGuiCol_Tab, rgb(0, 0));
    set(ImGuiCol_TabHovered, color::hover);
    set(ImGuiCol_TabActive, color::raised);
    set(ImGuiCol_TextSelectedBg, rgb(0x58b4ff, 90));
    set(ImGuiCol_NavHighlight, color::accent);
    set(ImGuiCol_ModalWindowDimBg, rgb(0x05070a, 140));
}

}  // namespace

ImU32 with_alpha(ImU32 color, float alpha) {
    const auto a = static_cast<ImU32>(std::clamp(alpha, 0.0f, 1.0f) * 255 + 0.5f);
    return (color & ~IM_COL32_A_MASK) | (a << IM_COL32_A_SHIFT);
}

ImU32 mixed(ImU32 a, ImU32 b, float part_of_b) {
    const ImVec4 x = vec(a), y = vec(b);
    const auto mix = [part_of_b](float p, float q) { return p + (q - p) * part_of_b; };
    return ImGui::ColorConvertFloat4ToU32({mix(x.x, y.x), mix(x.y, y.y), mix(x.z, y.z), mix(x.w, y.w)});
}

ImU32 state_color(model::State state, model::Outcome outcome) {
    switch (state) {
        case model::State::created: return color::created;
        case model::State::ready: return color::ready;
        case model::State::running: return color::running;
        case model::State::suspended: return color::suspended;
        case model::State::done: break;
    }
    if (outcome == model::Outcome::error) return color::error;
    if (outcome == model::Outcome::cancelled) return color::cancelled;
    return color::done;
}

ImU32 coroutine_color(std::uint32_t site) {
    // Of one lightness, none the green, amber or red that states and severities use at full strength.
    static constexpr std::array<ImU32, 12> palette{rgb(0x3d7fb8), rgb(0x8a64b8), rgb(0x2f8f8a), rgb(0xb0628e),
                                                   rgb(0x6b7fc9), rgb(0x5a8f4d), rgb(0xb07f3f), rgb(0x3f9bb0),
                                                   rgb(0x9a5fa5), rgb(0x7d8a3c), rgb(0xb0695a), rgb(0x5673a0)};
    return palette[site % palette.size()];
}

ImU32 latency_color(std::uint64_t length_ns, std::uint64_t threshold_ns) {
    const double part = static_cast<double>(length_ns) / static_cast<double>(std::max<std::uint64_t>(threshold_ns, 1));
    if (part >= 1) return color::bad;
    if (part >= 0.1) return mixed(color::warning, color::bad, static_cast<float>((part - 0.1) / 0.9) * 0.4f);
    return color::good;
}

ImU32 severity_color(analysis::Severity severity) {
    switch (severity) {
        case analysis::Severity::error: return color::bad;
        case analysis::Severity::warning: return color::warning;
        case analysis::Severity::info: break;
    }
    return color::accent;
}

const Fonts& fonts() { return loaded; }

void set_up(float scale) {
    current_scale = scale;
    ImGuiIO& io = ImGui::GetIO();
    io.Fonts->Clear();
    io.Fonts->FontBuilderIO = ImGuiFreeType::GetBuilderForFreeType();
    loaded = {};
    loaded.text = load("DejaVuSans.ttf", 13 * scale);
    loaded.bold = load("DejaVuSans-Bold.ttf", 13 * scale);
    loaded.mono = load("DejaVuSansMono.ttf", 12 * scale);
    loaded.small = load("DejaVuSans.ttf", 11 * scale);
    loaded.title = load("DejaVuSans-Bold.ttf", 20 * scale);
    loaded.symbols = !find_font("DejaVuSans.ttf").empty();
    io.FontDefault = loaded.text;
    io.Fonts->Build();

    ImGuiStyle& style = ImGui::GetStyle();
    style = ImGuiStyle();
    set_colors(style);
    style.WindowPadding = {8, 8};
    style.FramePadding = {8, 4};
    style.ItemSpacing = {8, 5};
    style.ItemInnerSpacing = {6, 4};
    style.CellPadding = {6, 2};
    style.IndentSpacing = 14;
    style.ScrollbarSize = 11;
    style.GrabMinSize = 14;
    style.WindowRounding = style.ChildRounding = style.PopupRounding = 6;
    style.FrameRounding = style.ScrollbarRounding = style.GrabRounding = style.TabRounding = 4;
    style.WindowBorderSize = style.ChildBorderSize = 0;
    style.PopupBorderSize = 1;
    style.FrameBorderSize = 0;
    style.ScaleAllSizes(scale);
}

float scale() { return current_scale; }

const char* arrow() { return loaded.symbols ? "\xe2\x86\x92" : "->"; }
const char* ellipsis() { return loaded.symbols ? "\xe2\x80\xa6" : ".."; }

}  // namespace coroscope::viewer::ui
