// What the events of tasks mean.
#include <algorithm>
#include <utility>

#include "fold.hpp"

namespace coroscope::model {

TaskEntry* Model::Fold::add_task(TaskId id, LoopEntry* owner) {
    if (id == 0) {
        ++anomalies;
        return nullptr;
    }
    if (tasks.size() - done_count >= limits.live_tasks) {
        ++live_tasks_refused;
        return nullptr;
    }
    TaskEntry& task = tasks.add(id);
    task.owner = owner;
    if (owner != nullptr) {
        task.loop = owner->loop->id;
    }
    task.seen = mark_of(owner);
    list_of(owner).push_front(task);
    return &task;
}

// Of a task that is created, or found, now: the last snapshot that it need not be listed in.
std::uint32_t Model::Fold::mark_of(const LoopEntry* owner) const {
    return std::max(process_snapshot, owner == nullptr ? 0 : owner->snapshot_mark);
}

// A task whose creation was lost, or comes later from another thread.
TaskEntry* Model::Fold::task_or_placeholder(TaskId id, ThreadEntry& on, std::uint64_t time_ns) {
    if (TaskEntry* known = tasks.find(id)) return known;
    TaskEntry* task = add_task(id, on.loop);
    if (task == nullptr) return nullptr;
    mark_incomplete(*task);
    task->thread = on.id;
    task->state = State::suspended;
    task->changed_ns = time_ns;
    task->found = true;
    return task;
}

void Model::Fold::move_to(TaskEntry& task, LoopEntry* owner) {
    list_of(task.owner).remove(task);
    task.owner = owner;
    task.loop = owner == nullptr ? 0 : owner->loop->id;
    task.seen = std::max(task.seen, mark_of(owner));
    if (task.incomplete)
        list_of(owner).push_back(task);
    else
        list_of(owner).push_front(task);
}

void Model::Fold::mark_incomplete(TaskEntry& task) {
    if (task.incomplete) return;
    task.incomplete = true;
    if (task.state == State::done) return;
    list_of(task.owner).remove(task);
    list_of(task.owner).push_back(task);
}

void Model::Fold::retire(TaskEntry& task, std::uint64_t time_ns, Outcome outcome, bool is_end) {
    list_of(task.owner).remove(task);
    task.owner = nullptr;
    task.state = State::done;
    task.outcome = outcome;
    task.changed_ns = time_ns;
    task.found = !is_end;
    task.done_ns = is_end ? time_ns : 0;
    done_tasks.push_back(task);
    ++done_count;
    trim_done();
}

void Model::Fold::trim_done() {
    while (done_count > limits.done_tasks) {
        TaskEntry& oldest = *done_tasks.first;
        forget_attributes(Of::task, oldest.id);
        done_tasks.remove(oldest);
        tasks.remove(oldest);
        --done_count;
        ++done_tasks_dropped;
    }
}

// It was taken for gone, and is not.
void Model::Fold::revive(TaskEntry& task) {
    done_tasks.remove(task);
    --done_count;
    task.incomplete = true;
    task.state = State::suspended;
    task.outcome = Outcome::unknown;
    task.done_ns = 0;
    task.owner = find_loop(task.loop);
    list_of(task.owner).push_back(task);
}

void Model::Fold::created(ThreadEntry& on, std::uint64_t time_ns, TaskId id, TaskId parent, NodeId root) {
    TaskEntry* task = tasks.find(id);
    if (task == nullptr) {
        task = add_task(id, on.loop);
        if (task == nullptr) return;
        task->state = State::created;
        know(*task);
        task->changed_ns = time_ns;
        task->thread = on.id;
    } else if (task->created_ns != 0) {
        ++anomalies;  // twice
        return;
    }
    ++tasks_created;
    task->parent = parent;
    task->root = root;
    task->created_ns = time_ns;
}

void Model::Fold::named(ThreadEntry& on, std::uint64_t time_ns, TaskId id, std::uint64_t name) {
    TaskEntry* task = task_or_placeholder(id, on, time_ns);
    if (task == nullptr) return;
    if (name > limits.names)
        ++anomalies;
    else
        task->name = static_cast<std::uint32_t>(name);
}

void Model::Fold::ready(ThreadEntry& on, std::uint64_t time_ns, TaskId id, TaskId waker) {
    TaskEntry* task = task_or_placeholder(id, on, time_ns);
    if (task == nullptr) return;
    switch (task->state) {
        case State::suspended:
            if (time_ns < task->changed_ns) break;  // another thread's news, of before
            // A lock is handed to the task that is woken for it, unless the task was woken to be cancelled.
            if (task->wait.verb == Verb::acquire && task->cancelled_ns < task->changed_ns) [[unlikely]] {
                Resource* lock = find_resource(task->wait.operand);
                if (lock != nullptr && lock->type == ResourceType::lock) set_owner(lock->id, id, time_ns);
            }
            task->state = State::ready;
            // A loop that was held up fires a timer late: the task could have run since the timer was due.
            if (const std::uint64_t due_ns = task->wait.due_ns(); waker == 0 && due_ns != 0 && due_ns < time_ns)
                task->changed_ns = std::max(task->changed_ns, due_ns);
            else
                task->changed_ns = time_ns;
            task->found = false;
            task->woken_by = waker;
            return;
        case State::running:
            task->woken_while_running = true;
            task->woken_by = waker;
            return;
        case State::created:
        case State::ready: task->woken_by = waker; return;
        case State::done: break;
    }
    ++anomalies;
}

void Model::Fold::step_begin(ThreadEntry& on, std::uint64_t time_ns, TaskId id) {
    TaskEntry* task = task_or_placeholder(id, on, time_ns);
    if (task != nullptr && task->state == State::done) {
        if (task->outcome == Outcome::unknown && task->incomplete) {
            revive(*task);
        } else {
            ++anomalies;
            task = nullptr;
        }
    }
    Slice* slice = on.loop != nullptr ? &open_slice(*on.loop, time_ns, id, task) : nullptr;
    if (task == nullptr) return;
    if (on.loop != nullptr && task->owner != on.loop) move_to(*task, on.loop);
    know(*task);
    const NodeId began_at = task->suspended_at != 0 ? task->suspended_at : task->root;
    if (slice != nullptr) slice->began_at = began_at;
    if (task->state == State::ready || task->state == State::created) {
        const std::uint64_t waited_ns = since(task->changed_ns, time_ns);
        task->ready_ns += waited_ns;
        task->longest_ready_ns = std::max(task->longest_ready_ns, waited_ns);
        if (slice != nullptr) {
            slice->ready_ns = task->changed_ns;
            slice->woken_by = task->state == State::ready ? task->woken_by : 0;
            woke_to_run(*on.loop->loop, waited_ns);
        }
    }
    task->state = State::running;
    task->changed_ns = task->step_began_ns = time_ns;
    task->found = false;
    task->step_began_at = began_at;
    task->suspended_at = 0;
    task->wait = {};
    task->woken_while_running = false;
    task->thread = on.id;
}

void Model::Fold::step_end(ThreadEntry& on, std::uint64_t time_ns, TaskId id, std::uint64_t wait, NodeId at) {
    TaskEntry* task = nullptr;
    std::uint64_t took_ns = 0;
    if (LoopEntry* loop = on.loop; loop != nullptr) {
        std::optional<Slice>& open = loop->loop->open_slice;
        const bool whole = open && open->task == id;
        if (whole && loop->open_task != nullptr && loop->open_task->id == id) task = loop->open_task;
        if (!whole && open && !loop->loop->outer_slices.empty()) [[unlikely]] {
            // The end of a nested step was lost: on to the outer step that ends now, if there is one.
            ++anomalies;
            while (open && open->task != id && !loop->loop->outer_slices.empty()) {
                if (TaskEntry* nested = tasks.find(open->task)) mark_incomplete(*nested);
                close_slice(*loop, time_ns, 0, false);
            }
        } else if (!whole && loop->gap_end_ns != 0 && !open) {
            // Its begin was lost in the gap, and since the gap's end nothing was: it ran at least from there on.
            open_slice(*loop, std::min(loop->gap_end_ns, time_ns), id, nullptr);
        } else if (!whole) {
            ++anomalies;
        }
        if (open && open->task == id) {
            took_ns = close_slice(*loop, time_ns, at, whole, wait);
        }
        loop->gap_end_ns = 0;
    }
    // One that has finished was perhaps retired meanwhile: no placeholder for it.
    const bool finished = vocabulary::verb_of(wait) == static_cast<std::uint8_t>(Verb::finished);
    if (task == nullptr) task = finished ? tasks.find(id) : task_or_placeholder(id, on, time_ns);
    if (task == nullptr) return;
    ++task->steps;
    task->busy_ns += took_ns;
    task->longest_step_ns = std::max(task->longest_step_ns, took_ns);
    task->step_began_ns = 0;
    if (task->state == State::done) return;
    if (finished) {  // its TASK_DONE was lost
        mark_incomplete(*task);
        retire(*task, time_ns, Outcome::unknown);
        return;
    }
    task->suspended_at = at != 0 ? at : task->root;
    know(*task);
    note_cancelled_wait(*task, time_ns);
    begin_wait(*task, time_ns, wait);
    const bool yields = task->wait.verb == Verb::turn;
    if (yields && !task->woken_while_running) task->woken_by = id;
    task->state = yields || task->woken_while_running ? State::ready : State::suspended;
    task->woken_while_running = false;
    task->changed_ns = time_ns;
    task->found = false;
}

void Model::Fold::done(ThreadEntry& on, std::uint64_t time_ns, TaskId id, std::uint64_t outcome) {
    TaskEntry* task = task_or_placeholder(id, on, time_ns);
    if (task == nullptr) return;
    outcome = std::min<std::uint64_t>(outcome, 255);  // unknown numbers are kept
    if (task->state == State::done) {
        if (task->outcome != Outcome::unknown) {
            ++anomalies;
            return;
        }
        revive(*task);
    }
    retire(*task, time_ns, static_cast<Outcome>(outcome));
}

void Model::Fold::root_known(ThreadEntry& on, std::uint64_t time_ns, TaskId id, NodeId root) {
    if (TaskEntry* task = task_or_placeholder(id, on, time_ns)) task->root = root;
}

void Model::Fold::wait_holder(TaskId id, TaskId holder) {
    if (TaskEntry* task = tasks.find(id)) task->next_holder = holder;
}

void Model::Fold::time_limit(ThreadEntry& on, std::uint64_t time_ns, TaskId id, bool begins) {
    TaskEntry* task = task_or_placeholder(id, on, time_ns);
    if (task == nullptr) return;
    // The begin of a limit can have been lost.
    if (begins)
        ++task->time_limits;
    else if (task->time_limits != 0)
        --task->time_limits;
}

void Model::Fold::begin_wait(TaskEntry& task, std::uint64_t time_ns, std::uint64_t wait) {
    task.wait = wait_of(wait);
    if (task.next_holder == 0) return;
    task.wait.holder = std::exchange(task.next_holder, 0);
    if (task.wait.resource() != 0) set_owner(task.wait.resource(), task.wait.holder, time_ns);
}

}  // namespace coroscope::model
