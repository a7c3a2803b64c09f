// Writes Chrome's JSON. Times in microseconds with decimals, which keep the nanosecond.
#include "chrome_export.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <variant>

#include "agent/words/annotation.hpp"
#include "exported_app.hpp"
#include "json_text.hpp"
#include "span_rows.hpp"

namespace coroscope::trace {

namespace {

using model::Slice;
using model::Task;

class Exporter {
public:
    Exporter(Json& json, const ExportedApp& exported, Labels& labels)
        : json_(json), app_(exported), timeline_(exported.timeline), labels_(labels) {}

    void write(std::span<const Marker> markers) {
        names();
        for (std::size_t row = 0; row < timeline_.rows().size(); ++row) steps(row);
        for (const Task* task : app_.app.model.all_tasks()) life(*task);
        spans();
        marks();
        counters();
        losses();
        for (const Marker* marker : app_.own(markers)) instant(*marker);
    }

private:
    // Opens an event; the caller adds to it and closes it.
    Json& event(const char* phase, std::string_view name, const char* category, std::uint64_t time_ns) {
        json_.line().open('{').key("ph").value(phase).key("name").value(name).key("pid").value(std::uint64_t{app_.pid});
        if (*category != '\0') json_.key("cat").value(category);
        return json_.key("ts").microseconds(app_.at(time_ns));
    }
    Json& tid(std::size_t row) {
        // What belongs to the process as a whole still needs a thread: its first.
        const std::uint64_t id = app_.tids.empty() ? app_.pid : app_.tid_of_row(row < app_.tids.size() ? row : 0);
        return json_.key("tid").value(id);
    }
    Json& async_id(std::uint64_t id) {
        char text[24];
        std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(id));
        return json_.key("id2").open('{').key("local").value(text).close();
    }
    Json& argument(std::string_view name, std::string_view text) {
        if (!text.empty()) json_.key(name).value(text);
        return json_;
    }

    void metadata(const char* what, std::size_t row, std::string_view name) {
        json_.line().open('{').key("ph").value("M").key("name").value(what).key("pid").value(std::uint64_t{app_.pid});
        tid(row).key("args").open('{').key("name").value(name).close().close();
    }
    void sort_index(const char* what, std::size_t row, std::uint64_t index) {
        json_.line().open('{').key("ph").value("M").key("name").value(what).key("pid").value(std::uint64_t{app_.pid});
        tid(row).key("args").open('{').key("sort_index").value(index).close().close();
    }
    void names() {
        metadata("process_name", 0, app_.app.name);
        sort_index("process_sort_index", 0, app_.key);
        for (std::size_t row = 0; row < timeline_.rows().size(); ++row) {
            metadata("thread_name", row, app_.row_name(row));
            sort_index("thread_sort_index", row, row);
        }
    }

    void steps(std::size_t row) {
        std::uint64_t free_ns = 0;  // slices of a thread must nest: none begins before the one before it ended
        for (const std::uint32_t loop : timeline_.rows()[row]) {
            for (std::uint32_t i = 0, count = timeline_.step_count(loop); i < count; ++i) {
                const Slice& slice = timeline_.slice({loop, i});
                const std::uint64_t begin_ns = std::max(slice.begin_ns, free_ns);
                const std::uint64_t end_ns = std::max(slice.end_ns, begin_ns);
                step(row, slice, begin_ns, end_ns);
                for (const Edge& edge : timeline_.edges_from({loop, i}))
                    flow("s", row, edge,
                         std::clamp(edge.time_ns, begin_ns, slice.end_ns == 0 ? ~std::uint64_t{0} : end_ns));
                for (const Edge& edge : timeline_.edges_to({loop, i})) flow("f", row, edge, begin_ns);
                free_ns = end_ns;
            }
        }
    }
    void step(std::size_t row, const Slice& slice, std::uint64_t begin_ns, std::uint64_t end_ns) {
        const bool open = slice.end_ns == 0;
        event(open ? "B" : "X", labels_.step(slice), slice.task == 0 ? "callback" : "step", begin_ns);
        if (!open) {
            json_.key("dur").microseconds_between(app_.at(begin_ns), app_.at(end_ns));
        }
        tid(row).key("args").open('{');
        if (slice.task != 0) json_.key("task").value(slice.task);
        argument(slice.task == 0 ? "scheduled at" : "began at", labels_.place(slice.began_at));
        argument("ended at",
                 slice.task != 0 && slice.ended_at == 0 && !open ? "finished" : labels_.place(slice.ended_at));
        if (slice.ready_ns != 0 && slice.ready_ns <= slice.begin_ns)
            json_.key("ready for ns").value(slice.begin_ns - slice.ready_ns);
        json_.close().close();
    }
    void flow(const char* phase, std::size_t row, const Edge& edge, std::uint64_t time_ns) {
        const bool spawn = edge.kind == Edge::Kind::spawn;
        event(phase, spawn ? "spawn" : "wake", "flow", time_ns);
        // Flow ids are global in a file: the app's key keeps them apart.
        tid(row).key("id").value(std::to_string(app_.key) + "." + std::to_string(edge.id));
        if (*phase == 'f') json_.key("bp").value("e");
        json_.close();
    }

    void life(const Task& task) {
        const Lifetime life = timeline_.lifetime(task);
        const std::string name = labels_.task(task);
        async("b", name, task, life.begin_ns).key("args").open('{').key("task").value(task.id);
        if (task.parent != 0) json_.key("parent").value(task.parent);
        json_.key("state").value(model::to_string(task.state));
        argument("outcome", model::to_string(task.outcome));
        if (const std::string ending = labels_.ending(task); !ending.empty()) argument("ended", ending);
        argument("created at", labels_.creation_place(task));
        json_.key("steps").value(task.steps).key("busy ns").value(task.busy_ns);
        json_.key("ready ns").value(task.ready_ns).key("longest step ns").value(task.longest_step_ns);
        if (task.incomplete) argument("incomplete", "events of it were lost");
        attributes(model::Model::Of::task, task.id);
        json_.close().close();
        for (const Phase& phase : timeline_.phases(task)) this->phase(task, phase);
        if (life.end_ns != 0) async("e", name, task, life.end_ns).close();
    }
    Json& async(const char* phase, std::string_view name, const Task& task, std::uint64_t time_ns) {
        event(phase, name, "task", time_ns);
        tid(app_.row_of_task(task.id));
        return async_id(task.id);
    }
    void phase(const Task& task, const Phase& phase) {
        const bool ready = phase.kind == Phase::Kind::ready;
        const std::string name = ready ? "ready" : labels_.phase_at(phase.at);
        async("b", name, task, phase.begin_ns);
        if (!ready) {
            json_.key("args").open('{');
            argument("at", labels_.place(phase.at));
            if (phase.knows_wait()) argument("waits for", labels_.wait(phase.wait));
            // The whole stack only where it waits still: repeated for every wait it would make most of the file.
            if (phase.end_ns == 0) stack(labels_.stack(phase.at));
            json_.close();
        }
        json_.close();
        if (phase.end_ns != 0) async("e", name, task, phase.end_ns).close();
    }
    void stack(const std::vector<Frame>& frames) {
        if (frames.empty()) return;
        json_.key("stack").open('[');
        for (const Frame& frame : frames)
            json_.value(frame.function + " (" + frame.file + ":" + std::to_string(frame.line) + ")");
        json_.close();
    }

    // What the app said about itself.
    void attributes(model::Model::Of of, std::uint64_t id) {
        const model::Model& model = app_.app.model;
        if (model.attributes(of, id).empty()) return;
        json_.key("attributes").open('{');
        for (const model::Attribute& each : model.attributes(of, id)) {
            json_.key(words::annotation_name(model, each.key));
            const model::Value* value = model.value(each.value);
            if (value == nullptr || std::holds_alternative<std::string>(*value) || value->index() == 0)
                json_.value(words::value_text(value));
            else if (const auto* integer = std::get_if<std::int64_t>(value))
                json_.integer(*integer);
            else if (const auto* real = std::get_if<double>(value))
                json_.real(*real);
            else
                json_.truth(std::get<bool>(*value));
        }
        json_.close();
    }
    void about(const model::Span& span) {
        if (span.task != 0) json_.key("task").value(span.task);
        argument("at", labels_.place(span.at));
        attributes(model::Model::Of::span, span.id);
    }
    // An async row for each: spans of a task may overlap.
    void spans() {
        for (const SpanRow& row : span_rows(app_.app.model)) {
            for (const model::Span* span : row.spans) {
                const std::string name = words::annotation_name(app_.app.model, span->name);
                const auto edge = [&](const char* phase, std::uint64_t time_ns) -> Json& {
                    event(phase, name, "span", time_ns);
                    tid(app_.row_of_thread(span->thread));
                    return async_id(span->id);
                };
                edge("b", span->begin_ns).key("args").open('{');
                about(*span);
                json_.close().close();
                if (span->end_ns != 0) edge("e", span->end_ns).close();
            }
        }
    }
    void marks() {
        for (const model::Span& mark : app_.app.model.spans()) {
            if (!mark.mark) continue;
            instant(words::annotation_name(app_.app.model, mark.name), "mark", app_.row_of_thread(mark.thread),
                    mark.begin_ns);
            about(mark);
            json_.close().close();
        }
    }

    void counter(std::string_view name, const char* unit, const Samples& samples) {
        for (const auto& [time_ns, value] : samples) {
            event("C", name, "", time_ns);
            json_.key("args").open('{').key(unit).value(static_cast<std::uint64_t>(value)).close().close();
        }
    }
    void counters() {
        counter("live tasks", "tasks", timeline_.live_tasks());
        for (std::uint32_t loop = 0; loop < app_.app.model.loops().size(); ++loop) {
            const std::string of = "loop " + std::to_string(app_.app.model.loops()[loop]->id);
            counter(of + " lag", "ns", timeline_.lag(loop));
            counter(of + " ready", "tasks", timeline_.ready_depth(loop));
        }
        for (const model::Counter* of_app : app_.app.model.counters()) {
            for (const model::CounterSample& sample : of_app->recent) {
                if (!std::isfinite(sample.value)) continue;
                event("C", words::annotation_name(app_.app.model, of_app->name), "", sample.time_ns);
                json_.key("args").open('{').key("value").real(sample.value).close().close();
            }
        }
    }

    // scope: "t" on the row's thread, "p" on the process.
    Json& instant(std::string_view name, const char* category, std::size_t row, std::uint64_t time_ns) {
        const bool on_thread = row < timeline_.rows().size();
        event("i", name, category, time_ns);
        return tid(row).key("s").value(on_thread ? "t" : "p").key("args").open('{');
    }
    void losses() {
        const std::size_t no_row = timeline_.rows().size();
        for (const model::Gap& gap : app_.app.model.gaps()) {
            instant("events lost", "loss", app_.row_of_thread(gap.thread), gap.first_ns);
            json_.key("count").value(gap.count).key("until us").microseconds(app_.at(gap.last_ns)).close().close();
        }
        for (std::uint32_t loop = 0; loop < app_.app.model.loops().size(); ++loop) {
            const std::string text = app_.retired_text(loop);
            if (text.empty() || timeline_.step_count(loop) == 0) continue;
            instant(text, "loss", app_.row_of_loop(loop), timeline_.slice({loop, 0}).begin_ns).close().close();
        }
        if (const std::string text = app_.lost_text(); !text.empty())
            instant(text, "loss", no_row, app_.app.model.now_ns()).close().close();
    }
    void instant(const Marker& marker) {
        instant(marker.title, "problem", app_.row_of_task(marker.task), marker.time_ns);
        argument("kind", marker.kind);
        argument("severity", marker.severity);
        if (marker.task != 0) json_.key("task").value(marker.task);
        if (marker.duration_ns != 0) json_.key("duration ns").value(marker.duration_ns);
        for (const auto& [name, text] : marker.details) argument(name, text);
        stack(marker.stack);
        json_.close().close();
    }

    Json& json_;
    const ExportedApp& app_;
    const Timeline& timeline_;
    Labels& labels_;
};

}  // namespace

void export_chrome(const model::Session& session, std::span<const Marker> markers, Output& out) {
    const Clocks clocks(session);
    const auto pids = unique_pids(session);
    Json json(out);
    json.open('{').key("displayTimeUnit").value("ns").key("otherData").open('{');
    json.key("writer").value("coroscope").close().key("traceEvents").open('[');
    for (const auto& [key, app] : session.apps()) {
        ExportedApp exported(key, app, pids.at(key), clocks);
        Exporter(json, exported, exported.labels).write(markers);
    }
    json.line().close().close().line();
    out.flush();
}

}  // namespace coroscope::trace
