// The text of every part of a fold.
#include "dump.hpp"

#include <algorithm>
#include <sstream>

#include "fold.hpp"

namespace coroscope::model {

namespace {

void put(std::ostream& out, const Slice& slice) {
    out << slice.begin_ns << ".." << slice.end_ns << " task=" << slice.task << " began_at=" << slice.began_at
        << " ended_at=" << slice.ended_at << " woken_by=" << slice.woken_by << " ready=" << slice.ready_ns << '\n';
}

void put(std::ostream& out, const TaskEntry& task) {
    out << "task " << task.id << " parent=" << task.parent << " root=" << task.root << " name=" << task.name << ' '
        << to_string(task.state) << ' ' << to_string(task.outcome) << (task.incomplete ? " incomplete" : "")
        << (task.woken_while_running ? " woken" : "") << " at=" << task.suspended_at
        << " wait=" << to_string(task.wait.verb) << ':' << task.wait.operand << " loop=" << task.loop
        << " thread=" << task.thread << " owner=" << (task.owner == nullptr ? 0 : task.owner->loop->id)
        << " woken_by=" << task.woken_by << " cancels=" << task.cancel_requests << ',' << task.cancelled_by << ','
        << task.cancelled_at << ',' << task.cancelled_ns << ',' << task.cancelled_steps
        << " created=" << task.created_ns << " done=" << task.done_ns << " changed=" << task.changed_ns
        << " busy=" << task.busy_ns << " ready=" << task.ready_ns << " longest=" << task.longest_step_ns << ','
        << task.longest_ready_ns << " steps=" << task.steps << " began=" << task.step_began_ns << ','
        << task.step_began_at << " seen=" << task.seen << '\n';
}

void put(std::ostream& out, const LoopEntry& entry) {
    const Loop& loop = *entry.loop;
    out << "loop " << loop.id << " thread=" << loop.thread << (loop.running ? " running" : "")
        << " started=" << loop.started_ns << " stopped=" << loop.stopped_ns << " dropped=" << loop.slices_dropped << ','
        << loop.iterations_dropped << " busy=" << loop.busy_ns << " iterations=" << loop.iterations_total
        << " steps=" << loop.steps_total << " longest=" << loop.longest_iteration_ns << (loop.polling ? " polling" : "")
        << " iteration=" << loop.iteration_began_ns << ',' << loop.iteration_events << ',' << loop.iteration_steps
        << (entry.snapshot_open ? " snapshot" : "") << " mark=" << entry.snapshot_mark
        << " gap_end=" << entry.gap_end_ns << '\n';
    for (const Slice& slice : loop.slices) put(out << "  slice ", slice);
    if (loop.open_slice) put(out << "  open ", *loop.open_slice);
    for (const Iteration& each : loop.iterations)
        out << "  iteration " << each.begin_ns << ".." << each.end_ns << " events=" << each.events
            << " steps=" << each.steps << '\n';
}

void put(std::ostream& out, const DefinitionTable& definitions) {
    for (SiteId id = 1; id < definitions.sites().size(); ++id)
        if (const Site* site = definitions.site(id))
            out << "site " << id << ' ' << site->function << ' ' << site->file << ':' << site->line << ':'
                << site->column << '\n';
    for (NodeId id = 1; id < definitions.nodes().size(); ++id)
        if (const Node* node = definitions.node(id))
            out << "node " << id << " parent=" << node->parent << " site=" << node->site
                << " kind=" << static_cast<int>(node->kind) << '\n';
    for (std::uint32_t id = 1; id < definitions.names().size(); ++id)
        if (!definitions.names()[id].empty()) out << "name " << id << ' ' << definitions.names()[id] << '\n';
}

void put(std::ostream& out, const Report& report) {
    out << "report " << static_cast<int>(report.kind) << " time=" << report.time_ns << " task=" << report.task
        << " site=" << report.site << " stack=" << report.stack << " thread=" << report.thread
        << " duration=" << report.duration_ns << " frames=";
    for (const SiteId frame : report.frames) out << frame << ',';
    out << ' ' << report.text << '\n';
}

}  // namespace

std::string dump(const Model& model) {
    const Model::Fold& fold = *model.fold_;
    std::ostringstream out;
    out << "model sequence=" << fold.sequence << " now=" << fold.now_ns << " first=" << fold.first_ns
        << " events=" << fold.events << " batches=" << fold.batches << " dropped=" << fold.dropped
        << " batches_lost=" << fold.batches_lost << " anomalies=" << fold.anomalies << " created=" << fold.tasks_created
        << " done_dropped=" << fold.done_tasks_dropped << " refused=" << fold.live_tasks_refused
        << " snapshots=" << fold.snapshots << " slow_step=" << fold.slow_step_ns << '\n';
    out << "hello " << fold.hello.ShortDebugString() << '\n';
    put(out, fold.definitions);
    for (const Thread& thread : fold.threads)
        out << "thread " << thread.id << " tid=" << thread.tid << " name=" << thread.name << " loop=" << thread.loop
            << " last=" << fold.thread_entries.at(thread.id).last_ns << '\n';
    for (const TaskEntry* task : fold.tasks.sorted()) put(out, *task);
    out << "done";
    for (const TaskEntry* task = fold.done_tasks.first; task != nullptr; task = task->next) out << ' ' << task->id;
    out << '\n';
    for (const auto& entry : fold.loop_entries) put(out, *entry);
    for (const LongStep& step : fold.long_steps)
        out << "long step " << step.begin_ns << ".." << step.end_ns << " task=" << step.task << " loop=" << step.loop
            << " began_at=" << step.began_at << " ended_at=" << step.ended_at << (step.callback ? " callback" : "")
            << '\n';
    for (const Report& report : fold.reports) put(out, report);
    for (const Gap& gap : fold.gaps)
        out << "gap thread=" << gap.thread << " count=" << gap.count << ' ' << gap.first_ns << ".." << gap.last_ns
            << '\n';
    return out.str();
}

}  // namespace coroscope::model
