// What the events of loops mean: their slices, iterations, and the snapshots of their tasks.
#include <algorithm>

#include "fold.hpp"

namespace coroscope::model {

void Model::Fold::loop_started(ThreadEntry& on, std::uint64_t time_ns, LoopId id) {
    // Said again with each snapshot, for those who came late.
    if (on.loop != nullptr && on.loop->loop->id == id) return;
    if (on.loop != nullptr) {  // its end was lost
        ++anomalies;
        detach(*on.loop, time_ns);
    }
    LoopEntry* entry = find_loop(id);
    if (entry != nullptr && entry->loop->running) {  // it runs on another thread?
        ++anomalies;
        detach(*entry, time_ns);
    }
    if (entry == nullptr) entry = add_loop(id);
    if (entry == nullptr) return;
    Loop& loop = *entry->loop;
    loop.thread = on.id;
    loop.running = true;
    if (loop.started_ns == 0) loop.started_ns = time_ns;
    loop.stopped_ns = 0;
    end_poll(loop);
    // What a loop does before its first poll is an iteration, too.
    loop.iteration_began_ns = time_ns;
    loop.iteration_events = loop.iteration_steps = 0;
    entry->gap_end_ns = 0;
    on.loop = entry;
    threads[on.index].loop = id;
}

void Model::Fold::loop_stopped(ThreadEntry& on, std::uint64_t time_ns, LoopId id) {
    LoopEntry* entry = find_loop(id);
    if (entry == nullptr || !entry->loop->running) {
        ++anomalies;
        return;
    }
    if (entry != on.loop) ++anomalies;
    detach(*entry, time_ns);
}

void Model::Fold::detach(LoopEntry& entry, std::uint64_t time_ns) {
    Loop& loop = *entry.loop;
    while (loop.open_slice) close_slice(entry, std::max(time_ns, loop.open_slice->begin_ns), 0, false);
    end_iteration(entry, time_ns);
    if (loop.closing_since_ns != 0) loop.closing_ns += since(loop.closing_since_ns, time_ns);
    loop.closing_since_ns = 0;
    loop.running = false;
    end_poll(loop);
    loop.stopped_ns = time_ns;
    entry.snapshot_open = false;
    entry.gap_end_ns = 0;
    const auto place = thread_entries.find(loop.thread);
    if (place == thread_entries.end() || place->second.loop != &entry) return;
    place->second.loop = nullptr;
    threads[place->second.index].loop = 0;
}

void Model::Fold::end_iteration(LoopEntry& entry, std::uint64_t time_ns) {
    Loop& loop = *entry.loop;
    if (loop.iteration_began_ns == 0) return;
    const std::uint64_t took_ns = since(loop.iteration_began_ns, time_ns);
    loop.iterations.push_back(
        {loop.iteration_began_ns, loop.iteration_began_ns + took_ns, loop.iteration_events, loop.iteration_steps});
    loop.iterations_dropped += bound(loop.iterations, limits.iterations);
    loop.longest_iteration_ns = std::max(loop.longest_iteration_ns, took_ns);
    loop.iteration_lengths.add(took_ns);
    ++loop.iterations_total;
    loop.iteration_began_ns = 0;
    loop.iteration_events = loop.iteration_steps = 0;
}

void Model::Fold::woke_to_run(Loop& loop, std::uint64_t waited_ns) {
    loop.wake_to_run.add(waited_ns);
    loop.longest_wake_to_run_ns = std::max(loop.longest_wake_to_run_ns, waited_ns);
}

void Model::Fold::poll_begin(ThreadEntry& on, std::uint64_t time_ns) {
    if (on.loop == nullptr) return;
    while (on.loop->loop->open_slice) {
        ++anomalies;
        close_slice(*on.loop, time_ns, 0, false);
    }
    end_iteration(*on.loop, time_ns);
    on.loop->loop->polling = true;
    on.loop->loop->polling_since_ns = time_ns;
    on.loop->loop->idle_since_ns = 0;
    on.loop->gap_end_ns = 0;
}

void Model::Fold::poll_end(ThreadEntry& on, std::uint64_t time_ns, std::uint64_t found) {
    if (on.loop == nullptr) return;
    Loop& loop = *on.loop->loop;
    if (loop.idle_since_ns != 0 && found == 0 && !on.loop->snapshot_open) {
        ++loop.foreign_wakes;
        on.loop->woken_ns = time_ns;
    }
    end_poll(loop);
    loop.iteration_began_ns = time_ns;
    loop.iteration_events = static_cast<std::uint32_t>(std::min<std::uint64_t>(found, ~std::uint32_t{0}));
    loop.iteration_steps = 0;
    on.loop->gap_end_ns = 0;
}

void Model::Fold::loop_idle(ThreadEntry& on, std::uint64_t time_ns, LoopId id, std::uint64_t watched) {
    if (on.loop == nullptr || on.loop->loop->id != id || !on.loop->loop->polling) {
        ++anomalies;
        return;
    }
    on.loop->loop->idle_since_ns = std::max<std::uint64_t>(time_ns, 1);
    on.loop->loop->idle_watched = watched;
}

// It runs no more steps: what it waits for is no iteration that would delay any.
void Model::Fold::loop_closing(std::uint64_t time_ns, LoopId id) {
    LoopEntry* entry = find_loop(id);
    if (entry == nullptr || !entry->loop->running) {
        ++anomalies;
        return;
    }
    end_poll(*entry->loop);
    end_iteration(*entry, time_ns);
    entry->loop->closing_since_ns = std::max<std::uint64_t>(time_ns, 1);
}

void Model::Fold::end_poll(Loop& loop) {
    loop.polling = false;
    loop.polling_since_ns = loop.idle_since_ns = loop.idle_watched = 0;
}

void Model::Fold::callback_begin(ThreadEntry& on, std::uint64_t time_ns, TaskId cause, NodeId scheduled_at) {
    if (on.loop == nullptr) return;
    Slice& slice = open_slice(*on.loop, time_ns, 0, nullptr);
    slice.began_at = scheduled_at;
    slice.woken_by = cause;
}

void Model::Fold::callback_end(ThreadEntry& on, std::uint64_t time_ns) {
    if (on.loop == nullptr) return;
    const std::optional<Slice>& open = on.loop->loop->open_slice;
    while (open && open->task != 0 && !on.loop->loop->outer_slices.empty()) {
        ++anomalies;  // the end of a step nested in the callback was lost
        close_slice(*on.loop, time_ns, 0, false);
    }
    if (open && open->task == 0) {
        close_slice(*on.loop, time_ns, 0, true);
    } else if (!open && on.loop->gap_end_ns != 0) {  // as for the rest of a step
        open_slice(*on.loop, std::min(on.loop->gap_end_ns, time_ns), 0, nullptr);
        close_slice(*on.loop, time_ns, 0, false);
    } else {
        ++anomalies;
    }
}

Slice& Model::Fold::open_slice(LoopEntry& entry, std::uint64_t begin_ns, TaskId id, TaskEntry* task) {
    Loop& loop = *entry.loop;
    if (loop.open_slice) [[unlikely]] {
        const auto begins_again = [&](const Slice& outer) { return outer.task == id && id != 0; };
        const bool nested = !begins_again(*loop.open_slice) && loop.outer_slices.size() < most_nested_steps &&
                            std::none_of(loop.outer_slices.begin(), loop.outer_slices.end(), begins_again);
        if (nested) {
            pause_slice(entry, begin_ns);
        } else {  // the ends of the steps that are open were lost
            ++anomalies;
            while (loop.open_slice) {
                if (TaskEntry* other = tasks.find(loop.open_slice->task)) {
                    mark_incomplete(*other);
                    if (other != task && other->state == State::running) other->state = State::suspended;
                }
                close_slice(entry, begin_ns, 0, false);
            }
        }
    }
    entry.open_task = task;
    entry.open_ran_ns = 0;
    entry.gap_end_ns = 0;
    Slice& slice = loop.open_slice.emplace();
    slice.begin_ns = begin_ns;
    slice.task = id;
    return slice;
}

// A nested step begins: the slice of the outer step ends here, and a later slice goes on with that step.
void Model::Fold::pause_slice(LoopEntry& entry, std::uint64_t time_ns) {
    Loop& loop = *entry.loop;
    Slice piece = *loop.open_slice;
    loop.outer_slices.push_back(piece);
    piece.end_ns = std::max(time_ns, piece.begin_ns);
    piece.ended_at = piece.began_at;
    piece.continues = true;
    const std::uint64_t took_ns = piece.end_ns - piece.begin_ns;
    entry.outer_ran_ns.push_back(entry.open_ran_ns + took_ns);
    loop.busy_ns += took_ns;
    loop.slices.push_back(piece);
    loop.slices_dropped += bound(loop.slices, limits.slices);
    loop.open_slice.reset();
}

void Model::Fold::resume_outer_slice(LoopEntry& entry, std::uint64_t time_ns) {
    Loop& loop = *entry.loop;
    Slice slice = loop.outer_slices.back();
    loop.outer_slices.pop_back();
    slice.begin_ns = time_ns;
    slice.ready_ns = 0;  // its wait for the loop is told by the first slice
    loop.open_slice = slice;
    entry.open_task = tasks.find(slice.task);
    entry.open_ran_ns = entry.outer_ran_ns.back();
    entry.outer_ran_ns.pop_back();
}

// `whole`: its begin and end are those of a step, not of what is known of one.
std::uint64_t Model::Fold::close_slice(LoopEntry& entry, std::uint64_t time_ns, NodeId ended_at, bool whole,
                                       std::uint64_t wait) {
    Loop& loop = *entry.loop;
    // Copied first, and then written: a copy of what was just written would wait for it.
    Slice& slice = loop.slices.emplace_back(*loop.open_slice);
    loop.open_slice.reset();
    entry.open_task = nullptr;
    const std::uint64_t end_ns = std::max(time_ns, slice.begin_ns);
    slice.end_ns = end_ns;
    slice.ended_at = ended_at;
    slice.wait = wait;
    const std::uint64_t took_ns = end_ns - slice.begin_ns;
    const std::uint64_t whole_ns = entry.open_ran_ns + took_ns;  // without the steps nested in it
    loop.busy_ns += took_ns;
    ++loop.steps_total;
    ++loop.iteration_steps;
    if (whole && whole_ns >= slow_step_ns) [[unlikely]] {
        long_steps.push_back(
            {slice.task, loop.id, end_ns - whole_ns, end_ns, slice.began_at, ended_at, slice.task == 0});
        bound(long_steps, limits.long_steps);
    }
    if (loop.slices.size() > limits.slices) loop.slices_dropped += bound(loop.slices, limits.slices);
    if (!loop.outer_slices.empty()) [[unlikely]]
        resume_outer_slice(entry, end_ns);
    return whole_ns;
}

void Model::Fold::snapshot_begin(ThreadEntry& on, LoopId id) {
    if (id == 0) {  // of all tasks of the process, whatever thread they ran on
        process_snapshot_open = true;
        process_snapshot = ++snapshots;
        return;
    }
    if (on.loop == nullptr || on.loop->loop->id != id) {
        ++anomalies;
        return;
    }
    on.loop->snapshot_open = true;
    on.loop->snapshot_mark = ++snapshots;
    // It was the debugger that woke the loop, for this list.
    Loop& loop = *on.loop->loop;
    if (on.loop->woken_ns != 0 && on.loop->woken_ns == loop.iteration_began_ns && loop.foreign_wakes != 0) {
        --loop.foreign_wakes;
        on.loop->woken_ns = 0;
    }
}

void Model::Fold::snapshot_task(ThreadEntry& on, std::uint64_t time_ns, TaskId id, TaskId parent, NodeId root) {
    if (on.loop == nullptr && !process_snapshot_open) {
        ++anomalies;
        return;
    }
    TaskEntry* task = task_or_placeholder(id, on, time_ns);
    if (task == nullptr) return;
    if (task->state == State::done) {
        if (task->outcome != Outcome::unknown) {
            ++anomalies;
            return;
        }
        revive(*task);
    }
    if (on.loop != nullptr && task->owner != on.loop) move_to(*task, on.loop);
    task->seen = std::max(task->seen, mark_of(on.loop));
    task->thread = on.id;
    task->time_limits = 0;  // those in force follow
    if (parent != 0) task->parent = parent;
    if (root != 0) task->root = root;
}

void Model::Fold::snapshot_state(ThreadEntry& on, std::uint64_t time_ns, TaskId id, std::uint64_t wait, NodeId at) {
    TaskEntry* task = task_or_placeholder(id, on, time_ns);
    if (task == nullptr) return;
    if (task->state == State::done) {
        ++anomalies;
        return;
    }
    know(*task);
    const bool waits_for_loop = task->state == State::created || task->state == State::ready;
    const State now = at != 0 ? State::suspended : waits_for_loop ? task->state : State::ready;
    if (now == task->state && (at == 0 || task->suspended_at == at)) return;  // known
    task->state = now;
    task->changed_ns = time_ns;
    task->found = true;
    task->woken_while_running = false;
    if (at == 0) return;
    task->suspended_at = at;
    begin_wait(*task, time_ns, wait);
}

void Model::Fold::snapshot_end(ThreadEntry& on, std::uint64_t time_ns, LoopId id) {
    std::vector<TaskEntry*> gone;
    const auto look_through = [&](const TaskList& list, std::uint32_t mark) {
        for (TaskEntry* task = list.first; task != nullptr; task = task->next)
            if (task->seen < mark) gone.push_back(task);
    };
    if (id == 0 && process_snapshot_open) {
        process_snapshot_open = false;
        look_through(tasks_without_loop, process_snapshot);
        for (const auto& entry : loop_entries) look_through(entry->tasks, process_snapshot);
    } else if (on.loop != nullptr && on.loop->loop->id == id && on.loop->snapshot_open) {
        on.loop->snapshot_open = false;
        look_through(on.loop->tasks, on.loop->snapshot_mark);
    } else {
        ++anomalies;
        return;
    }
    std::sort(gone.begin(), gone.end(), [](const TaskEntry* a, const TaskEntry* b) { return a->id < b->id; });
    for (TaskEntry* task : gone) {
        mark_incomplete(*task);
        retire(*task, time_ns, Outcome::unknown, false);
    }
}

}  // namespace coroscope::model
