// Writes speedscope's JSON and folded stacks.
#include "stack_export.hpp"

#include <algorithm>
#include <map>
#include <string>
#include <unordered_map>

#include "exported_app.hpp"
#include "json_text.hpp"
#include "proto/words/place.hpp"
#include "proto/words/utf8.hpp"
#include "stack_frames.hpp"

namespace coroscope::trace {

namespace {

using model::Slice;

class Profiles {
public:
    Profiles(Json& json, ExportedApp& app, FrameTable& table) : json_(json), app_(app), table_(table) {}

    void write() {
        for (std::size_t row = 0; row < app_.timeline.rows().size(); ++row) profile(row);
    }

private:
    void profile(std::size_t row) {
        const auto first_ns = app_.at(app_.app.model.first_ns()), now_ns = app_.at(app_.app.model.now_ns());
        json_.line().open('{').key("type").value("evented").key("unit").value("nanoseconds");
        json_.key("name").value(app_.app.name + " " + app_.row_name(row));
        json_.key("startValue").value(first_ns).key("endValue").value(std::max(now_ns, first_ns));
        json_.key("events").open('[');
        std::uint64_t free_ns = app_.app.model.first_ns();
        for (const std::uint32_t loop : app_.timeline.rows()[row]) {
            for (std::uint32_t i = 0, count = app_.timeline.step_count(loop); i < count; ++i) {
                const Slice& slice = app_.timeline.slice({loop, i});
                const std::uint64_t begin_ns = std::max(slice.begin_ns, free_ns);
                free_ns = std::max(slice.end_ns == 0 ? app_.app.model.now_ns() : slice.end_ns, begin_ns);
                step(slice, begin_ns, free_ns);
            }
        }
        json_.close().close();
    }
    void step(const Slice& slice, std::uint64_t begin_ns, std::uint64_t end_ns) {
        const std::vector<std::uint64_t>& stack = stack_of(slice);
        for (const auto frame : stack) event("O", frame, begin_ns);
        for (auto at = stack.rbegin(); at != stack.rend(); ++at) event("C", *at, end_ns);
    }
    void event(const char* type, std::uint64_t frame, std::uint64_t time_ns) {
        json_.line().open('{').key("type").value(type).key("frame").value(frame);
        json_.key("at").value(app_.at(time_ns)).close();
    }
    const std::vector<std::uint64_t>& stack_of(const Slice& slice) {
        const auto [at, added] = stacks_.try_emplace(slice.began_at);
        if (!added) return at->second;
        for (const Frame& frame : app_.labels.stack(slice.began_at)) at->second.push_back(table_.id(frame));
        if (at->second.empty()) at->second.push_back(table_.id({slice.task == 0 ? "callback" : "task", "", 0}));
        return at->second;
    }

    Json& json_;
    ExportedApp& app_;
    FrameTable& table_;
    std::unordered_map<model::NodeId, std::vector<std::uint64_t>> stacks_;
};

}  // namespace

void export_speedscope(const model::Session& session, Output& out) {
    const Clocks clocks(session);
    const auto pids = unique_pids(session);
    Json json(out);
    FrameTable table;
    json.open('{').key("$schema").value("https://www.speedscope.app/file-format-schema.json");
    json.key("exporter").value("coroscope").key("profiles").open('[');
    for (const auto& [key, app] : session.apps()) {
        ExportedApp exported(key, app, pids.at(key), clocks);
        Profiles(json, exported, table).write();
    }
    json.close();
    write_frames(json, table);
    json.close().line();
    out.flush();
}

void export_folded(const model::Session& session, Output& out) {
    for (const auto& [key, app] : session.apps()) {
        const Timeline timeline(app.model);
        const Labels labels(app.model);
        std::map<model::NodeId, std::uint64_t> waited_ns;
        for (const model::Task* task : app.model.all_tasks()) {
            for (const Phase& phase : timeline.phases(*task)) {
                if (phase.kind != Phase::Kind::suspended) continue;
                const std::uint64_t end_ns = phase.end_ns == 0 ? app.model.now_ns() : phase.end_ns;
                if (end_ns > phase.begin_ns) waited_ns[phase.at] += end_ns - phase.begin_ns;
            }
        }
        std::map<std::string, std::uint64_t> lines;  // different nodes may read the same
        for (const auto& [node, time_ns] : waited_ns) {
            std::string line = folded_frame(app.name);
            for (const Frame& frame : labels.stack(node))
                line += ";" + folded_frame(words::frame(frame.function, words::place(frame.file, frame.line)));
            lines[line] += time_ns;
        }
        for (const auto& [line, time_ns] : lines) out << line << ' ' << (time_ns + 500) / 1000 << '\n';
    }
    out.flush();
}

}  // namespace coroscope::trace
