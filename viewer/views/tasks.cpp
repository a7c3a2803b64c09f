// The task tree: what lives, who spawned it, where each one waits and on what.
#include <imgui.h>

#include <algorithm>

#include "agent/words/task.hpp"
#include "agent/words/where.hpp"
#include "proto/words/amount.hpp"
#include "viewer/layout/coroutine.hpp"
#include "viewer/ui/text_field.hpp"
#include "viewer/ui/widgets.hpp"
#include "views.hpp"

namespace coroscope::viewer::views {

namespace {

namespace color = ui::color;
using ui::px;

void controls(Context& context) {
    ViewState& state = context.state;
    const model::Model& model = context.model();
    std::string beside = words::full_count(model.live_tasks().size()) + " alive, " +
                         words::full_count(model.tasks_created()) + " created";
    if (!state.tree.filter.empty())
        beside = words::full_count(context.derived.tree().matching()) + " of " +
                 words::full_count(context.derived.tree().tasks()) + " match";
    ui::panel_title("Tasks", beside);
    const float filter = px(170);
    const float buttons =
        ui::text_width("Done") + ui::text_width("Fold") + 4 * ImGui::GetStyle().FramePadding.x + 2 * px(4);
    ui::to_the_right(filter + buttons + px(2));
    ImGui::SetCursorPosY(ImGui::GetCursorPosY() - px(3));
    if (state.focus_filter) {
        ImGui::SetKeyboardFocusHere();
        state.focus_filter = false;
    }
    ImGui::SetNextItemWidth(filter);
    ui::text_field("##filter", "filter: name, state, file", state.tree.filter);
    ImGui::SameLine(0, px(4));
    if (ui::toggle("Done", state.tree.show_done, "Show tasks that are done"))
        state.tree.show_done = !state.tree.show_done;
    ImGui::SameLine(0, px(4));
    if (ui::toggle("Fold", state.tree.fold, "Fold siblings of one creation site into one row"))
        state.tree.fold = !state.tree.fold;
}

// The order of columns is that of SortBy where they sort.
struct Column {
    const char* name;
    SortBy sort;
    float width;  // 0: takes ...
    float share;  // ... this share of the rest
    int room;     // shown from this much on: 0 always, 1 middle, 2 wide
};
constexpr Column columns[] = {
    {"Task", SortBy::created, 0, 1.0f, 0}, {"Coroutine", SortBy::coroutine, 96, 0, 2},
    {"State", SortBy::state, 88, 0, 1},    {"Waits for", SortBy::waits_for, 0, 1.05f, 0},
    {"Busy", SortBy::busy, 56, 0, 1},      {"Steps", SortBy::steps, 42, 0, 2},
    {"Age", SortBy::age, 50, 0, 1},
};

void apply_sorting(ViewState& state) {
    ImGuiTableSortSpecs* specs = ImGui::TableGetSortSpecs();
    if (specs == nullptr || !specs->SpecsDirty) return;
    specs->SpecsDirty = false;
    state.tree.sort = SortBy::created;
    state.tree.descending = false;
    if (specs->SpecsCount > 0) {
        state.tree.sort = static_cast<SortBy>(specs->Specs[0].ColumnUserID);
        state.tree.descending = specs->Specs[0].SortDirection == ImGuiSortDirection_Descending;
    }
}

void tree_arrow(Context& context, const TreeRow& row) {
    const float size = ImGui::GetTextLineHeight();
    const ImVec2 at = ImGui::GetCursorScreenPos();
    ImGui::PushID(static_cast<int>(row.key ^ row.key >> 32));
    if (row.expandable) {
        if (ImGui::InvisibleButton("##open", {size, size})) toggle(context.state.toggled, row);
        const bool hot = ImGui::IsItemHovered();
        const float r = size * 0.24f;
        const ImVec2 m{at.x + size * 0.45f, at.y + size * 0.55f};
        const ImU32 paint = hot ? color::bright : color::dim;
        ImDrawList& list = *ImGui::GetWindowDrawList();
        if (row.open) {
            list.AddTriangleFilled({m.x - r, m.y - r * 0.6f}, {m.x + r, m.y - r * 0.6f}, {m.x, m.y + r * 0.8f}, paint);
        } else {
            list.AddTriangleFilled({m.x - r * 0.6f, m.y - r}, {m.x - r * 0.6f, m.y + r}, {m.x + r * 0.8f, m.y}, paint);
        }
    } else {
        ImGui::Dummy({size, size});
    }
    ImGui::PopID();
    ImGui::SameLine(0, px(1));
}

void coroutine_dot(const model::Model& model, model::TaskId task) {
    const float size = ImGui::GetTextLineHeight();
    const ImVec2 at = ImGui::GetCursorScreenPos();
    ImGui::Dummy({size * 0.6f, size});
    ImGui::GetWindowDrawList()->AddRectFilled({at.x, at.y + size * 0.3f},
                                              {at.x + size * 0.45f, at.y + size * 0.3f + size * 0.45f},
                                              ui::coroutine_color(coroutine_site(model, task)), px(2));
    ImGui::SameLine(0, px(2));
}

void waits_cell(Context& context, const model::Task& task) {
    const model::Model& model = context.model();
    switch (task.state) {
        case model::State::suspended: {
            const std::string what = words::wait(model, task.wait);
            const std::string where = words::place(words::where(model, task));
            if (const model::TaskId awaited = model::awaited_task(task); awaited != 0) {
                if (ui::link(what)) context.state.select(model, awaited);
            } else {
                ui::text(what, color::text);
            }
            if (!where.empty()) {
                ImGui::SameLine(0, px(6));
                ui::small(where, color::dim);
            }
            return;
        }
        case model::State::created:
        case model::State::ready:
            ui::text("the loop, for " + words::duration(model.in_state_ns(task)), color::ready);
            return;
        case model::State::running:
            ui::text("runs since " + words::duration(model.in_state_ns(task)), color::running);
            return;
        case model::State::done: return;
    }
}

void task_row(Context& context, const TreeRow& row, const model::Task& task) {
    const model::Model& model = context.model();
    const bool faint = row.context || task.state == model::State::done;
    const ImU32 paint = faint ? color::dim : color::text;
    constexpr int state_column = 2;
    if ((ImGui::TableGetColumnFlags(state_column) & ImGuiTableColumnFlags_IsEnabled) == 0) {
        ui::state_item(task.state, task.outcome, false);
        ImGui::SameLine(0, px(3));
    }
    coroutine_dot(model, task.id);
    ui::text(model.task_name(task), task.id == context.state.task ? color::bright : paint);
    ImGui::TableNextColumn();
    ui::text(words::short_coroutine(model, task), faint ? color::faint : color::dim);
    ImGui::TableNextColumn();
    ui::state_item(task.state, task.outcome);
    ImGui::TableNextColumn();
    waits_cell(context, task);
    ImGui::TableNextColumn();
    ui::number(words::duration(model.busy_ns(task)),
               task.longest_step_ns >= model.slow_step_ns() && model.slow_step_ns() > 0 ? color::bad : paint);
    ImGui::TableNextColumn();
    ui::number(words::short_count(task.steps), paint);
    ImGui::TableNextColumn();
    ui::number(words::duration(model.age_ns(task)), paint);
}

void group_row(Context& context, const TreeRow& row, const model::Task& sample) {
    const model::Model& model = context.model();
    coroutine_dot(model, sample.id);
    ui::badge(words::full_count(row.count) + " \xc3\x97", color::accent);
    ImGui::SameLine(0, px(5));
    ui::text(words::short_coroutine(model, sample), color::text);
    ImGui::TableNextColumn();
    const model::Node* root = model.node(sample.root);
    ui::small(words::place(words::where(model, root == nullptr ? 0 : root->parent)), color::dim);
    ImGui::TableNextColumn();
    for (const model::State state : {model::State::running, model::State::ready, model::State::created,
                                     model::State::suspended, model::State::done}) {
        const std::uint32_t count = row.states[static_cast<std::size_t>(state)];
        if (count == 0) continue;
        ui::state_item(state, model::Outcome::ok, false);
        ImGui::SameLine(0, 0);
        ui::text(words::short_count(count), ui::state_color(state, model::Outcome::ok));
        ImGui::SameLine(0, px(4));
    }
    ImGui::TableNextColumn();
    ImGui::TableNextColumn();
    ui::number(words::duration(row.busy_ns), color::dim);
    ImGui::TableNextColumn();
    ui::number(words::short_count(row.steps), color::dim);
    ImGui::TableNextColumn();
}

void draw_row(Context& context, const TreeRow& row) {
    const model::Task* task = context.model().task(row.task);
    ImGui::TableNextRow();
    ImGui::TableNextColumn();
    if (task == nullptr) {  // retired since the rows were made; the next ones will not have it
        ui::text("...", color::faint);
        return;
    }
    ViewState& state = context.state;
    const bool selected = !row.group && row.task == state.task;
    ImGui::PushID(static_cast<int>(row.key ^ row.key >> 32));
    const ImVec2 at = ImGui::GetCursorPos();
    if (ImGui::Selectable("##row", selected,
                          ImGuiSelectableFlags_SpanAllColumns | ImGuiSelectableFlags_AllowItemOverlap)) {
        if (row.group) {
            toggle(state.toggled, row);
        } else {
            state.select(context.model(), row.task, false);
            state.show(BottomTab::detail);
        }
    }
    if (!row.group && ImGui::IsItemHovered() && ImGui::IsMouseDoubleClicked(ImGuiMouseButton_Left))
        toggle(state.toggled, row);
    ImGui::SetCursorPos({at.x + static_cast<float>(std::min<int>(row.depth, 30)) * px(14), at.y});
    ImGui::PopID();
    tree_arrow(context, row);
    row.group ? group_row(context, row, *task) : task_row(context, row, *task);
}

void keyboard(Context& context) {
    if (!ImGui::IsWindowFocused(ImGuiFocusedFlags_ChildWindows) || ImGui::GetIO().WantTextInput) return;
    const auto& rows = context.derived.tree().rows();
    const int move = (ImGui::IsKeyPressed(ImGui::GetKeyIndex(ImGuiKey_DownArrow)) ? 1 : 0) -
                     (ImGui::IsKeyPressed(ImGui::GetKeyIndex(ImGuiKey_UpArrow)) ? 1 : 0);
    const bool open = ImGui::IsKeyPressed(ImGui::GetKeyIndex(ImGuiKey_RightArrow));
    const bool close = ImGui::IsKeyPressed(ImGui::GetKeyIndex(ImGuiKey_LeftArrow));
    if (move == 0 && !open && !close) return;
    auto at = std::find_if(rows.begin(), rows.end(),
                           [&](const TreeRow& row) { return !row.group && row.task == context.state.task; });
    if (at != rows.end() && ((open && at->expandable && !at->open) || (close && at->open)))
        toggle(context.state.toggled, *at);
    if (move == 0) return;
    for (auto next = at == rows.end() ? rows.begin() : at + move; next >= rows.begin() && next < rows.end();
         next += move) {
        if (next->group) continue;
        context.state.select(context.model(), next->task, false);
        context.state.scroll_to_task = true;
        return;
    }
}

void table(Context& context) {
    const ImGuiTableFlags flags = ImGuiTableFlags_Resizable | ImGuiTableFlags_Reorderable | ImGuiTableFlags_Hideable |
                                  ImGuiTableFlags_Sortable | ImGuiTableFlags_SortTristate | ImGuiTableFlags_RowBg |
                                  ImGuiTableFlags_ScrollY | ImGuiTableFlags_BordersInnerV |
                                  ImGuiTableFlags_SizingFixedFit;
    // In a narrow pane what matters less is hidden at first; the header's menu brings it back. Each width has its own
    // choice.
    const float width = ImGui::GetContentRegionAvail().x / ui::scale();
    const int room = width > 640 ? 2 : width > 480 ? 1 : 0;
    constexpr const char* names[] = {"tasks-narrow", "tasks-middle", "tasks-wide"};
    if (!ImGui::BeginTable(names[room], IM_ARRAYSIZE(columns), flags)) return;
    ImGui::TableSetupScrollFreeze(0, 1);
    for (const Column& column : columns) {
        const bool fixed = column.width > 0;
        const ImGuiTableColumnFlags hidden = column.room > room ? ImGuiTableColumnFlags_DefaultHide : 0;
        ImGui::TableSetupColumn(
            column.name, hidden | (fixed ? ImGuiTableColumnFlags_WidthFixed : ImGuiTableColumnFlags_WidthStretch),
            fixed ? px(column.width) : column.share, static_cast<ImGuiID>(column.sort));
    }
    ImGui::PushStyleColor(ImGuiCol_Text, color::dim);
    ImGui::TableHeadersRow();
    ImGui::PopStyleColor();
    apply_sorting(context.state);
    const auto& rows = context.derived.tree().rows();
    if (context.state.scroll_to_task) {
        const auto at = std::find_if(rows.begin(), rows.end(),
                                     [&](const TreeRow& row) { return !row.group && row.task == context.state.task; });
        if (at != rows.end()) {
            const float line = ImGui::GetTextLineHeight() + 2 * ImGui::GetStyle().CellPadding.y;
            const float y = static_cast<float>(at - rows.begin()) * line;
            const float view = ImGui::GetWindowHeight() - 2 * line;
            if (y < ImGui::GetScrollY() || y > ImGui::GetScrollY() + view - line)
                ImGui::SetScrollY(std::max(0.0f, y - view / 2));
            context.state.scroll_to_task = false;
        }
    }
    ImGuiListClipper clipper;
    clipper.Begin(static_cast<int>(rows.size()));
    while (clipper.Step()) {
        for (int i = clipper.DisplayStart; i < clipper.DisplayEnd; ++i)
            draw_row(context, rows[static_cast<std::size_t>(i)]);
    }
    keyboard(context);
    ImGui::EndTable();
}

}  // namespace

void draw_tasks(Context& context, const Box& box) {
    ui::begin_panel("tasks", box);
    controls(context);
    if (context.derived.tree().rows().empty()) {
        ImGui::Spacing();
        ui::wrapped(context.state.tree.filter.empty() ? "No task yet." : "No task matches the filter.", color::dim);
    } else {
        table(context);
    }
    ui::end_panel();
}

}  // namespace coroscope::viewer::views
