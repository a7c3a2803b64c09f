// What is wrong: the list, worst first, and beside it the evidence and what to do.
#include <imgui.h>

#include <algorithm>
#include <cmath>

#include "agent/analysis/coverage.hpp"
#include "agent/words/task.hpp"
#include "agent/words/where.hpp"
#include "proto/words/amount.hpp"
#include "proto/words/function_name.hpp"
#include "proto/words/place.hpp"
#include "proto/words/utf8.hpp"
#include "viewer/ui/widgets.hpp"
#include "views.hpp"

namespace coroscope::viewer::views {

namespace {

namespace color = ui::color;
using ui::px;

std::string readable(std::string_view kind) {
    std::string text(kind);
    std::replace(text.begin(), text.end(), '_', ' ');
    return text;
}

void list_row(Context& context, std::size_t index) {
    const analysis::Problem& problem = context.derived.problems()[index];
    const bool selected = index == context.state.problem;
    const ImU32 paint = ui::severity_color(problem.severity);
    ImGui::PushID(static_cast<int>(index));
    const float line = ImGui::GetTextLineHeight();
    const float height = 2 * line + px(10);
    const ImVec2 at = ImGui::GetCursorScreenPos();
    const float width = ImGui::GetContentRegionAvail().x;
    if (ImGui::Selectable("##problem", selected, 0, {width, height})) open_problem(context, index);
    if (selected && context.state.scroll_to_problem) {
        ImGui::SetScrollHereY();
        context.state.scroll_to_problem = false;
    }
    ImGui::PopID();
    ImDrawList& list = *ImGui::GetWindowDrawList();
    list.AddRectFilled({at.x, at.y + px(2)}, {at.x + px(3), at.y + height - px(2)}, paint, px(2));
    const float x = at.x + px(11);
    const std::string kind = readable(problem.kind);
    ui::draw_text(list, {x, at.y + px(4)}, paint, kind, ui::fonts().bold);
    float end = x + ui::text_width(kind, ui::fonts().bold);
    if (problem.count > 1) {
        const std::string count = "\xc3\x97 " + words::full_count(problem.count);
        end += px(8);
        ui::draw_text(list, {end, at.y + px(4)}, color::dim, count);
        end += ui::text_width(count);
    }
    const std::string where = words::place(problem.site.file, problem.site.line);
    const float right = at.x + width - px(4) - ui::text_width(where, ui::fonts().small);
    if (right > end + px(8)) ui::draw_text(list, {right, at.y + px(5)}, color::dim, where, ui::fonts().small);
    ui::draw_text(list, {x, at.y + px(6) + line}, color::text, ui::fitting(problem.summary, at.x + width - x - px(4)));
}

void stack_line(const analysis::Place& place, bool here) {
    ui::text(here ? "  \xc2\xbb " : "    ", color::bad);
    ImGui::SameLine(0, 0);
    ui::text(words::short_function_name(place.function), here ? color::bright : color::text);
    ImGui::SameLine(0, px(10));
    ui::text(words::place(place.file, place.line), here ? color::link : color::dim);
    if (ImGui::IsItemHovered()) {
        ImGui::SetTooltip("%s\n%s", words::function_name(place.function).c_str(),
                          words::full_place(place.file, place.line).c_str());
    }
}

void stack(ViewState& state, const std::vector<analysis::Place>& places, bool with_library, const char* title) {
    if (places.empty()) return;
    ImGui::Spacing();
    ui::text(title, color::dim);
    ImGui::PushFont(ui::fonts().mono);
    ImGui::PushID(title);
    std::vector<bool> of_library;
    for (const analysis::Place& place : places) of_library.push_back(place.line == 0 || place.library);
    for (const words::StackRow& row : words::stack_rows(of_library, with_library)) {
        if (row.hidden == 0) {
            stack_line(places[row.frame], row.here);
            continue;
        }
        ImGui::PushID(static_cast<int>(row.frame));
        if (ui::link("    (" + words::hidden_text(row) + ")", color::faint)) state.show_library = true;
        ImGui::PopID();
    }
    ImGui::PopID();
    ImGui::PopFont();
}

void evidence(Context& context, const analysis::Problem& problem) {
    const model::App* app = context.session.app(problem.app);
    ImGui::PushFont(ui::fonts().bold);
    ui::wrapped(problem.summary, color::bright);
    ImGui::PopFont();
    ui::badge(readable(problem.kind), ui::severity_color(problem.severity));
    if (problem.certainty == analysis::Certainty::likely) {
        ImGui::SameLine(0, px(6));
        ui::badge("likely", color::dim);
    }
    if (app != nullptr && context.session.apps().size() > 1) {
        ImGui::SameLine(0, px(6));
        ui::badge(app->name, color::accent);
    }
    if (app != nullptr && problem.task != 0) {
        ImGui::SameLine(0, px(8));
        if (ui::link(words::task_name(app->model, problem.task))) {
            open_problem(context, context.state.problem);
            context.state.show(BottomTab::detail);
        }
    }
    if (problem.time_ns != 0 && problem.app == context.state.app) {
        ImGui::SameLine(0, px(8));
        ui::text("at " + since_start(context, static_cast<double>(problem.time_ns)), color::dim);
    }
    ImGui::Spacing();
    if (!problem.evidence.empty()) ui::wrapped(problem.evidence, color::text);
    for (const analysis::Part& part : analysis::parts_beside_evidence(problem))
        ui::wrapped(words::full_count(part.count) + " \xc3\x97  " + words::printable(part.text), color::text);
    if (!problem.advice.empty()) {
        ImGui::Spacing();
        const ImVec2 from = ImGui::GetCursorScreenPos();
        ImGui::Indent(px(10));
        ui::text("What to do", color::good);
        ui::wrapped(problem.advice, color::text);
        ImGui::Unindent(px(10));
        const float to = ImGui::GetCursorScreenPos().y - px(4);
        ImGui::GetWindowDrawList()->AddRectFilled(from, {from.x + px(3), to}, color::good, px(2));
    }
    stack(context.state, problem.stack, context.state.show_library, "Where (innermost last)");
    // What the system does there says how it blocks.
    stack(context.state, problem.native_stack, true, "Captured natively (innermost last)");
}

void tick(ImU32 paint) {
    const float size = ImGui::GetTextLineHeight();
    const ImVec2 at = ImGui::GetCursorScreenPos();
    const ImVec2 points[] = {{at.x + size * 0.1f, at.y + size * 0.5f},
                             {at.x + size * 0.4f, at.y + size * 0.8f},
                             {at.x + size * 0.95f, at.y + size * 0.15f}};
    ImGui::GetWindowDrawList()->AddPolyline(points, 3, paint, 0, px(2.2f));
    ImGui::Dummy({size * 1.2f, size});
    ImGui::SameLine();
}

// It is worth as much as what was looked at.
void none_found(const Context& context) {
    const analysis::Coverage coverage = analysis::coverage_of(context.session);
    ImGui::Spacing();
    if (coverage.lost.empty()) tick(color::good);
    ui::text(coverage.lost.empty() ? "No problem found so far." : "No problem found in what was seen.",
             coverage.lost.empty() ? color::text : color::warning);
    ui::wrapped(coverage.seen_text(), color::dim);
    for (const std::string& each : coverage.lost) ui::wrapped("Not seen: " + words::printable(each), color::warning);
    for (const std::string& each : coverage.limits) ui::wrapped("Limit: " + words::printable(each), color::dim);
}

}  // namespace

void open_problem(Context& context, std::size_t index) {
    const auto& problems = context.derived.problems();
    if (index >= problems.size()) return;
    const analysis::Problem& problem = problems[index];
    ViewState& state = context.state;
    state.choose_app(problem.app);
    state.problem = index;
    state.problem_identity = identity(problem);
    state.scroll_to_problem = true;
    state.show(BottomTab::problems);
    const model::App* app = context.session.app(problem.app);
    if (app == nullptr) return;
    if (problem.task != 0 && app->model.task(problem.task) != nullptr) state.select(app->model, problem.task);
    if (problem.time_ns != 0) {
        if (!state.timeline.fitted) state.advance(app->model, 0, false);
        const auto at = static_cast<double>(problem.time_ns);
        const double length = std::max(static_cast<double>(problem.duration_ns), 1e6);
        // A step's problem is reported at its begin or its end: both are in sight.
        state.show_range({at - 1.6 * length, at + 1.6 * length});
    }
}

void problems_contents(Context& context) {
    const auto& problems = context.derived.problems();
    if (problems.empty()) {
        none_found(context);
        return;
    }
    const float width = ImGui::GetContentRegionAvail().x;
    ImGui::BeginChild("list", {std::floor(width * 0.46f), 0});
    ImGui::PushStyleVar(ImGuiStyleVar_ItemSpacing, {0, px(2)});
    for (std::size_t i = 0; i < problems.size(); ++i) list_row(context, i);
    ImGui::PopStyleVar();
    ImGui::EndChild();
    ImGui::SameLine(0, px(14));
    ImGui::BeginChild("evidence", {0, 0});
    evidence(context, problems[context.state.problem]);
    ImGui::EndChild();
}

void draw_problems(Context& context, const Box& box) {
    ui::begin_panel("problems", box);
    ui::panel_title("Problems", words::full_count(context.derived.problems().size()) + " found");
    problems_contents(context);
    ui::end_panel();
}

}  // namespace coroscope::viewer::views
