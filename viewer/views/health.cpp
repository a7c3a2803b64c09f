// Capture health: can what is shown be trusted? Apps, connections, what was lost on the way.
#include <imgui.h>

#include <algorithm>
#include <cstdio>
#include <ctime>

#include "proto/words/amount.hpp"
#include "viewer/ui/widgets.hpp"
#include "views.hpp"

namespace coroscope::viewer::views {

namespace {

namespace color = ui::color;
using ui::px;

std::string wall_clock(std::uint64_t unix_ns) {
    if (unix_ns == 0) return "unknown";
    const auto seconds = static_cast<std::time_t>(unix_ns / 1'000'000'000);
    std::tm local{};
    ::localtime_r(&seconds, &local);
    char text[64];
    std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &local);
    return text;
}

void count(std::uint64_t number, ImU32 if_any) {
    ui::number(words::full_count(number), number == 0 ? color::dim : if_any);
}

void app_row(Context& context, const model::App& app) {
    const model::Model& model = app.model;
    ImGui::TableNextRow();
    ImGui::TableNextColumn();
    ImGui::PushID(static_cast<int>(app.key));
    if (ui::link(app.name + " (" + std::to_string(app.pid) + ")",
                 app.key == context.state.app ? color::bright : color::link)) {
        context.state.choose_app(app.key);
    }
    ImGui::PopID();
    ImGui::TableNextColumn();
    if (app.connected && !context.source.live) {
        ui::text("until the file ends", color::dim);
    } else if (app.connected) {
        ui::text(app.connections > 1 ? "connected, " + std::to_string(app.connections) + " times" : "connected",
                 color::good);
    } else {
        ui::text(app.disconnect_reason.empty() ? "not connected" : app.disconnect_reason,
                 app.orderly ? color::dim : color::warning);
    }
    ImGui::TableNextColumn();
    count(model.events(), color::text);
    ImGui::TableNextColumn();
    count(model.dropped(), color::bad);
    ImGui::TableNextColumn();
    count(model.batches_lost(), color::bad);
    ImGui::TableNextColumn();
    count(model.gaps().size(), color::bad);
    ImGui::TableNextColumn();
    count(model.anomalies(), color::warning);
    ImGui::TableNextColumn();
    ui::text(wall_clock(model.wall_unix_ns(model.first_ns())), color::dim);
    ImGui::TableNextColumn();
    ui::text(words::duration(model.now_ns() - model.first_ns()));
    ImGui::TableNextColumn();
    ui::text(
        app.library + (app.compiler.empty() ? "" : ", " + app.compiler) + (app.host.empty() ? "" : ", on " + app.host),
        color::dim);
}

void source_facts(const Context& context) {
    const SourceInfo& source = context.source;
    ui::text(source.live ? "Agent" : "Trace file", color::dim);
    ImGui::SameLine(0, px(8));
    ui::text(source.name, color::text);
    ImGui::SameLine(0, px(8));
    ui::text(source.phase, source.mood == SourceInfo::Mood::good ? color::good : color::warning);
    if (!source.message.empty()) ui::wrapped(source.message, color::warning);
    std::string facts = words::full_count(source.frames) + " frames received";
    if (source.live)
        facts +=
            ", " + words::full_count(source.connections) + (source.connections == 1 ? " connection" : " connections");
    if (source.bytes > 0) facts += ", " + words::bytes(source.bytes);
    if (source.queued_bytes > 0) facts += ", " + words::bytes(source.queued_bytes) + " waiting to be folded";
    ui::text(facts, color::dim);
    if (source.frames_cut > 0) {
        ui::wrapped("This viewer was too slow for " + words::full_count(source.frames_cut) +
                        " frames: the agent replaced them by keyframes, so the timeline has holes; states are right.",
                    color::warning);
    }
    if (context.session.bad_frames() > 0) {
        ui::wrapped(words::full_count(context.session.bad_frames()) + " frames could not be read and were left out.",
                    color::bad);
    }
}

struct Meaning {
    const char* column;
    const char* text;
};
constexpr Meaning meanings[] = {
    {"Dropped", "events lost in the app because a thread's ring was full: detail goes first, tasks stay right"},
    {"Batches lost", "encoded batches nobody took: no agent was there, or it was too slow"},
    {"Gaps", "stretches of time with lost events: hatched in the timeline"},
    {"Anomalies", "events that made no sense to the model and were ignored"},
};

void loop_row(const model::Model& model, const model::Loop& loop) {
    ImGui::TableNextRow();
    ImGui::TableNextColumn();
    ui::text("Loop " + std::to_string(loop.id));
    ImGui::TableNextColumn();
    for (const model::Thread& thread : model.threads()) {
        if (thread.id == loop.thread) ui::text(thread.name + " (" + std::to_string(thread.tid) + ")", color::dim);
    }
    ImGui::TableNextColumn();
    ui::text(loop.running ? "runs" : "stopped", loop.running ? color::good : color::dim);
    ImGui::TableNextColumn();
    const std::uint64_t end = loop.running || loop.stopped_ns == 0 ? model.now_ns() : loop.stopped_ns;
    const double lived = loop.started_ns != 0 && end > loop.started_ns ? static_cast<double>(end - loop.started_ns) : 0;
    char busy[16] = "";
    if (lived > 0) std::snprintf(busy, sizeof busy, "%.1f %%", 100 * static_cast<double>(loop.busy_ns) / lived);
    ui::number(busy);
    ImGui::TableNextColumn();
    count(loop.iterations_total, color::text);
    ImGui::TableNextColumn();
    count(loop.steps_total, color::text);
    ImGui::TableNextColumn();
    const bool slow = model.slow_step_ns() > 0 && loop.longest_iteration_ns >= model.slow_step_ns();
    ui::number(words::duration(loop.longest_iteration_ns), slow ? color::bad : color::text);
}

void loops(const Context& context) {
    const model::Model& model = context.model();
    ImGui::Spacing();
    ui::text("Loops of " + context.app->name, color::dim);
    const char* names[] = {"Loop", "Thread", "State", "Busy", "Iterations", "Steps", "Longest iteration"};
    if (!ImGui::BeginTable("loops", IM_ARRAYSIZE(names),
                           ImGuiTableFlags_RowBg | ImGuiTableFlags_SizingFixedFit | ImGuiTableFlags_BordersInnerV))
        return;
    for (const char* name : names) ImGui::TableSetupColumn(name);
    ImGui::TableHeadersRow();
    for (const auto& loop : model.loops()) loop_row(model, *loop);
    ImGui::EndTable();
}

void explain() {
    ImGui::Spacing();
    for (const Meaning& meaning : meanings) {
        ui::text(meaning.column, color::text);
        ImGui::SameLine(px(110));
        ui::text(meaning.text, color::dim);
    }
}

void retained(const Context& context) {
    const model::Model& model = context.model();
    std::uint64_t slices = 0, iterations = 0;
    for (const auto& loop : model.loops()) slices += loop->slices_dropped, iterations += loop->iterations_dropped;
    if (slices + iterations + model.done_tasks_dropped() == 0) return;
    ImGui::Spacing();
    ui::wrapped("To keep memory bounded, " + words::full_count(slices) + " old steps, " +
                    words::full_count(iterations) + " old iterations and " +
                    words::full_count(model.done_tasks_dropped()) + " old done tasks were let go.",
                color::dim);
}

}  // namespace

void health_contents(Context& context) {
    source_facts(context);
    ImGui::Spacing();
    const char* names[] = {"App",  "Connection", "Events", "Dropped", "Batches lost",
                           "Gaps", "Anomalies",  "Since",  "Covers",  "Library"};
    const ImGuiTableFlags flags = ImGuiTableFlags_RowBg | ImGuiTableFlags_SizingFixedFit |
                                  ImGuiTableFlags_BordersInnerV | ImGuiTableFlags_ScrollX | ImGuiTableFlags_ScrollY;
    const float height = px(21) * static_cast<float>(context.session.apps().size() + 1) + px(14);
    if (ImGui::BeginTable("apps", IM_ARRAYSIZE(names), flags,
                          {0, std::min(height, std::max(px(80), ImGui::GetContentRegionAvail().y - px(40)))})) {
        for (const char* name : names) ImGui::TableSetupColumn(name);
        ImGui::TableSetupScrollFreeze(1, 1);
        ImGui::TableHeadersRow();
        for (const auto& [key, app] : context.session.apps()) app_row(context, app);
        ImGui::EndTable();
    }
    if (context.app == nullptr) return;
    loops(context);
    retained(context);
    explain();
}

void draw_health(Context& context, const Box& box) {
    ui::begin_panel("health", box);
    ui::panel_title("Capture health", "Can what is shown be trusted?");
    health_contents(context);
    ui::end_panel();
}

}  // namespace coroscope::viewer::views
