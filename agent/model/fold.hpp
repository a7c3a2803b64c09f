// The state behind a Model, and how each part of a batch changes it.
//
// Nothing here costs more than O(1) amortised an event, whatever the stream says: what must be walked is on a list, and
// whatever a walk visits was paid for by an event of its own.
#pragma once

#include <array>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "coroscope/v2/events.pb.h"
#include "coroscope/v2/keyframe.pb.h"
#include "coroscope/v2/session.pb.h"
#include "definitions.hpp"
#include "model.hpp"
#include "task_table.hpp"

namespace coroscope::model {

class TablesIn;  // columns_in.hpp

// What the fold knows of a loop beside what it shows.
struct LoopEntry {
    Loop* loop = nullptr;
    TaskEntry* open_task = nullptr;           // whose step open_slice is; may have been removed since: compare ids
    std::uint64_t open_ran_ns = 0;            // of the step in open_slice, in its earlier slices
    std::vector<std::uint64_t> outer_ran_ns;  // the same for Loop::outer_slices
    std::uint64_t gap_end_ns = 0;             // nothing was seen since the last gap, which ended then
    bool snapshot_open = false;
    std::uint32_t snapshot_mark = 0;  // of its last snapshot
    std::uint64_t woken_ns = 0;       // end of the last poll that is counted in Loop::foreign_wakes
    std::uint32_t losses = 0;         // times that events of it were lost
    TaskList tasks;                   // its live tasks; those that are incomplete stand behind all others
};

struct ThreadEntry {
    std::uint32_t id = 0;   // as in Fold::threads: read at each step
    std::size_t index = 0;  // in Fold::threads
    LoopEntry* loop = nullptr;
    std::uint64_t last_ns = 0;  // of its last event: the times of a thread never go back
};

// What the fold has seen of the stream as a whole.
struct Capture {
    std::uint64_t sequence = 0;  // of the last batch; 0: none
    std::uint64_t now_ns = 0, first_ns = 0, last_event_ns = 0;
    std::uint64_t events = 0, batches = 0, events_unknown = 0;
    std::uint64_t dropped = 0, batches_lost = 0, backlog = 0;
    std::uint32_t app_threads = 0;  // of the process, but coroscope's own; 0: unknown
    std::uint64_t anomalies = 0;
    std::uint64_t tasks_created = 0, done_tasks_dropped = 0, live_tasks_refused = 0;
    std::uint64_t resources_lost = 0, resources_refused = 0;
    std::uint64_t columns_unknown = 0;   // of keyframes of newer writers: what was in them is not known here
    std::uint32_t snapshots = 0;         // marks given out
    std::uint32_t process_snapshot = 0;  // mark of the last snapshot of all tasks of the process
    bool process_snapshot_open = false;
};

struct Model::Fold : Capture {
    static constexpr std::uint64_t default_slow_step_ns = 100'000'000;
    // Steps nested deeper than this are taken for begun anew: the ends of the outer ones were lost.
    static constexpr std::size_t most_nested_steps = 16;

    explicit Fold(const Limits& the_limits);
    ~Fold();

    // fold.cpp
    void begin(const v2::Batch& batch);  // what was left of the batch before is folded first
    bool go_on(std::uint64_t until_ns);  // false: something later is left
    bool take_reports(std::uint64_t until_ns);
    void set_hello(const v2::Hello& hello);
    void account(const v2::Batch& batch);
    void define(const v2::Batch& batch);
    void keep(const v2::Report& report);
    void step_cost(const v2::Report& report);
    void keep(Report report);
    static bool is_hotspot(ReportKind kind);
    void hotspot(const v2::Report& report);
    bool keep(Hotspot hotspot);  // false: it makes no sense
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
    class Merge;
    struct Event {
        std::uint64_t subject = 0;
        std::uint64_t argument = 0;
        NodeId stack = 0;
    };
    void open_lanes(const v2::Batch& batch);
    bool fold_lanes(std::uint64_t until_ns);  // false: something later is left
    void close_lanes();
    bool run(Lane& lane, std::uint64_t until_ns);
    void run_whole(Lane& lane, std::uint64_t until_ns);
    void apply_event(ThreadEntry& on, std::uint64_t time_ns, std::uint8_t kind, const Event& event);
    void skip_event(std::uint8_t kind);

    // terms.cpp: the vocabulary of the app, where it differs from this reader's
    void define_terms(const v2::Batch& batch);
    UnknownTerm* find_term(vocabulary::Table table, std::uint32_t id);
    const UnknownTerm* find_term(vocabulary::Table table, std::uint32_t id) const;
    void add_term(UnknownTerm term);
    bool load_term(UnknownTerm term);  // of a keyframe; false: it makes no sense

    // resources.cpp: what tasks wait on
    Resource* find_resource(ResourceId id);
    std::vector<const Resource*> sorted_resources() const;  // by id
    Resource* resource_or_placeholder(ResourceId id);       // nullptr: id 0, or no room
    void define_resources(const v2::Batch& batch);
    bool close_resources(std::uint64_t until_ns);  // false: something later is left
    void resource_used(std::uint64_t time_ns, ResourceId id, std::uint64_t use, NodeId at);
    void resource_level(std::uint64_t time_ns, ResourceId id, std::uint64_t level);
    void unfinished(ResourceId id, std::uint64_t count);
    void orphaned(std::uint64_t time_ns, ResourceId id);
    void add_member(ResourceId id, TaskId member);
    void set_owner(ResourceId id, TaskId owner, std::uint64_t time_ns);
    void job_begin(ThreadEntry& on, std::uint64_t time_ns, ResourceId id, TaskId waiting);
    void job_end(std::uint64_t time_ns, ResourceId id);

    // annotations.cpp: attributes, spans, marks, counters, runtimes
    void define_annotations(const v2::Batch& batch);
    void add_attribute(Of of, std::uint64_t id, std::uint64_t time_ns, std::uint64_t attribute);
    void forget_attributes(Of of, std::uint64_t id);
    void span_begin(ThreadEntry& on, std::uint64_t time_ns, SpanId id, std::uint64_t name, NodeId at, bool mark);
    void span_end(std::uint64_t time_ns, SpanId id);
    void keep_span(const Span& span);
    bool add_open_span(const Span& span);  // false: there is one with this id
    bool add_runtime(Runtime runtime);     // false: no room
    void count(std::uint64_t time_ns, std::uint64_t name, std::uint64_t bits);

    // tasks.cpp: what events of tasks mean
    TaskEntry* add_task(TaskId id, LoopEntry* owner);  // nullptr: id 0, or no room
    TaskEntry* task_or_placeholder(TaskId id, ThreadEntry& on, std::uint64_t time_ns);
    TaskList& list_of(LoopEntry* owner) { return owner == nullptr ? tasks_without_loop : owner->tasks; }
    void move_to(TaskEntry& task, LoopEntry* owner);
    void mark_incomplete(TaskEntry& task);
    // Its loop has said what it does: see Model::state_known().
    static void know(TaskEntry& task) {
        if (task.owner != nullptr) task.known_losses = task.owner->losses;
    }
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
    void root_known(ThreadEntry& on, std::uint64_t time_ns, TaskId id, NodeId root);
    void wait_holder(TaskId id, TaskId holder);
    void time_limit(ThreadEntry& on, std::uint64_t time_ns, TaskId id, bool begins);
    void begin_wait(TaskEntry& task, std::uint64_t time_ns, std::uint64_t wait);
    std::uint32_t mark_of(const LoopEntry* owner) const;

    // cancellations.cpp: what asks tasks to end, and what ends them
    void cancel_requested(ThreadEntry& on, std::uint64_t time_ns, TaskId id, TaskId by, NodeId at);
    void uncancelled(ThreadEntry& on, std::uint64_t time_ns, TaskId id, std::uint64_t remaining);
    void cancel_origin(TaskId id, std::uint64_t cancel);
    void cancel_thrown(ThreadEntry& on, std::uint64_t time_ns, TaskId id, NodeId at);
    void cancel_swallowed(std::uint64_t time_ns, TaskId id, NodeId at);
    void note_cancelled_wait(TaskEntry& task, std::uint64_t time_ns);
    void task_error(ThreadEntry& on, std::uint64_t time_ns, TaskId id, std::uint64_t value, NodeId at);
    void error_retrieved(std::uint64_t time_ns, TaskId id, TaskId by, NodeId at);

    // loops.cpp: what events of loops mean
    void loop_started(ThreadEntry& on, std::uint64_t time_ns, LoopId id);
    void loop_stopped(ThreadEntry& on, std::uint64_t time_ns, LoopId id);
    void detach(LoopEntry& loop, std::uint64_t time_ns);
    static void woke_to_run(Loop& loop, std::uint64_t waited_ns);
    void poll_begin(ThreadEntry& on, std::uint64_t time_ns);
    void poll_end(ThreadEntry& on, std::uint64_t time_ns, std::uint64_t found);
    void loop_idle(ThreadEntry& on, std::uint64_t time_ns, LoopId id, std::uint64_t watched);
    static void end_poll(Loop& loop);
    void loop_closing(std::uint64_t time_ns, LoopId id);
    void callback_begin(ThreadEntry& on, std::uint64_t time_ns, TaskId cause, NodeId scheduled_at);
    void callback_end(ThreadEntry& on, std::uint64_t time_ns);
    // Made where it stays, for the caller to fill.
    Slice& open_slice(LoopEntry& loop, std::uint64_t begin_ns, TaskId id, TaskEntry* task);
    void pause_slice(LoopEntry& loop, std::uint64_t time_ns);
    void resume_outer_slice(LoopEntry& loop, std::uint64_t time_ns);
    // Returns how long the whole step took.
    std::uint64_t close_slice(LoopEntry& loop, std::uint64_t time_ns, NodeId ended_at, bool whole,
                              std::uint64_t wait = 0);
    void end_iteration(LoopEntry& loop, std::uint64_t time_ns);
    void snapshot_begin(ThreadEntry& on, LoopId id);
    void snapshot_task(ThreadEntry& on, std::uint64_t time_ns, TaskId id, TaskId parent, NodeId root);
    void snapshot_state(ThreadEntry& on, std::uint64_t time_ns, TaskId id, std::uint64_t wait, NodeId at);
    void snapshot_end(ThreadEntry& on, std::uint64_t time_ns, LoopId id);

    // keyframe.cpp, keyframe_load.cpp
    void save(v2::Keyframe& keyframe) const;
    bool load(const v2::Keyframe& keyframe);  // into an empty fold; false: it makes no sense
    bool load_definitions(TablesIn& in);
    bool load_loops(TablesIn& in);
    bool load_threads(TablesIn& in);
    bool load_tasks(TablesIn& in);
    bool load_slices(TablesIn& in);
    bool load_queues(TablesIn& in);
    bool load_resources(TablesIn& in);
    bool load_annotations(TablesIn& in);

    void saw(std::uint64_t time_ns) {
        if (time_ns > now_ns) now_ns = time_ns;
        if (first_ns == 0 || time_ns < first_ns) first_ns = time_ns;
    }

    void saw_event(std::uint64_t time_ns) {
        saw(time_ns);
        if (time_ns > last_event_ns) last_event_ns = time_ns;
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

    std::deque<LongStep> long_steps;
    std::deque<Report> reports;
    std::map<std::pair<ReportKind, std::uint32_t>, Hotspot> hotspots;  // by kind and id
    std::deque<Gap> gaps;

    std::unordered_map<ResourceId, Resource, SeededHash> resources;
    std::deque<ResourceId> closed_resources;  // those of `resources` that are closed, oldest end first
    std::array<std::unordered_map<std::uint64_t, std::vector<Attribute>, SeededHash>, 3> attributes;  // by Of
    std::deque<Span> spans;
    std::map<SpanId, Span> open_spans;
    std::map<std::uint32_t, Counter> app_counters;  // by the id of their name
    std::vector<Runtime> runtimes;
    std::vector<UnknownTerm> unknown_terms;
    std::array<std::uint8_t, 256> kind_columns = vocabulary::columns_by_kind;

    v2::Hello hello;
    std::uint64_t slow_step_ns = default_slow_step_ns;

    std::uint64_t version = 0;  // not part of what it knows

    // The batch whose fold is under way; nullptr: none is.
    const v2::Batch* current = nullptr;
    v2::Batch own_batch;  // that batch, where its fold was to stop inside it
    std::unique_ptr<Merge> merge;
    int next_report = 0, next_closed = 0;

    // Made when asked for, for one version: children by parent (0: those whose parent is not retained).
    struct Children {
        std::uint64_t version = ~std::uint64_t{0};
        std::unordered_map<TaskId, std::vector<TaskId>> of;
    };
    mutable Children children;
    // The same of the live tasks that wait on a resource, by when their wait began.
    mutable Children waiters;
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

// Unknown verbs are kept as they are.
inline Wait wait_of(std::uint64_t bits) {
    return {static_cast<Verb>(vocabulary::verb_of(bits)), vocabulary::operand_of(bits), 0};
}

}  // namespace coroscope::model
