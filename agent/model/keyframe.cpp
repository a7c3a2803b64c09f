// A fold as a message: state to columns.
#include "fold.hpp"

namespace coroscope::model {

namespace {

std::int64_t difference(std::uint64_t value, std::uint64_t base) { return static_cast<std::int64_t>(value - base); }

template <typename Slices>
void save_slices(const Slices& slices, v2::SliceColumns& out) {
    const int size = static_cast<int>(slices.size());
    out.mutable_begin_ns_delta()->Reserve(size);
    out.mutable_duration_ns()->Reserve(size);
    out.mutable_task_delta()->Reserve(size);
    out.mutable_began_at()->Reserve(size);
    out.mutable_ended_at()->Reserve(size);
    out.mutable_woken_by()->Reserve(size);
    out.mutable_ready_ns()->Reserve(size);
    Slice before;
    for (const Slice& slice : slices) {
        out.add_begin_ns_delta(difference(slice.begin_ns, before.begin_ns));
        out.add_duration_ns(since(slice.begin_ns, slice.end_ns));
        out.add_task_delta(difference(slice.task, before.task));
        out.add_began_at(slice.began_at);
        out.add_ended_at(slice.ended_at);
        out.add_woken_by(slice.woken_by);
        out.add_ready_ns(difference(slice.ready_ns, slice.begin_ns));
        before = slice;
    }
}

void save_iterations(const std::deque<Iteration>& iterations, v2::IterationColumns& out) {
    std::uint64_t before_ns = 0;
    for (const Iteration& iteration : iterations) {
        out.add_begin_ns_delta(difference(iteration.begin_ns, before_ns));
        out.add_duration_ns(since(iteration.begin_ns, iteration.end_ns));
        out.add_events(iteration.events);
        out.add_steps(iteration.steps);
        before_ns = iteration.begin_ns;
    }
}

void save_tasks(const std::vector<TaskEntry*>& tasks, v2::TaskColumns& out) {
    TaskId before = 0;
    std::uint64_t before_ns = 0;
    for (const TaskEntry* task : tasks) {
        out.add_id_delta(task->id - before);
        out.add_parent(task->parent);
        out.add_root(task->root);
        out.add_suspended_at(task->suspended_at);
        out.add_name(task->name);
        out.add_flags(static_cast<std::uint32_t>(task->state) | static_cast<std::uint32_t>(task->outcome) << 3 |
                      (task->incomplete ? 32u : 0u) | (task->woken_while_running ? 64u : 0u));
        out.add_wait(vocabulary::pack_wait(task->wait.verb, task->wait.operand));
        out.add_loop(task->loop);
        out.add_thread(task->thread);
        out.add_woken_by(task->woken_by);
        out.add_cancel_requests(task->cancel_requests);
        out.add_cancelled_by(task->cancelled_by);
        out.add_cancelled_at(task->cancelled_at);
        out.add_cancelled_ns(task->cancelled_ns);
        out.add_cancelled_steps(task->cancelled_steps);
        out.add_created_ns_delta(difference(task->created_ns, before_ns));
        out.add_done_ns(difference(task->done_ns, task->created_ns));
        out.add_changed_ns(difference(task->changed_ns, task->created_ns));
        out.add_busy_ns(task->busy_ns);
        out.add_ready_ns(task->ready_ns);
        out.add_longest_step_ns(task->longest_step_ns);
        out.add_longest_ready_ns(task->longest_ready_ns);
        out.add_steps(task->steps);
        out.add_step_began_ns(task->step_began_ns);
        out.add_step_began_at(task->step_began_at);
        out.add_seen(task->seen);
        before = task->id;
        before_ns = task->created_ns;
    }
}

void save_loop(const LoopEntry& entry, v2::LoopState& out) {
    const Loop& loop = *entry.loop;
    out.set_id(loop.id);
    out.set_thread(loop.thread);
    out.set_running(loop.running);
    out.set_started_ns(loop.started_ns);
    out.set_stopped_ns(loop.stopped_ns);
    save_slices(loop.slices, *out.mutable_slices());
    save_iterations(loop.iterations, *out.mutable_iterations());
    out.set_slices_dropped(loop.slices_dropped);
    out.set_iterations_dropped(loop.iterations_dropped);
    out.set_busy_ns(loop.busy_ns);
    out.set_iterations_total(loop.iterations_total);
    out.set_steps_total(loop.steps_total);
    out.set_longest_iteration_ns(loop.longest_iteration_ns);
    if (loop.open_slice) save_slices(std::vector<Slice>{*loop.open_slice}, *out.mutable_open_slice());
    out.set_polling(loop.polling);
    out.set_iteration_began_ns(loop.iteration_began_ns);
    out.set_iteration_events(loop.iteration_events);
    out.set_iteration_steps(loop.iteration_steps);
    out.set_snapshot_open(entry.snapshot_open);
    out.set_snapshot_mark(entry.snapshot_mark);
    out.set_gap_end_ns(entry.gap_end_ns);
}

void save_definitions(const DefinitionTable& definitions, v2::Keyframe& out) {
    for (std::uint32_t id = 1; id < definitions.names().size(); ++id) {
        if (definitions.names()[id].empty()) continue;
        v2::Name& name = *out.add_names();
        name.set_id(id);
        name.set_text(definitions.names()[id]);
    }
    for (SiteId id = 1; id < definitions.sites().size(); ++id) {
        const Site* known = definitions.site(id);
        if (known == nullptr) continue;
        v2::Site& site = *out.add_sites();
        site.set_id(id);
        site.set_function(known->function);
        site.set_file(known->file);
        site.set_line(known->line);
        site.set_column(known->column);
    }
    for (NodeId id = 1; id < definitions.nodes().size(); ++id) {
        const Node* known = definitions.node(id);
        if (known == nullptr) continue;
        v2::StackNode& node = *out.add_stacks();
        node.set_id(id);
        node.set_parent(known->parent);
        node.set_site(known->site);
        node.set_kind(static_cast<std::uint32_t>(known->kind));
    }
}

void save_report(const Report& report, v2::Report& out) {
    out.set_kind(static_cast<std::uint32_t>(report.kind));
    out.set_time_ns(report.time_ns);
    out.set_task(report.task);
    out.set_site(report.site);
    out.set_stack(report.stack);
    out.mutable_frames()->Add(report.frames.begin(), report.frames.end());
    out.set_text(report.text);
    out.set_thread(report.thread);
    out.set_duration_ns(report.duration_ns);
}

void save_long_steps(const std::deque<LongStep>& long_steps, v2::LongStepColumns& out) {
    std::vector<Slice> slices;
    slices.reserve(long_steps.size());
    for (const LongStep& step : long_steps) {
        Slice slice;
        slice.begin_ns = step.begin_ns;
        slice.end_ns = step.end_ns;
        slice.task = step.task;
        slice.began_at = step.began_at;
        slice.ended_at = step.ended_at;
        slices.push_back(slice);
        out.add_loop(step.loop);
        out.add_callback(step.callback);
    }
    save_slices(slices, *out.mutable_steps());
}

}  // namespace

void Model::Fold::save(v2::Keyframe& out) const {
    out.Clear();
    out.set_sequence(sequence);
    *out.mutable_hello() = hello;
    save_definitions(definitions, out);
    for (const Thread& each : threads) {
        v2::ThreadState& state = *out.add_threads();
        state.mutable_thread()->set_id(each.id);
        state.mutable_thread()->set_tid(each.tid);
        state.mutable_thread()->set_name(each.name);
        state.set_loop(each.loop);
        state.set_last_ns(thread_entries.at(each.id).last_ns);
    }
    save_tasks(tasks.sorted(), *out.mutable_tasks());
    for (const TaskEntry* task = done_tasks.first; task != nullptr; task = task->next) out.add_done_tasks(task->id);
    for (const auto& entry : loop_entries) save_loop(*entry, *out.add_loops());
    save_long_steps(long_steps, *out.mutable_long_steps());
    for (const Report& report : reports) save_report(report, *out.add_reports());
    for (const Gap& gap : gaps) {
        v2::Gap& saved = *out.add_gaps();
        saved.set_thread(gap.thread);
        saved.set_count(gap.count);
        saved.set_first_ns(gap.first_ns);
        saved.set_last_ns(gap.last_ns);
    }
    v2::Counters& counters = *out.mutable_counters();
    counters.set_now_ns(now_ns);
    counters.set_first_ns(first_ns);
    counters.set_events(events);
    counters.set_batches(batches);
    counters.set_dropped(dropped);
    counters.set_batches_lost(batches_lost);
    counters.set_anomalies(anomalies);
    counters.set_tasks_created(tasks_created);
    counters.set_done_tasks_dropped(done_tasks_dropped);
    counters.set_live_tasks_refused(live_tasks_refused);
    counters.set_snapshots(snapshots);
}

}  // namespace coroscope::model
