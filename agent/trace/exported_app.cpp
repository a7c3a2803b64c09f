// Process and thread ids, and what an app's rows are called.
#include "exported_app.hpp"

#include <algorithm>

#include "proto/words/amount.hpp"

namespace coroscope::trace {

namespace {

// Past every id that Linux gives: for what has none of its own, or shares it.
constexpr std::uint32_t first_made_up_id = 0x10000000;

const model::Thread* find_thread(const model::Model& model, std::uint32_t id) {
    for (const model::Thread& thread : model.threads())
        if (thread.id == id) return &thread;
    return nullptr;
}

}  // namespace

std::map<model::AppKey, std::uint32_t> unique_pids(const model::Session& session) {
    std::map<model::AppKey, std::uint32_t> pids;
    std::set<std::uint32_t> taken;
    std::uint32_t next = first_made_up_id;
    for (const auto& [key, app] : session.apps()) {
        const bool usable = app.pid != 0 && app.pid < first_made_up_id;
        auto pid = usable ? static_cast<std::uint32_t>(app.pid) : 0u;
        if (pid == 0 || !taken.insert(pid).second) pid = next++;
        pids[key] = pid;
    }
    return pids;
}

ExportedApp::ExportedApp(model::AppKey app_key, const model::App& exported, std::uint32_t process_id,
                         const Clocks& common_clocks)
    : key(app_key),
      app(exported),
      pid(process_id),
      clocks(common_clocks),
      timeline(exported.model),
      labels(exported.model),
      rows(exported.model.loops().size(), 0) {
    std::set<std::uint32_t> taken;
    for (std::size_t row = 0; row < timeline.rows().size(); ++row) {
        for (const std::uint32_t loop : timeline.rows()[row]) rows[loop] = row;
        const std::uint32_t id = app.model.loops()[timeline.rows()[row].front()]->thread;
        const model::Thread* thread = find_thread(app.model, id);
        std::uint32_t tid =
            thread != nullptr && thread->tid < first_made_up_id ? static_cast<std::uint32_t>(thread->tid) : 0;
        if (tid == 0 || !taken.insert(tid).second) tid = first_made_up_id + static_cast<std::uint32_t>(row);
        tids.push_back(tid);
    }
}

std::size_t ExportedApp::row_of_thread(std::uint32_t thread) const {
    for (std::size_t row = 0; row < timeline.rows().size(); ++row)
        if (app.model.loops()[timeline.rows()[row].front()]->thread == thread) return row;
    return timeline.rows().size();
}

std::size_t ExportedApp::row_of_task(model::TaskId id) const {
    const model::Task* task = id == 0 ? nullptr : app.model.task(id);
    if (task != nullptr && task->loop != 0) {
        const auto& loops = app.model.loops();
        for (std::size_t i = 0; i < loops.size(); ++i)
            if (loops[i]->id == task->loop) return rows[i];
    }
    const auto steps = timeline.steps_of(id);
    return steps.empty() ? timeline.rows().size() : rows[steps.front().loop];
}

std::string ExportedApp::row_name(std::size_t row) const {
    std::string loops;
    for (const std::uint32_t loop : timeline.rows()[row])
        loops += (loops.empty() ? "loop " : ", ") + std::to_string(app.model.loops()[loop]->id);
    const std::uint32_t id = app.model.loops()[timeline.rows()[row].front()]->thread;
    const model::Thread* thread = find_thread(app.model, id);
    return thread == nullptr || thread->name.empty() ? loops : thread->name + " (" + loops + ")";
}

std::string ExportedApp::lost_text() const {
    const std::uint64_t events = app.model.dropped(), batches = app.model.batches_lost();
    std::string text;
    if (events != 0) text = words::counted(events, "event", "events");
    if (batches != 0) text += (text.empty() ? "" : " and ") + words::counted(batches, "batch", "batches");
    return text.empty() ? text : text + " lost: what is shown has holes";
}

std::string ExportedApp::retired_text(std::uint32_t loop) const {
    const std::uint64_t count = app.model.loops()[loop]->slices_dropped;
    return count == 0 ? "" : words::counted(count, "older step is", "older steps are") + " not kept";
}

std::vector<const Marker*> ExportedApp::own(std::span<const Marker> markers) const {
    std::vector<const Marker*> found;
    for (const Marker& marker : markers)
        if (marker.app == key) found.push_back(&marker);
    return found;
}

}  // namespace coroscope::trace
