// Nothing to show yet: says why, and exactly what to do about it.
#include <imgui.h>

#include <algorithm>
#include <string>

#include "viewer/ui/widgets.hpp"
#include "views.hpp"

namespace coroscope::viewer::views {

namespace {

namespace color = ui::color;
using ui::px;

void command(const char* what, const std::string& line) {
    ImGui::Spacing();
    ui::text(what, color::dim);
    ImGui::PushFont(ui::fonts().mono);
    const ImVec2 at = ImGui::GetCursorScreenPos();
    const float width = ImGui::GetContentRegionAvail().x, height = ImGui::GetTextLineHeight() + px(12);
    ImGui::PushID(line.c_str());
    const bool clicked = ImGui::InvisibleButton("##command", {width, height});
    const bool hot = ImGui::IsItemHovered();
    ImGui::PopID();
    ImGui::GetWindowDrawList()->AddRectFilled(at, {at.x + width, at.y + height}, hot ? color::hover : color::well,
                                              px(4));
    ui::draw_text(*ImGui::GetWindowDrawList(), {at.x + px(10), at.y + px(6)}, color::text, line);
    ImGui::PopFont();
    if (clicked) ImGui::SetClipboardText(line.c_str());
    if (hot) ImGui::SetTooltip("Click to copy");
}

void progress_bar(double progress) {
    const ImVec2 at = ImGui::GetCursorScreenPos();
    const float width = ImGui::GetContentRegionAvail().x, height = px(6);
    ImGui::Dummy({width, height});
    ImDrawList& list = *ImGui::GetWindowDrawList();
    list.AddRectFilled(at, {at.x + width, at.y + height}, color::raised, height / 2);
    if (progress > 0)
        list.AddRectFilled(at, {at.x + std::max(height, width * static_cast<float>(progress)), at.y + height},
                           color::accent, height / 2);
}

void title(std::string_view what) {
    ImGui::PushFont(ui::fonts().title);
    ui::wrapped(what, color::bright);
    ImGui::PopFont();
}

// As an app is told of this agent.
std::string run_app(const SourceInfo& source) {
    return "COROSCOPE=" + (source.default_address ? "1" : source.name) + " ./your-program";
}

}  // namespace

void draw_empty(Context& context, const Box& box) {
    const SourceInfo& source = context.source;
    const float width = std::min(px(640), box.width - px(40));
    ImGui::SetCursorPos({box.x + (box.width - width) / 2, box.y + std::max(px(20), box.height * 0.2f)});
    ImGui::BeginChild("empty", {width, 0}, false, ImGuiWindowFlags_NoScrollbar);
    if (!source.live) {
        const bool reading = source.mood == SourceInfo::Mood::waiting;
        title(reading                                   ? "Reading " + source.name
              : source.mood == SourceInfo::Mood::failed ? "Cannot read " + source.name
                                                        : "No app in " + source.name);
        ImGui::Spacing();
        if (reading) progress_bar(source.progress);
        if (!source.message.empty()) ui::wrapped(source.message, color::warning);
        if (!reading) command("Record a program into a trace file:", "COROSCOPE=file:t.cst ./your-program");
    } else if (source.mood != SourceInfo::Mood::good) {
        title("Waiting for an agent");
        ImGui::Spacing();
        ui::wrapped(source.message.empty() ? "Connecting to " + source.name : source.message, color::warning);
        ui::wrapped("It is tried again until one answers.", color::dim);
        command("Start an agent:",
                source.default_address ? "coroscope agent" : "coroscope agent --listen " + source.name);
        command("Then run a program with debug mode on:", run_app(source));
        command("Or both in one, at the default address:", "coroscope run -- ./your-program");
        command("Or open a trace file:", "coroscope view t.cst");
    } else {
        title("No app yet");
        ImGui::Spacing();
        ui::wrapped("The agent at " + source.name + " is there, but no app has connected to it.", color::dim);
        command("Run a program with debug mode on, no rebuild needed:", run_app(source));
        command("Or switch it on in the program:", "coroscope::run(main(), {.debug = true});");
    }
    ImGui::EndChild();
}

}  // namespace coroscope::viewer::views
