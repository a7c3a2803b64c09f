// One task's story: where it waits and why, who made it, what became of it.
#include <imgui.h>

#include <algorithm>
#include <cmath>

#include "agent/words/annotation.hpp"
#include "agent/words/ending.hpp"
#include "agent/words/task.hpp"
#include "agent/words/where.hpp"
#include "proto/words/amount.hpp"
#include "proto/words/function_name.hpp"
#include "proto/words/place.hpp"
#include "viewer/ui/widgets.hpp"
#include "views.hpp"

namespace coroscope::viewer::views {

namespace {

namespace color = ui::color;
using ui::px;

using Frames = std::vector<model::Model::StackFrame>;

void heading(std::string_view what) {
    ImGui::Spacing();
    ImGui::PushFont(ui::fonts().small);
    ui::text(what, color::dim);
    ImGui::PopFont();
}

void task_link(Context& context, model::TaskId id) {
    const model::Model& model = context.model();
    const model::Task* task = model.task(id);
    if (task == nullptr) {
        ui::text(words::task_name(model, id), color::dim);
        return;
    }
    ui::state_item(task->state, task->outcome, false);
    ImGui::SameLine(0, px(3));
    ImGui::PushID(static_cast<int>(id));
    if (ui::link(words::task_title(model, *task))) context.state.select(model, id);
    ImGui::PopID();
}

// A line of a chain: its dot, and the line to the next.
void chain_dot(ImU32 paint, bool last, bool goes_on) {
    ImDrawList& list = *ImGui::GetWindowDrawList();
    const ImVec2 at = ImGui::GetCursorScreenPos();
    const ImVec2 dot{at.x + px(6), at.y + ImGui::GetTextLineHeight() / 2};
    if (!last || goes_on) {
        const float line = ImGui::GetTextLineHeightWithSpacing();
        list.AddLine(dot, {dot.x, dot.y + line}, ui::with_alpha(paint, 0.6f), px(1.5f));
    }
    if (last) {
        list.AddCircleFilled(dot, px(4), paint, 12);
    } else {
        list.AddCircleFilled(dot, px(3), ui::with_alpha(paint, 0.8f), 12);
    }
    ImGui::Dummy({px(16), ImGui::GetTextLineHeight()});
    ImGui::SameLine(0, 0);
}

// Frames as a chain: a line through dots, each a coroutine with the line it has come to. A click on the frames of the
// library that are left out shows them.
void chain(ViewState& state, const Frames& frames, ImU32 paint, bool goes_on) {
    ImGui::PushFont(ui::fonts().mono);
    const std::vector<words::StackRow> rows = words::stack_rows(frames, state.show_library);
    for (const words::StackRow& row : rows) {
        const auto& frame = frames[row.frame];
        const bool last = &row == &rows.back();
        chain_dot(paint, last, goes_on);
        if (row.hidden != 0) {
            ImGui::PushID(static_cast<int>(frame.node));
            if (ui::link("(" + words::hidden_text(row) + ")", color::faint)) state.show_library = true;
            ImGui::PopID();
            continue;
        }
        ui::text(words::short_function_name(frame.function), row.here ? color::bright : color::text);
        ImGui::SameLine(0, px(10));
        ui::text(words::place(frame.file, frame.line), row.here ? color::link : color::dim);
        if (ImGui::IsItemHovered()) {
            ImGui::SetTooltip("%s\n%s", words::function_name(frame.function).c_str(),
                              words::full_place(frame.file, frame.line).c_str());
        }
    }
    ImGui::PopFont();
}

void last_line(std::string_view what, ImU32 paint) {
    const ImVec2 at = ImGui::GetCursorScreenPos();
    ImGui::Dummy({px(16), ImGui::GetTextLineHeight()});
    const ImVec2 m{at.x + px(6), at.y + ImGui::GetTextLineHeight() / 2};
    ImGui::GetWindowDrawList()->AddCircle(m, px(4), paint, 12, px(1.5f));
    ImGui::SameLine(0, 0);
    ui::text(what, paint);
}

void await_chain(Context& context, const model::Task& task) {
    const model::Model& model = context.model();
    const ImU32 paint = ui::state_color(task.state, task.outcome);
    chain(context.state, model.await_stack(task), paint, task.state != model::State::done);
    last_line(words::status(model, task), paint);
}

// From the task to what it really waits for: a sentence each, joined by a line. A click goes to the task.
void why_it_waits(Context& context) {
    const std::vector<analysis::Part>& parts = context.derived.why();
    if (parts.empty()) return;
    heading("Why it waits");
    for (const analysis::Part& part : parts) {
        const ImVec2 at = ImGui::GetCursorScreenPos();
        const ImVec2 dot{at.x + px(6), at.y + ImGui::GetTextLineHeight() / 2};
        ImGui::Dummy({px(16), ImGui::GetTextLineHeight()});
        ImGui::SameLine(0, 0);
        const bool leads_on = part.task != 0 && part.task != context.state.task;
        ui::wrapped(part.text, leads_on ? color::link : color::text);
        const float below =
            ImGui::GetItemRectMax().y + ImGui::GetStyle().ItemSpacing.y + ImGui::GetTextLineHeight() / 2;
        ImDrawList& list = *ImGui::GetWindowDrawList();
        if (&part != &parts.back()) list.AddLine(dot, {dot.x, below}, ui::with_alpha(color::suspended, 0.6f), px(1.5f));
        list.AddCircleFilled(dot, px(3), color::suspended, 12);
        if (!leads_on || !ImGui::IsItemHovered()) continue;
        ImGui::SetMouseCursor(ImGuiMouseCursor_Hand);
        if (ImGui::IsItemClicked()) context.state.select(context.model(), part.task);
    }
}

void header(Context& context, const model::Task& task) {
    const model::Model& model = context.model();
    ViewState& state = context.state;
    const auto arrow = [&](const char* id, ImGuiDir direction, bool enabled) {
        ImGui::BeginDisabled(!enabled);
        const bool clicked = ImGui::ArrowButton(id, direction);
        ImGui::EndDisabled();
        return clicked;
    };
    if (arrow("##back", ImGuiDir_Left, state.navigation.can_go_back())) state.go_back(model);
    ImGui::SameLine(0, px(3));
    if (arrow("##forward", ImGuiDir_Right, state.navigation.can_go_forward())) state.go_forward(model);
    ImGui::SameLine(0, px(10));
    ImGui::AlignTextToFramePadding();
    ImGui::PushFont(ui::fonts().bold);
    ui::text(model.task_name(task), color::bright);
    ImGui::PopFont();
    ImGui::SameLine(0, px(8));
    ui::text(words::coroutine(model, task), color::dim);
    ImGui::SameLine(0, px(12));
    ui::state_item(task.state, task.outcome);
    if (task.incomplete) {
        ImGui::SameLine(0, px(10));
        ui::badge("incomplete: events were lost", color::warning);
    }
    ui::to_the_right(ui::text_width("Show in timeline") + ui::text_width("Library") +
                     4 * ImGui::GetStyle().FramePadding.x + px(6));
    if (ui::toggle("Library", state.show_library, "Show the library's own frames, too"))
        state.show_library = !state.show_library;
    ImGui::SameLine(0, px(4));
    if (ImGui::Button("Show in timeline")) {
        const double end =
            static_cast<double>(task.state == model::State::done && task.done_ns != 0 ? task.done_ns : model.now_ns());
        state.show_range(
            around({static_cast<double>(task.created_ns != 0 ? task.created_ns : model.first_ns()), end}, 0.05, 0));
    }
}

void fact(const char* name, std::string_view value, ImU32 paint = color::text) {
    if (value.empty()) return;
    ImGui::TableNextRow();
    ImGui::TableNextColumn();
    ui::text(name, color::dim);
    ImGui::TableNextColumn();
    ui::text(value, paint);
}

void fact_task(Context& context, const char* name, model::TaskId id) {
    if (id == 0) return;
    ImGui::TableNextRow();
    ImGui::TableNextColumn();
    ui::text(name, color::dim);
    ImGui::TableNextColumn();
    ImGui::PushID(name);
    task_link(context, id);
    ImGui::PopID();
}

// What the app said about the task.
void said(Context& context, const model::Task& task) {
    const model::Model& model = context.model();
    for (const model::Attribute& each : model.attributes(model::Model::Of::task, task.id))
        fact(words::annotation_name(model, each.key).c_str(), words::value_text(model.value(each.value)));
    std::string spans;
    for (const model::Span* span : model.open_spans())
        if (span->task == task.id && task.state != model::State::done)
            spans += (spans.empty() ? "" : ", ") + words::open_span_text(model, *span);
    fact("In span", spans);
}

void facts(Context& context, const model::Task& task) {
    const model::Model& model = context.model();
    if (!ImGui::BeginTable("facts", 2, ImGuiTableFlags_SizingFixedFit)) return;
    const bool slow = model.slow_step_ns() > 0 && task.longest_step_ns >= model.slow_step_ns();
    fact("Busy", words::duration(model.busy_ns(task)) + " in " + words::full_count(task.steps) +
                     (task.steps == 1 ? " step" : " steps"));
    fact("Longest step", words::duration(task.longest_step_ns), slow ? color::bad : color::text);
    fact("Waited for the loop", words::duration(task.ready_ns) + ", longest " + words::duration(task.longest_ready_ns));
    if (task.created_ns != 0) {
        fact("Created", since_start(context, static_cast<double>(task.created_ns)) + ", " +
                            (task.state == model::State::done ? "lived " : "lives for ") +
                            words::duration(model.age_ns(task)));
    }
    if (const words::Where from = words::where(model, task); from.created)
        fact("Started from", words::place_in(from.frame.function, from.frame.file, from.frame.line));
    fact_task(context, "Parent", task.parent);
    if (task.woken_by != 0) {
        fact_task(context, "Last woken by", task.woken_by);
    } else if (task.steps > 0) {
        fact("Last woken by", "the loop (timer, I/O or a thread)");
    }
    if (task.cancel_requests > 0) fact("Cancel requests", words::full_count(task.cancel_requests), color::cancelled);
    if (const std::string by = words::cancelled_by(model, task); !by.empty())
        fact("Was cancelled", by, color::cancelled);
    fact_task(context, "Cancelled by", task.cancelled_by);
    if (task.error != 0) {
        fact("Failed with", words::error(model, task), color::error);
        fact("Thrown", words::thrown_text(model, task));
        fact("Error retrieved", task.retrieved_ns != 0 ? "yes" : "by nobody");
        fact_task(context, "Retrieved by", task.retrieved_by);
    }
    said(context, task);
    fact("Loop", task.loop == 0 ? "" : std::to_string(task.loop));
    ImGui::EndTable();
}

void relatives(Context& context, const char* title, const std::vector<model::TaskId>& tasks) {
    if (tasks.empty()) return;
    constexpr std::size_t most = 100;
    heading(std::string(title) + "  " + words::full_count(tasks.size()));
    ImGui::PushID(title);
    for (std::size_t i = 0; i < tasks.size() && i < most; ++i) task_link(context, tasks[i]);
    if (tasks.size() > most)
        ui::text("and " + words::full_count(tasks.size() - most) + " more: see the tree", color::dim);
    ImGui::PopID();
}

}  // namespace

void detail_contents(Context& context) {
    const model::Task* task = context.selected();
    if (task == nullptr) {
        ImGui::Spacing();
        ui::wrapped(context.state.task == 0 ? "Select a task: in the tree, in the timeline, or with Ctrl+P."
                                            : "The selected task ended long ago and is no longer retained.",
                    color::dim);
        return;
    }
    const model::Model& model = context.model();
    header(context, *task);
    const float width = ImGui::GetContentRegionAvail().x;
    ImGui::BeginChild("chain", {std::floor(width * 0.55f), 0});
    heading(task->state == model::State::suspended ? "Awaits (outermost first)" : "Stack");
    await_chain(context, *task);
    why_it_waits(context);
    const Frames created = model.creation_stack(*task);
    if (!created.empty()) {
        heading("Created at");
        chain(context.state, created, color::created, false);
    }
    ImGui::EndChild();
    ImGui::SameLine(0, px(14));
    ImGui::BeginChild("facts", {0, 0});
    ImGui::Spacing();
    facts(context, *task);
    relatives(context, "Waited for by", context.derived.awaiters());
    relatives(context, "Children", model.children(task->id));
    ImGui::EndChild();
}

void draw_detail(Context& context, const Box& box) {
    ui::begin_panel("detail", box);
    ui::panel_title("Task");
    detail_contents(context);
    ui::end_panel();
}

void draw_task_view(Context& context, const Box& area) {
    // A task's story needs its time, too.
    const float upper = std::floor(area.height * 0.42f), lower = upper + splitter_px;
    draw_detail(context, {area.x, area.y, area.width, upper});
    draw_timeline(context, {area.x, area.y + lower, area.width, area.height - lower});
}

}  // namespace coroscope::viewer::views
