// Lays a session out as Perfetto tracks.
#include "perfetto_export.hpp"

#include <algorithm>
#include <cmath>
#include <variant>

#include "agent/words/annotation.hpp"
#include "exported_app.hpp"
#include "perfetto_writer.hpp"
#include "proto/words/utf8.hpp"
#include "span_rows.hpp"

namespace coroscope::trace {

namespace {

namespace pf = perfetto::protos;
using model::Slice;
using model::Task;

class Exporter {
public:
    // `order`: of the app among the apps, from 1. Each has two sequences: its events, and its losses, since a packet
    // that tells of loss voids what its sequence has interned.
    Exporter(Output& out, const ExportedApp& exported, Labels& labels, std::uint64_t order)
        : app_(exported),
          timeline_(exported.timeline),
          labels_(labels),
          order_(order),
          events_(out, static_cast<std::uint32_t>(2 * order - 1)),
          losses_(out, static_cast<std::uint32_t>(2 * order)) {}

    void write(std::span<const Marker> markers) {
        if (order_ == 1) clock();
        tracks();
        for (std::size_t row = 0; row < timeline_.rows().size(); ++row) steps(row);
        for (const Task* task : app_.app.model.all_tasks()) life(*task);
        spans();
        marks();
        counters();
        losses();
        for (const Marker* marker : app_.own(markers)) instant(*marker);
    }

private:
    // Ids of tracks, flows and tasks are global in a trace: the app's place is in the top bits.
    enum class Track : std::uint64_t {
        process = 0,
        tasks,
        problems,
        live_tasks,
        row,
        lag,
        ready,
        task,
        spans,
        counter
    };
    std::uint64_t uuid(Track kind, std::uint64_t id = 0) const {
        return order_ << 50 | static_cast<std::uint64_t>(kind) << 46 | (id & ((std::uint64_t{1} << 46) - 1));
    }
    std::uint64_t global(std::uint64_t id) const { return order_ << 50 | (id & ((std::uint64_t{1} << 50) - 1)); }
    std::uint64_t row_track(std::size_t row) const {
        return row < timeline_.rows().size() ? uuid(Track::row, row) : uuid(Track::problems);
    }

    // Once: a trace has one clock, and Clocks has put all apps on it.
    void clock() {
        pf::ClockSnapshot& snapshot = *events_.packet().mutable_clock_snapshot();
        snapshot.set_primary_trace_clock(pf::BUILTIN_CLOCK_MONOTONIC);
        const std::uint64_t now_ns = app_.app.model.now_ns(), wall_ns = app_.app.model.wall_unix_ns(now_ns);
        const auto add = [&](pf::BuiltinClock id, std::uint64_t time_ns) {
            pf::ClockSnapshot::Clock& clock = *snapshot.add_clocks();
            clock.set_clock_id(static_cast<std::uint32_t>(id));
            clock.set_timestamp(time_ns);
        };
        add(pf::BUILTIN_CLOCK_MONOTONIC, app_.at(now_ns));
        if (wall_ns > now_ns) add(pf::BUILTIN_CLOCK_REALTIME, wall_ns);  // else: it never told its wall clock
        events_.send();
    }

    pf::TrackDescriptor& track(std::uint64_t id, std::uint64_t parent, const std::string& name) {
        pf::TrackDescriptor& descriptor = *events_.packet().mutable_track_descriptor();
        descriptor.set_uuid(id);
        if (parent != 0) descriptor.set_parent_uuid(parent);
        if (!name.empty()) descriptor.set_name(words::valid_utf8(name));
        return descriptor;
    }
    void counter_track(std::uint64_t id, const std::string& name, pf::CounterDescriptor::Unit unit) {
        track(id, uuid(Track::process), name).mutable_counter()->set_unit(unit);
        events_.send();
    }
    void tracks() {
        pf::TrackDescriptor& process = track(uuid(Track::process), 0, "");
        process.mutable_process()->set_pid(static_cast<std::int32_t>(app_.pid));
        process.mutable_process()->set_process_name(words::valid_utf8(app_.app.name));
        events_.send();
        for (std::size_t row = 0; row < timeline_.rows().size(); ++row) {
            pf::ThreadDescriptor& thread = *track(uuid(Track::row, row), 0, "").mutable_thread();
            thread.set_pid(static_cast<std::int32_t>(app_.pid));
            thread.set_tid(static_cast<std::int32_t>(app_.tid_of_row(row)));
            thread.set_thread_name(words::valid_utf8(app_.row_name(row)));
            events_.send();
        }
        track(uuid(Track::problems), uuid(Track::process), "Problems");
        events_.send();
        counter_track(uuid(Track::live_tasks), "live tasks", pf::CounterDescriptor::UNIT_COUNT);
        for (std::uint32_t loop = 0; loop < app_.app.model.loops().size(); ++loop) {
            const std::string of = "loop " + std::to_string(app_.app.model.loops()[loop]->id);
            counter_track(uuid(Track::lag, loop), of + " lag", pf::CounterDescriptor::UNIT_TIME_NS);
            counter_track(uuid(Track::ready, loop), of + " ready", pf::CounterDescriptor::UNIT_COUNT);
        }
        // Tracks below a process's own do not nest: this one between them and it makes the tasks a group.
        track(uuid(Track::tasks), uuid(Track::process), "Tasks").set_child_ordering(pf::TrackDescriptor::CHRONOLOGICAL);
        events_.send();
    }

    void end(std::uint64_t track_id, std::uint64_t time_ns) {
        events_.event(pf::TrackEvent::TYPE_SLICE_END, track_id, app_.at(time_ns));
        events_.send();
    }

    void steps(std::size_t row) {
        std::uint64_t free_ns = 0;  // END closes the newest open slice: none may begin before the one before it ended
        for (const std::uint32_t loop : timeline_.rows()[row]) {
            for (std::uint32_t i = 0, count = timeline_.step_count(loop); i < count; ++i) {
                const Slice& slice = timeline_.slice({loop, i});
                const std::uint64_t begin_ns = std::max(slice.begin_ns, free_ns);
                free_ns = std::max(slice.end_ns, begin_ns);
                step(row, {loop, i}, slice, begin_ns);
                if (slice.end_ns != 0) end(uuid(Track::row, row), free_ns);
            }
        }
    }
    void step(std::size_t row, StepRef ref, const Slice& slice, std::uint64_t begin_ns) {
        const bool callback = slice.task == 0;
        pf::TrackEvent& event =
            events_.event(pf::TrackEvent::TYPE_SLICE_BEGIN, uuid(Track::row, row), app_.at(begin_ns));
        events_.set_name(event, labels_.step(slice));
        events_.add_category(event, callback ? "callback" : "step");
        if (!callback) {
            event.set_correlation_id(global(slice.task));
            events_.annotate(event, "task", slice.task);
        }
        events_.annotate(event, callback ? "scheduled at" : "began at", labels_.place(slice.began_at));
        const bool finished = !callback && slice.ended_at == 0 && slice.end_ns != 0;
        events_.annotate(event, "ended at", finished ? "finished" : labels_.place(slice.ended_at));
        if (slice.ready_ns != 0 && slice.ready_ns <= slice.begin_ns)
            events_.annotate(event, "ready for ns", slice.begin_ns - slice.ready_ns);
        for (const Edge& edge : timeline_.edges_from(ref)) event.add_flow_ids(global(edge.id));
        for (const Edge& edge : timeline_.edges_to(ref)) event.add_terminating_flow_ids(global(edge.id));
        events_.send();
    }

    void life(const Task& task) {
        const Lifetime life = timeline_.lifetime(task);
        const std::string name = labels_.task(task);
        const std::uint64_t id = uuid(Track::task, task.id);
        // Tasks of one name stay rows of their own.
        track(id, uuid(Track::tasks), name)
            .set_sibling_merge_behavior(pf::TrackDescriptor::SIBLING_MERGE_BEHAVIOR_NONE);
        events_.send();
        pf::TrackEvent& event = events_.event(pf::TrackEvent::TYPE_SLICE_BEGIN, id, app_.at(life.begin_ns));
        events_.set_name(event, name);
        events_.add_category(event, "task");
        event.set_correlation_id(global(task.id));
        events_.annotate(event, "task", task.id);
        if (task.parent != 0) events_.annotate(event, "parent", task.parent);
        events_.annotate(event, "state", model::to_string(task.state));
        events_.annotate(event, "outcome", model::to_string(task.outcome));
        if (const std::string ending = labels_.ending(task); !ending.empty()) events_.annotate(event, "ended", ending);
        const auto created = app_.app.model.creation_stack(task);
        if (!created.empty()) {
            events_.annotate(event, "created at", labels_.creation_place(task));
            for (const auto& frame : created)
                add_frame(event, {std::string{frame.function}, std::string{frame.file}, frame.line});
        }
        events_.annotate(event, "steps", task.steps);
        events_.annotate(event, "busy ns", task.busy_ns);
        events_.annotate(event, "ready ns", task.ready_ns);
        events_.annotate(event, "longest step ns", task.longest_step_ns);
        if (task.incomplete) events_.annotate(event, "incomplete", "events of it were lost");
        attributes(event, model::Model::Of::task, task.id);
        events_.send();
        for (const Phase& phase : timeline_.phases(task)) this->phase(id, phase);
        if (life.end_ns != 0) end(id, life.end_ns);
    }
    void phase(std::uint64_t track_id, const Phase& phase) {
        pf::TrackEvent& event = events_.event(pf::TrackEvent::TYPE_SLICE_BEGIN, track_id, app_.at(phase.begin_ns));
        if (phase.kind == Phase::Kind::ready) {
            events_.set_name(event, "ready");
            events_.add_category(event, "ready");
        } else {
            events_.set_name(event, labels_.phase_at(phase.at));
            events_.add_category(event, "await");
            events_.annotate(event, "at", labels_.place(phase.at));
            if (phase.knows_wait()) events_.annotate(event, "waits for", labels_.wait(phase.wait));
            // As a call stack only where it waits still: those are not shared, and would make most of the file.
            if (phase.end_ns == 0)
                for (const Frame& frame : labels_.stack(phase.at)) add_frame(event, frame);
            else
                events_.annotate(event, "stack", labels_.stack_text(phase.at));
        }
        events_.send();
        if (phase.end_ns != 0) end(track_id, phase.end_ns);
    }
    static void add_frame(pf::TrackEvent& event, const Frame& frame) {
        pf::TrackEvent::Callstack::Frame& out = *event.mutable_callstack()->add_frames();
        out.set_function_name(words::valid_utf8(frame.function));
        if (!frame.file.empty()) out.set_source_file(words::valid_utf8(frame.file));
        if (frame.line != 0) out.set_line_number(frame.line);
    }

    // What the app said about itself. A dot makes a group of them in Perfetto's window.
    void attributes(pf::TrackEvent& event, model::Model::Of of, std::uint64_t id) {
        const model::Model& model = app_.app.model;
        for (const model::Attribute& each : model.attributes(of, id)) {
            const std::string key = "attributes." + words::annotation_name(model, each.key);
            const model::Value* value = model.value(each.value);
            if (value == nullptr || std::holds_alternative<std::string>(*value) || value->index() == 0)
                events_.annotate(event, key, words::value_text(value));
            else if (const auto* integer = std::get_if<std::int64_t>(value))
                events_.annotate(event, key).set_int_value(*integer);
            else if (const auto* real = std::get_if<double>(value))
                events_.annotate(event, key).set_double_value(*real);
            else
                events_.annotate(event, key).set_bool_value(std::get<bool>(*value));
        }
    }
    void spans() {
        std::uint64_t rows = 0;
        for (const SpanRow& row : span_rows(app_.app.model)) {
            const bool has_track = app_.app.model.task(row.task) != nullptr;
            const std::uint64_t id = uuid(Track::spans, ++rows);
            track(id, has_track ? uuid(Track::task, row.task) : uuid(Track::process), "spans")
                .set_sibling_merge_behavior(pf::TrackDescriptor::SIBLING_MERGE_BEHAVIOR_NONE);
            events_.send();
            std::vector<std::uint64_t> ends;  // of the spans around; END closes the newest
            const auto close_until = [&](std::uint64_t time_ns) {
                for (; !ends.empty() && ends.back() != 0 && ends.back() <= time_ns; ends.pop_back())
                    end(id, ends.back());
            };
            for (const model::Span* span : row.spans) {
                close_until(span->begin_ns);
                pf::TrackEvent& event = events_.event(pf::TrackEvent::TYPE_SLICE_BEGIN, id, app_.at(span->begin_ns));
                annotation(event, *span, "span");
                ends.push_back(span->end_ns);
            }
            close_until(~std::uint64_t{0});
        }
    }
    void marks() {
        for (const model::Span& mark : app_.app.model.spans()) {
            if (!mark.mark) continue;
            const bool has_track = app_.app.model.task(mark.task) != nullptr;
            pf::TrackEvent& event =
                events_.event(pf::TrackEvent::TYPE_INSTANT,
                              has_track ? uuid(Track::task, mark.task) : row_track(app_.row_of_thread(mark.thread)),
                              app_.at(mark.begin_ns));
            annotation(event, mark, "mark");
        }
    }
    void annotation(pf::TrackEvent& event, const model::Span& span, const char* category) {
        events_.set_name(event, words::annotation_name(app_.app.model, span.name));
        events_.add_category(event, category);
        if (span.task != 0) {
            event.set_correlation_id(global(span.task));
            events_.annotate(event, "task", span.task);
        }
        events_.annotate(event, "at", labels_.place(span.at));
        attributes(event, model::Model::Of::span, span.id);
        events_.send();
    }

    void counter(std::uint64_t track_id, const Samples& samples) {
        for (const auto& [time_ns, value] : samples) {
            events_.event(pf::TrackEvent::TYPE_COUNTER, track_id, app_.at(time_ns)).set_counter_value(value);
            events_.send();
        }
    }
    void counters() {
        counter(uuid(Track::live_tasks), timeline_.live_tasks());
        for (std::uint32_t loop = 0; loop < app_.app.model.loops().size(); ++loop) {
            counter(uuid(Track::lag, loop), timeline_.lag(loop));
            counter(uuid(Track::ready, loop), timeline_.ready_depth(loop));
        }
        for (const model::Counter* of_app : app_.app.model.counters()) {
            const std::uint64_t id = uuid(Track::counter, of_app->name);
            counter_track(id, words::annotation_name(app_.app.model, of_app->name), pf::CounterDescriptor::UNIT_COUNT);
            for (const model::CounterSample& sample : of_app->recent) {
                if (!std::isfinite(sample.value)) continue;
                events_.event(pf::TrackEvent::TYPE_COUNTER, id, app_.at(sample.time_ns))
                    .set_double_counter_value(sample.value);
                events_.send();
            }
        }
    }

    // On a sequence of its own: each packet says that some before it were dropped, which voids the sequence's state.
    void loss(std::uint64_t track_id, std::uint64_t time_ns, const std::string& text, std::uint64_t until_ns = 0) {
        losses_.lose();
        pf::TrackEvent& event = losses_.event(pf::TrackEvent::TYPE_INSTANT, track_id, app_.at(time_ns));
        losses_.set_name(event, text);
        losses_.add_category(event, "loss");
        if (until_ns != 0) losses_.annotate(event, "until ns", app_.at(until_ns));
        losses_.send();
    }
    void losses() {
        for (const model::Gap& gap : app_.app.model.gaps())
            loss(row_track(app_.row_of_thread(gap.thread)), gap.first_ns, std::to_string(gap.count) + " events lost",
                 gap.last_ns);
        for (std::uint32_t loop = 0; loop < app_.app.model.loops().size(); ++loop) {
            const std::string text = app_.retired_text(loop);
            if (text.empty() || timeline_.step_count(loop) == 0) continue;
            loss(row_track(app_.row_of_loop(loop)), timeline_.slice({loop, 0}).begin_ns, text);
        }
        if (const std::string text = app_.lost_text(); !text.empty())
            loss(uuid(Track::problems), app_.app.model.now_ns(), text);
    }

    void instant(const Marker& marker) {
        const std::uint64_t track_id = row_track(app_.row_of_task(marker.task));
        pf::TrackEvent& event = events_.event(pf::TrackEvent::TYPE_INSTANT, track_id, app_.at(marker.time_ns));
        events_.set_name(event, marker.title);
        events_.add_category(event, "problem");
        events_.annotate(event, "kind", marker.kind);
        events_.annotate(event, "severity", marker.severity);
        if (marker.task != 0) {
            events_.annotate(event, "task", marker.task);
            event.set_correlation_id(global(marker.task));
        }
        if (marker.duration_ns != 0) events_.annotate(event, "duration ns", marker.duration_ns);
        for (const auto& [name, text] : marker.details) events_.annotate(event, name, text);
        for (const Frame& frame : marker.stack) add_frame(event, frame);
        events_.send();
    }

    const ExportedApp& app_;
    const Timeline& timeline_;
    Labels& labels_;
    std::uint64_t order_;
    PacketSequence events_, losses_;
};

}  // namespace

void export_perfetto(const model::Session& session, std::span<const Marker> markers, Output& out) {
    const Clocks clocks(session);
    const auto pids = unique_pids(session);
    std::uint64_t order = 0;
    for (const auto& [key, app] : session.apps()) {
        ExportedApp exported(key, app, pids.at(key), clocks);
        Exporter(out, exported, exported.labels, ++order).write(markers);
    }
    out.flush();
}

}  // namespace coroscope::trace
