// A message as a fold. Trusts nothing: columns of unequal length, unknown states, ids given twice make it unusable.
//
// What exceeds this reader's Limits goes as it would have gone in the fold: the oldest first, counted.
#include <algorithm>

#include "fold.hpp"

namespace coroscope::model {

namespace {

template <typename... Columns>
bool equally_long(int size, const Columns&... columns) {
    return ((columns.size() == size) && ...);
}

template <typename Take>
bool load_slices(const v2::SliceColumns& in, Take take) {
    const int size = in.begin_ns_delta_size();
    if (!equally_long(size, in.duration_ns(), in.task_delta(), in.began_at(), in.ended_at(), in.woken_by(),
                      in.ready_ns()))
        return false;
    Slice slice;
    for (int i = 0; i < size; ++i) {
        slice.begin_ns += static_cast<std::uint64_t>(in.begin_ns_delta(i));
        slice.end_ns = slice.begin_ns + std::min(in.duration_ns(i), ~slice.begin_ns);
        slice.task += static_cast<std::uint64_t>(in.task_delta(i));
        slice.began_at = in.began_at(i);
        slice.ended_at = in.ended_at(i);
        slice.woken_by = in.woken_by(i);
        slice.ready_ns = slice.begin_ns + static_cast<std::uint64_t>(in.ready_ns(i));
        take(slice, i);
    }
    return true;
}

bool load_iterations(const v2::IterationColumns& in, std::deque<Iteration>& iterations) {
    const int size = in.begin_ns_delta_size();
    if (!equally_long(size, in.duration_ns(), in.events(), in.steps())) return false;
    std::uint64_t begin_ns = 0;
    for (int i = 0; i < size; ++i) {
        begin_ns += static_cast<std::uint64_t>(in.begin_ns_delta(i));
        iterations.push_back({begin_ns, begin_ns + std::min(in.duration_ns(i), ~begin_ns), in.events(i), in.steps(i)});
    }
    return true;
}

bool load_loop(const v2::LoopState& in, const Limits& limits, LoopEntry& entry) {
    Loop& loop = *entry.loop;
    loop.thread = in.thread();
    loop.running = in.running();
    loop.started_ns = in.started_ns();
    loop.stopped_ns = in.stopped_ns();
    if (!load_slices(in.slices(), [&](const Slice& slice, int) { loop.slices.push_back(slice); })) return false;
    if (!load_iterations(in.iterations(), loop.iterations)) return false;
    loop.slices_dropped = in.slices_dropped() + bound(loop.slices, limits.slices);
    loop.iterations_dropped = in.iterations_dropped() + bound(loop.iterations, limits.iterations);
    loop.busy_ns = in.busy_ns();
    loop.iterations_total = in.iterations_total();
    loop.steps_total = in.steps_total();
    loop.longest_iteration_ns = in.longest_iteration_ns();
    if (in.open_slice().begin_ns_delta_size() > 1) return false;
    const bool open_loaded = load_slices(in.open_slice(), [&](Slice slice, int) {
        slice.end_ns = 0;
        loop.open_slice = slice;
    });
    loop.polling = in.polling();
    loop.iteration_began_ns = in.iteration_began_ns();
    loop.iteration_events = in.iteration_events();
    loop.iteration_steps = in.iteration_steps();
    entry.snapshot_open = in.snapshot_open();
    entry.snapshot_mark = in.snapshot_mark();
    entry.gap_end_ns = in.gap_end_ns();
    return open_loaded;
}

bool task_columns_fit(const v2::TaskColumns& in) {
    return equally_long(in.id_delta_size(), in.parent(), in.root(), in.suspended_at(), in.name(), in.flags(), in.wait(),
                        in.loop(), in.thread(), in.woken_by(), in.cancel_requests(), in.cancelled_by(),
                        in.cancelled_at(), in.cancelled_ns(), in.cancelled_steps(), in.created_ns_delta(), in.done_ns(),
                        in.changed_ns(), in.busy_ns(), in.ready_ns(), in.longest_step_ns(), in.longest_ready_ns(),
                        in.steps(), in.step_began_ns(), in.step_began_at(), in.seen());
}

// False: unknown state or outcome.
bool load_task(const v2::TaskColumns& in, int i, TaskEntry& task) {
    const std::uint32_t state = in.flags(i) & 7;
    if (state > static_cast<std::uint32_t>(State::done)) return false;
    task.parent = in.parent(i);
    task.root = in.root(i);
    task.suspended_at = in.suspended_at(i);
    task.name = in.name(i);
    task.state = static_cast<State>(state);
    task.outcome = static_cast<Outcome>(in.flags(i) >> 3 & 3);
    task.incomplete = (in.flags(i) & 32) != 0;
    task.woken_while_running = (in.flags(i) & 64) != 0;
    task.wait = wait_of(in.wait(i));
    task.loop = in.loop(i);
    task.thread = in.thread(i);
    task.woken_by = in.woken_by(i);
    task.cancel_requests = in.cancel_requests(i);
    task.cancelled_by = in.cancelled_by(i);
    task.cancelled_at = in.cancelled_at(i);
    task.cancelled_ns = in.cancelled_ns(i);
    task.cancelled_steps = in.cancelled_steps(i);
    task.done_ns = task.created_ns + static_cast<std::uint64_t>(in.done_ns(i));
    task.changed_ns = task.created_ns + static_cast<std::uint64_t>(in.changed_ns(i));
    task.busy_ns = in.busy_ns(i);
    task.ready_ns = in.ready_ns(i);
    task.longest_step_ns = in.longest_step_ns(i);
    task.longest_ready_ns = in.longest_ready_ns(i);
    task.steps = in.steps(i);
    task.step_began_ns = in.step_began_ns(i);
    task.step_began_at = in.step_began_at(i);
    task.seen = in.seen(i);
    return true;
}

}  // namespace

bool Model::Fold::load_tasks(const v2::Keyframe& in) {
    const v2::TaskColumns& columns = in.tasks();
    if (!task_columns_fit(columns)) return false;
    TaskId id = 0;
    std::uint64_t created_ns = 0;
    for (int i = 0; i < columns.id_delta_size(); ++i) {
        id += columns.id_delta(i);
        created_ns += static_cast<std::uint64_t>(columns.created_ns_delta(i));
        if (id == 0 || tasks.find(id) != nullptr) return false;
        TaskEntry& task = tasks.add(id);
        task.created_ns = created_ns;
        if (!load_task(columns, i, task)) return false;
        if (task.state == State::done) continue;
        task.owner = find_loop(task.loop);
        if (task.incomplete)
            list_of(task.owner).push_back(task);
        else
            list_of(task.owner).push_front(task);
    }
    std::size_t live = tasks.size();
    for (const TaskId done_id : in.done_tasks()) {
        TaskEntry* task = tasks.find(done_id);
        const bool listed = task != nullptr && (task->previous != nullptr || done_tasks.first == task);
        if (task == nullptr || task->state != State::done || listed) return false;
        done_tasks.push_back(*task);
        ++done_count;
        --live;
    }
    for (const TaskEntry* task : tasks.sorted())
        if (task->state != State::done) --live;
    return live == 0;  // each task is on one list
}

bool Model::Fold::load(const v2::Keyframe& in) {
    set_hello(in.hello());
    v2::Batch definitions_batch;
    *definitions_batch.mutable_names() = in.names();
    *definitions_batch.mutable_sites() = in.sites();
    *definitions_batch.mutable_stacks() = in.stacks();
    define(definitions_batch);
    for (const v2::LoopState& state : in.loops()) {
        if (state.id() == 0 || find_loop(state.id()) != nullptr) return false;
        if (!load_loop(state, limits, new_loop(state.id()))) return false;
    }
    for (const v2::ThreadState& state : in.threads()) {
        const std::uint32_t id = state.thread().id();
        if (thread_entries.contains(id)) return false;
        ThreadEntry& entry = thread(id);
        Thread& known = threads[entry.index];
        known.tid = state.thread().tid();
        known.name = state.thread().name();
        shorten(known.name, limits.text_bytes);
        known.loop = state.loop();
        entry.last_ns = state.last_ns();
        if (state.loop() == 0) continue;
        entry.loop = find_loop(state.loop());
        if (entry.loop == nullptr || entry.loop->loop->thread != id || !entry.loop->loop->running) return false;
    }
    if (!load_tasks(in)) return false;
    const v2::LongStepColumns& steps = in.long_steps();
    if (!equally_long(steps.steps().begin_ns_delta_size(), steps.loop(), steps.callback())) return false;
    const bool steps_loaded = load_slices(steps.steps(), [&](const Slice& slice, int i) {
        long_steps.push_back({slice.task, steps.loop(i), slice.begin_ns, slice.end_ns, slice.began_at, slice.ended_at,
                              steps.callback(i)});
    });
    if (!steps_loaded) return false;
    for (const v2::Report& report : in.reports()) keep(report);
    for (const v2::Gap& gap : in.gaps()) gaps.push_back({gap.thread(), gap.count(), gap.first_ns(), gap.last_ns()});
    load_counters(in);
    trim_done();
    bound(long_steps, limits.long_steps);
    bound(gaps, limits.gaps);
    return true;
}

void Model::Fold::load_counters(const v2::Keyframe& in) {
    const v2::Counters& counters = in.counters();
    sequence = in.sequence();
    now_ns = counters.now_ns();
    first_ns = counters.first_ns();
    events = counters.events();
    batches = counters.batches();
    dropped = counters.dropped();
    batches_lost = counters.batches_lost();
    anomalies = counters.anomalies();
    tasks_created = counters.tasks_created();
    done_tasks_dropped = counters.done_tasks_dropped();
    live_tasks_refused = counters.live_tasks_refused();
    snapshots = counters.snapshots();
}

}  // namespace coroscope::model
