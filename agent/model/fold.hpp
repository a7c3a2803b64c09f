// The state behind a Model, and how each part of a batch changes it.
//
// Nothing here costs more than O(1) amortised an event, whatever the stream says: what must be walked is on a list, and
// whatever a walk visits was paid for by an event of its own.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "coroscope/v2/events.pb.h"
#include "coroscope/v2/keyframe.pb.h"
#include "coroscope/v2/session.pb.h"
#include "definitions.hpp"
#include "model.hpp"
#include "task_table.hpp"

namespace coroscope::model {

// What the fold knows of a loop beside what it shows.
struct LoopEntry {
    Loop* loop = nullptr;
    TaskEntry* open_task = nullptr;  // whose step open_slice is; may have been removed since: compare ids
    std::uint64_t gap_end_ns = 0;    // nothing was seen since the last gap, which ended then
    bool snapshot_open = false;
    std::uint32_t snapshot_mark = 0;  // of its last snapshot
    TaskList tasks;                   // its live tasks; those that are incomplete stand behind all others
};

struct ThreadEntry {
    std::size_t index = 0;  // in Fold::threads
    LoopEntry* loop = nullptr;
    std::uint64_t last_ns = 0;  // of its last event: the times of a thread never go back
};

struct Model::Fold {
    static constexpr std::uint64_t default_slow_step_ns = 100'000'000;

    explicit Fold(const Limits& the_limits) : limits(the_limits), definitions(the_limits) {}

    // fold.cpp
    void apply(const v2::Batch& batch);
    void set_hello(const v2::Hello& hello);
    void account(const v2::Batch& batch);
    void define(const v2::Batch& batch);
    void keep(const v2::Report& report);
    ThreadEntry& thread(std::uint32_t id);
    void trim_threads();
    LoopEntry* find_loop(LoopId id) const;
    LoopEntry* add_loop(LoopId id);  // nullptr: no room
    LoopEntry& new_loop(LoopId id);
    bool drop_stopped_loop();
    void apply_gap(ThreadEntry& on, const v2::Gap& gap);
    void lose_track(LoopEntry& loop, std::uint64_t from_ns, std::uint64_t to_ns);

    // lanes.cpp
    class Lane;
    struct Event {
        TaskId task = 0;
        std::uint64_t arg = 0;
        NodeId stack = 0;
    };
    void apply_lanes(const v2::Batch& batch);
    bool run(Lane& lane, std::uint64_t until_ns);
    void apply_event(ThreadEntry& on, std::uint64_t time_ns, std::uint8_t kind, const Event& event);

    // tasks.cpp: what events of tasks mean
    TaskEntry* add_task(TaskId id, LoopEntry* owner);  // nullptr: id 0, or no room
    TaskEntry* task_or_placeholder(TaskId id, ThreadEntry& on, std::uint64_t time_ns);
    TaskList& list_of(LoopEntry* owner) { return owner == nullptr ? tasks_without_loop : owner->tasks; }
    void move_to(TaskEntry& task, LoopEntry* owner);
    void mark_incomplete(TaskEntry& task);
    // `is_end`: the task ended at `time_ns`; else it was found gone by then.
    void retire(TaskEntry& task, std::uint64_t time_ns, Outcome outcome, bool is_end = true);
    void trim_done();
    void revive(TaskEntry& task);
    void created(ThreadEntry& on, std::uint64_t time_ns, TaskId id, TaskId parent, NodeId root);
    void named(ThreadEntry& on, std::uint64_t time_ns, TaskId id, std::uint64_t name);
    void ready(ThreadEntry& on, std::uint64_t time_ns, TaskId id, TaskId waker);
    void step_begin(ThreadEntry& on, std::uint64_t time_ns, TaskId id);
    void step_end(ThreadEntry& on, std::uint64_t time_ns, TaskId id, std::uint64_t wait, NodeId at);
    void done(ThreadEntry& on, std::uint64_t time_ns, TaskId id, std::uint64_t outcome);
    void cancel_requested(ThreadEntry& on, std::uint64_t time_ns, TaskId id, TaskId by, NodeId at);

    // loops.cpp: what events of loops mean
    void loop_started(ThreadEntry& on, std::uint64_t time_ns, LoopId id);
    void loop_stopped(ThreadEntry& on, std::uint64_t time_ns, LoopId id);
    void detach(LoopEntry& loop, std::uint64_t time_ns);
    void poll_begin(ThreadEntry& on, std::uint64_t time_ns);
    void poll_end(ThreadEntry& on, std::uint64_t time_ns, std::uint64_t found);
    void callback_begin(ThreadEntry& on, std::uint64_t time_ns, NodeId scheduled_at);
    void callback_end(ThreadEntry& on, std::uint64_t time_ns);
    void open_slice(LoopEntry& loop, const Slice& slice, TaskEntry* task);
    void close_slice(LoopEntry& loop, std::uint64_t time_ns, NodeId ended_at, bool whole);
    void end_iteration(LoopEntry& loop, std::uint64_t time_ns);
    void snapshot_begin(ThreadEntry& on, LoopId id);
    void snapshot_task(ThreadEntry& on, std::uint64_t time_ns, TaskId id, TaskId parent, NodeId root);
    void snapshot_state(ThreadEntry& on, std::uint64_t time_ns, TaskId id, std::uint64_t wait, NodeId at);
    void snapshot_end(ThreadEntry& on, std::uint64_t time_ns, LoopId id);

    // keyframe.cpp, keyframe_load.cpp
    void save(v2::Keyframe& keyframe) const;
    bool load(const v2::Keyframe& keyframe);  // into an empty fold; false: it makes no sense
    bool load_tasks(const v2::Keyframe& keyframe);
    void load_counters(const v2::Keyframe& keyframe);

    void saw(std::uint64_t time_ns) {
        if (time_ns > now_ns) now_ns = time_ns;
        if (first_ns == 0 || time_ns < first_ns) first_ns = time_ns;
    }

    Limits limits;
    DefinitionTable definitions;
    TaskTable tasks;
    TaskList tasks_without_loop;  // live; as LoopEntry::tasks
    TaskList done_tasks;          // oldest end first
    std::size_t done_count = 0;

    std::vector<std::unique_ptr<Loop>> loops;
    std::vector<std::unique_ptr<LoopEntry>> loop_entries;  // of the loop at the same index
    std::vector<Thread> threads;
    std::unordered_map<std::uint32_t, ThreadEntry> thread_entries;  // by id
    std::uint32_t snapshots = 0;                                    // marks given out

    std::deque<LongStep> long_steps;
    std::deque<Report> reports;
    std::deque<Gap> gaps;

    v2::Hello hello;
    std::uint64_t slow_step_ns = default_slow_step_ns;

    std::uint64_t sequence = 0, now_ns = 0, first_ns = 0, events = 0, batches = 0, dropped = 0, batches_lost = 0;
    std::uint64_t anomalies = 0, tasks_created = 0, done_tasks_dropped = 0, live_tasks_refused = 0;
    std::uint64_t version = 0;  // not part of what it knows

    // Made when asked for, for one version: children by parent (0: those whose parent is not retained).
    struct Children {
        std::uint64_t version = ~std::uint64_t{0};
        std::unordered_map<TaskId, std::vector<TaskId>> of;
    };
    mutable Children children;
};

// Keeps the newest `limit`. Returns how many went.
template <typename Queue>
std::size_t bound(Queue& queue, std::size_t limit) {
    std::size_t gone = 0;
    for (; queue.size() > limit; ++gone) queue.pop_front();
    return gone;
}

inline std::uint64_t since(std::uint64_t begin_ns, std::uint64_t end_ns) {
    return end_ns > begin_ns ? end_ns - begin_ns : 0;
}

inline Wait wait_of(std::uint64_t bits) {
    const std::uint64_t kind = bits & 15;
    const bool known = kind <= static_cast<std::uint64_t>(WaitKind::yield);
    return {known ? static_cast<WaitKind>(kind) : WaitKind::unknown, bits >> 4};
}

}  // namespace coroscope::model
