// The model of one app: the fold of its batches. Deterministic; no clock, no threads, no gRPC.
//
// What it knows after apply(b1) .. apply(bn) depends on those batches only. The agent, the viewer and every command
// fold the same batches with this code. A Keyframe is a serialised model: load_keyframe() then the batches after it
// give the same model as all batches from the start (property-tested).
//
// Thread: one at a time, the owner's. Memory: bounded by Limits. Times: ns on the app's CLOCK_MONOTONIC.
#pragma once

#include <boost/container/deque.hpp>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "coroscope/vocabulary.hpp"
#include "histogram.hpp"

namespace coroscope::v2 {
class Batch;
class Keyframe;
class Hello;
}  // namespace coroscope::v2

namespace coroscope::model {

using TaskId = std::uint64_t;  // 0: none
using NodeId = std::uint32_t;  // 0: none
using SiteId = std::uint32_t;  // 0: none
using LoopId = std::uint64_t;  // 0: none

using ResourceId = std::uint64_t;  // 0: none
using ValueId = std::uint32_t;     // 0: none
using SpanId = std::uint64_t;      // 0: none

inline constexpr std::uint64_t end_of_time = ~std::uint64_t{0};  // later than any time of an app

using vocabulary::CancelOrigin;
using vocabulary::NodeKind;
using vocabulary::Outcome;
using vocabulary::ReportKind;
using vocabulary::ResourceType;
using vocabulary::Role;
using vocabulary::to_string;
using vocabulary::Verb;

enum class State : std::uint8_t { created, ready, running, suspended, done };
std::string_view to_string(State state);  // "created" ... as in the JSON of `coroscope ps`

struct Site {
    std::string function, file;
    std::uint32_t line = 0, column = 0;
    std::uint32_t flags = 0;  // bits: vocabulary::SiteFlag

    bool is_library() const { return (flags & vocabulary::site_is_library) != 0; }
};

struct Node {
    NodeId parent = 0;
    SiteId site = 0;
    NodeKind kind = NodeKind::unknown;
};

// What a task waits on. Numbers that this reader does not know are kept: Model::term() has their names.
struct Wait {
    Verb verb = Verb::unknown;
    std::uint64_t operand = 0;  // a resource, a task, a file descriptor, a time: row(verb).operand says which; 0: none
    TaskId holder = 0;          // the task that held the resource when the wait began; 0: none, or unknown

    // The resource or the task that it waits for; 0: none.
    ResourceId resource() const { return vocabulary::row(verb).operand == vocabulary::Operand::resource ? operand : 0; }
    TaskId task() const { return vocabulary::row(verb).operand == vocabulary::Operand::task ? operand : 0; }
    // When its timer is due, on the app's clock; 0: it waits for none, or that is unknown.
    std::uint64_t due_ns() const {
        return vocabulary::row(verb).operand == vocabulary::Operand::due ? vocabulary::due_ns_of(operand) : 0;
    }
};

// A task that used a resource in a role: the first time that it did.
struct ResourceUser {
    TaskId task = 0;
    Role role = Role::unknown;
    std::uint64_t first_ns = 0;
    NodeId at = 0;  // where; 0: unknown
};

// What tasks wait on: a lock, a queue, a socket, a group of tasks ...
struct Resource {
    ResourceId id = 0;
    ResourceType type = ResourceType::unknown;
    std::string name;                             // given by the app; "": none
    NodeId created_at = 0;                        // where it was made
    TaskId created_by = 0;                        // the task that made it
    std::uint64_t created_ns = 0, closed_ns = 0;  // 0: unknown; closed: it still exists
    std::int64_t capacity = 0;                    // places, permits, threads; 0: unbounded, or it has none
    ResourceId parent = 0;                        // a job's thread pool
    std::uint64_t system_id = 0;                  // file descriptor + 1, or process id; 0: none
    std::uint64_t level = 0, high_water = 0;      // items or free permits, as last reported; the most there ever were
    std::uint64_t level_ns = 0;                   // when `level` was reported; 0: never
    std::uint64_t high_water_ns = 0;              // when the level reached high_water; 0: never
    std::uint64_t low_ns = 0;                     // when it was last at most half of the maximum until then; 0: never
    std::uint64_t unfinished = 0;     // of a queue: items not done, as last reported while a task waited for that
    std::uint64_t orphaned_ns = 0;    // of a future: since when only those who wait for it have handles; 0: no
    TaskId owner = 0;                 // the last task known to hold it; see Model::owner()
    std::uint64_t owner_ns = 0;       // when that was known
    std::vector<ResourceUser> users;  // the newest Limits::resource_users, oldest first
    std::vector<TaskId> members;      // the first Limits::resource_members tasks of a group, gather or wait
    std::uint64_t users_total = 0, members_total = 0;
    // Of a job on a pool thread.
    std::uint64_t begun_ns = 0, ended_ns = 0;  // 0: not yet, or its begin or end was lost
    std::uint32_t thread = 0;                  // that runs it
    TaskId job_of = 0;                         // the task that waits for it
};

struct Task {
    TaskId parent = 0;
    NodeId root = 0;         // NodeKind::task: its site is the coroutine, its parent where the task was created
    std::uint32_t name = 0;  // 0: none given
    std::uint64_t created_ns = 0, done_ns = 0;  // 0: unknown
    std::uint32_t cancel_requests = 0;
    NodeId cancelled_at = 0;                             // the call of cancel(): of the last request, as the next ones
    TaskId cancelled_by = 0;                             // who asked
    std::uint64_t cancelled_ns = 0;                      // when
    std::uint64_t cancelled_steps = 0;                   // steps it had run by then
    CancelOrigin cancel_origin = CancelOrigin::unknown;  // by what it was asked for
    ValueId cancel_message = 0;                          // 0: none
    NodeId cancel_thrown_at = 0;                         // the await at which Cancelled was last thrown into it
    NodeId cancel_swallowed_at = 0;         // the coroutine in which that Cancelled was gone, at its last await
    std::uint64_t cancel_thrown_ns = 0;     // when it was thrown; 0: it has not been
    std::uint64_t cancel_swallowed_ns = 0;  // when it was gone, and the task ran on; 0: never
    std::uint64_t cancel_repeated_ns = 0;   // when it waited again where that had been thrown
    ValueId error = 0;                      // type and text of what it ended with; 0: none
    NodeId error_at = 0;                    // the innermost coroutine that the error passed
    TaskId retrieved_by = 0;                // who looked at the error first; 0: none, or no task
    std::uint64_t retrieved_ns = 0;         // when; 0: nobody has
    NodeId retrieved_at = 0;                // where

    // What every step reads or writes, together: with many tasks, most of the fold's time goes for fetching it.
    std::uint32_t time_limits = 0;  // in force: one of them will end its wait
    TaskId id = 0;
    State state = State::created;
    Outcome outcome = Outcome::unknown;
    bool incomplete = false;       // events that concern it were lost: counts are lower bounds, times may be missing
    bool found = false;            // a listing found it in its state, which it entered at changed_ns or before
    NodeId suspended_at = 0;       // while suspended: innermost node of its await stack
    std::uint64_t changed_ns = 0;  // when it entered its state; 0: unknown
    Wait wait;
    LoopId loop = 0;
    TaskId woken_by = 0;              // last waker; 0: the loop
    std::uint64_t step_began_ns = 0;  // while running
    NodeId step_began_at = 0;         // where it was suspended before the running step (its root node for the first)
    std::uint32_t thread = 0;
    std::uint64_t steps = 0;
    std::uint64_t busy_ns = 0;   // sum of finished steps
    std::uint64_t ready_ns = 0;  // sum of finished waits for the loop
    std::uint64_t longest_step_ns = 0;
    std::uint64_t longest_ready_ns = 0;
};

// The task that `task` waits for; 0: it waits for something else, for several tasks, or not at all.
TaskId awaited_task(const Task& task);

// What comes in at the back for ever, and leaves at the front. std::deque's blocks are of 512 bytes: every eighth step
// would call malloc.
template <typename T>
using Newest =
    boost::container::deque<T, void,
                            boost::container::deque_options_t<boost::container::block_bytes<std::size_t{16} * 1024>>>;

// One step of a task, or one callback (task 0), on a loop.
struct Slice {
    std::uint64_t begin_ns = 0, end_ns = 0;
    TaskId task = 0;
    NodeId began_at = 0;         // where it had been suspended; a callback: where it was scheduled
    NodeId ended_at = 0;         // where it was suspended next; 0: it finished
    TaskId woken_by = 0;         // who made it ready for this step; 0: the loop, or unknown
    std::uint64_t ready_ns = 0;  // since when it was ready for this step; 0: unknown, or a callback
    std::uint64_t wait = 0;      // vocabulary::pack_wait(): what the task went to wait for; 0: unknown, or a callback
    bool continues = false;      // a step nested in it began here: this step goes on in a later slice
};

// A span that the app annotated, or a mark: a span of no length.
struct Span {
    SpanId id = 0;
    std::uint32_t name = 0;
    TaskId task = 0;  // the task that ran on the thread; 0: none
    std::uint32_t thread = 0;
    NodeId at = 0;                           // where it began
    std::uint64_t begin_ns = 0, end_ns = 0;  // end 0: it has not ended
    bool mark = false;
};

// The value of an attribute.
using Value = std::variant<std::monostate, std::string, std::int64_t, double, bool>;

struct Attribute {
    std::uint32_t key = 0;  // a name
    ValueId value = 0;
    std::uint64_t time_ns = 0;
};

// A counter of the app, by name.
struct CounterSample {
    std::uint64_t time_ns = 0;
    double value = 0;
};
struct Counter {
    std::uint32_t name = 0;
    double value = 0;
    std::uint64_t time_ns = 0;
    std::uint64_t samples = 0;         // all it has had
    std::deque<CounterSample> recent;  // the newest of them, oldest first
};

// A runtime whose tasks the app reports.
struct Runtime {
    std::uint32_t id = 0;
    std::string language, name, version;
    std::uint32_t capabilities = 0;  // bits: vocabulary::Capability
};

// A row of the app's vocabulary that this reader was built without. Events of an unknown kind are skipped and counted.
struct UnknownTerm {
    vocabulary::Table table = vocabulary::Table::none;  // none: a kind of event
    std::uint32_t id = 0;
    std::string name, words;
    vocabulary::Severity severity = vocabulary::Severity::warning;
    std::uint8_t columns = 0;  // of a kind of event
    std::uint64_t count = 0;   // events skipped; uses seen of a report kind
};

// One iteration of a loop: from the end of a poll to the begin of the next. While it lasts nothing else gets its turn:
// its length is the latency the loop adds.
struct Iteration {
    std::uint64_t begin_ns = 0, end_ns = 0;
    std::uint32_t events = 0;  // that the poll found
    std::uint32_t steps = 0;   // steps and callbacks run
};

struct Loop {
    LoopId id = 0;
    std::uint32_t thread = 0;
    bool running = false;
    std::uint64_t started_ns = 0, stopped_ns = 0;
    Newest<Slice> slices;                                      // the newest Limits::slices, oldest first
    Newest<Iteration> iterations;                              // the newest Limits::iterations
    std::uint64_t slices_dropped = 0, iterations_dropped = 0;  // retired by the limits
    std::uint64_t busy_ns = 0, iterations_total = 0, steps_total = 0;
    std::uint64_t longest_iteration_ns = 0, longest_wake_to_run_ns = 0;
    Histogram iteration_lengths;         // of all finished iterations
    Histogram wake_to_run;               // from ready to running, of all steps of which both are known
    std::vector<Slice> outer_slices;     // of steps that pause for the nested one in open_slice, outermost first
    std::optional<Slice> open_slice;     // the step that runs now (end_ns 0)
    bool polling = false;                // between POLL_BEGIN and POLL_END
    std::uint64_t polling_since_ns = 0;  // while polling
    // While polling: nothing on the loop can end the poll, for no timer is set. 0: one is.
    std::uint64_t idle_since_ns = 0;
    std::uint64_t idle_watched = 0;  // descriptors watched then
    // Polls of that kind that ended without I/O: another thread, or a signal, woke the loop.
    std::uint64_t foreign_wakes = 0;
    // Since when its end waits for the jobs of its pool, and for how long it waited in all. 0: it does not, it did not.
    std::uint64_t closing_since_ns = 0, closing_ns = 0;
    std::uint64_t iteration_began_ns = 0;                     // 0: no iteration runs, or its begin was lost
    std::uint32_t iteration_events = 0, iteration_steps = 0;  // of the running iteration
};

struct Thread {
    std::uint32_t id = 0;
    std::uint64_t tid = 0;
    std::string name;
    LoopId loop = 0;
};

struct Gap {
    std::uint32_t thread = 0;
    std::uint64_t count = 0, first_ns = 0, last_ns = 0;
};

// A step at least as long as the app's threshold.
struct LongStep {
    TaskId task = 0;
    LoopId loop = 0;
    std::uint64_t begin_ns = 0, end_ns = 0;
    NodeId began_at = 0, ended_at = 0;
    bool callback = false;
    // What its thread had meanwhile. Another CPU time than that between these two is impossible.
    bool measured = false;  // the app could tell; else all of these are 0
    std::uint64_t cpu_least_ns = 0, cpu_most_ns = 0;
    std::uint64_t no_cpu_ns = 0;  // at least for so long the process was stopped, or the thread waited for a CPU

    std::uint64_t took_ns() const { return end_ns - begin_ns; }
};

struct Report {
    ReportKind kind = ReportKind::unknown;  // unknown numbers are kept: Model::term() has their names
    std::uint64_t time_ns = 0;
    TaskId task = 0;
    SiteId site = 0;
    NodeId stack = 0;
    std::vector<SiteId> frames;  // outermost first
    std::string text;
    std::uint32_t thread = 0;
    std::uint64_t duration_ns = 0;
};

// A place where time of loops goes: calls that block, or samples of CPU time, within steps, summed since the start.
struct Hotspot {
    ReportKind kind = ReportKind::unknown;  // blocked_calls or cpu_samples
    std::uint32_t id = 0;                   // from 1, for the kind
    std::string function;                   // that was called; "": of samples
    NodeId stack = 0;                       // where the steps had begun; 0: unknown
    std::vector<SiteId> frames;             // the native stack within the step, outermost first
    TaskId task = 0;                        // the last one; 0: a callback
    std::uint32_t thread = 0;               // the last one
    std::uint64_t time_ns = 0;              // when this was reported
    std::uint64_t count = 0;                // calls that blocked; samples
    std::uint64_t total_ns = 0;             // of those calls; the CPU time that the samples stand for
    std::uint64_t longest_ns = 0;           // call
    std::uint64_t slow_ns = 0;              // of total_ns: within steps that were longer than the threshold by then
    std::uint64_t quick = 0;                // calls by the same line that did not block; 0: none, or unknown
};

// Named bounds on what a model keeps. Past one, the oldest goes and a counter says so; of live tasks and definitions,
// the newest is not taken.
struct Limits {
    std::size_t done_tasks = 100'000;
    std::size_t live_tasks = 4'000'000;  // counted in live_tasks_refused()
    std::size_t slices = 1'000'000;      // a loop
    std::size_t iterations = 1'000'000;  // a loop
    std::size_t long_steps = 10'000;
    std::size_t reports = 10'000;
    std::size_t hotspots = 16'384;  // above what an app's probe sends; the newest is not taken
    std::size_t gaps = 10'000;
    std::size_t loops = 256;      // the one that stopped first goes
    std::size_t threads = 4'096;  // the oldest without a loop goes
    std::size_t sites = 1 << 18;  // above what an app's probe defines
    std::size_t nodes = 1 << 19;
    std::size_t names = 1 << 17;
    std::size_t values = 1 << 16;
    std::size_t resources = 1'000'000;      // live; counted in resources_refused()
    std::size_t closed_resources = 10'000;  // the one closed first goes
    std::size_t resource_users = 64;        // of one resource: the oldest goes
    std::size_t resource_members = 256;     // of one resource: the newest is not taken, but counted
    std::size_t spans = 100'000;            // ended ones
    std::size_t open_spans = 10'000;        // the oldest goes
    std::size_t attributes = 64;            // of one task, resource or span: the newest is not taken
    std::size_t attributed = 100'000;       // tasks, resources and spans that have attributes
    std::size_t counters = 1'000;
    std::size_t counter_samples = 4'096;  // of one counter
    std::size_t unknown_terms = 4'096;
    std::size_t runtimes = 64;
    std::size_t text_bytes = 4'096;   // of one text
    std::size_t report_frames = 256;  // of one report
};

class Model {
public:
    // The deepest stack that stack() returns; of a deeper one the outermost frames are left out.
    static constexpr std::size_t max_stack_frames = 1'000;

    Model();
    explicit Model(Limits limits);
    ~Model();
    Model(Model&&) noexcept;
    Model& operator=(Model&&) noexcept;

    // Folds one batch. Any content is safe: what makes no sense is counted in anomalies() and otherwise ignored.
    void apply(const v2::Batch& batch);

    // The model at a moment. The fold is one sequence: of each batch its number, losses and definitions, then its
    // events and gaps in order of time over all threads (a gap at the time at which it begins), then its reports, the
    // resources that it closes, and its own time. The model at t is the fold of the longest beginning of that sequence
    // in which nothing is later than t. What has no time (definitions, losses) counts as soon as what comes before it.
    // So the model at t is one that the app's batches went through, the model at the end of time is the fold of all,
    // and to fold on from t to a later moment gives the same model as to fold up to that moment from the start. Of
    // several threads, one may be behind t by as long as the emitter took to drain them: the batch after holds the
    // rest, and the fold has not reached it.
    //
    // Folds a batch up to `until_ns`. True: all of it. False: something later is left; go_on() folds on, and what is
    // left when the next batch comes is folded first. A keyframe does not have what is left.
    bool apply(v2::Batch&& batch, std::uint64_t until_ns);
    bool go_on(std::uint64_t until_ns);  // true: nothing is left

    void set_hello(const v2::Hello& hello);  // thresholds, wall clock
    void save_keyframe(v2::Keyframe& keyframe) const;
    [[nodiscard]] bool load_keyframe(const v2::Keyframe& keyframe);  // false: not usable, the model is as it was

    // Tasks. O(1) by id. Pointers stay valid until the next apply().
    const Task* task(TaskId id) const;
    std::vector<const Task*> live_tasks() const;  // by id
    std::vector<const Task*> done_tasks() const;  // the retained ones, oldest end first
    std::vector<const Task*> all_tasks() const;   // live and retained, by id
    // Retained ones, by id. 0: the roots, that is also the tasks whose parent is not retained.
    std::vector<TaskId> children(TaskId parent) const;
    std::string task_name(const Task& task) const;  // given, or "Task-<id>" as asyncio
    std::string coroutine(const Task& task) const;  // function of its first coroutine, "?" if unknown
    // "std::runtime_error: no route": what it ended with; "": nothing, or it is not known. Valid until the next
    // apply().
    std::string_view error_text(const Task& task) const;
    // What the last cancel() gave; "": nothing.
    std::string_view cancel_message(const Task& task) const;
    // The live tasks that wait for this one. Costs a pass over the live tasks.
    std::vector<TaskId> awaiters(TaskId task) const;

    // Times of a task so far, at now_ns(). 0: unknown.
    std::uint64_t busy_ns(const Task& task) const;      // finished steps, and the one that runs
    std::uint64_t age_ns(const Task& task) const;       // alive: since its creation; done: how long it lived
    std::uint64_t in_state_ns(const Task& task) const;  // since it entered its state
    // Its loop has said what the task does, and no event of the loop was lost since: state and wait are those of now.
    // A task whose history is incomplete can be known.
    bool state_known(const Task& task) const;

    // Stacks. An async stack is a node's path; frames come outermost first, innermost last.
    const Site* site(SiteId id) const;
    const Node* node(NodeId id) const;
    struct StackFrame {
        std::string_view function, file;  // valid until the next apply()
        std::uint32_t line = 0;  // where it awaits (or creates); its own definition if it is the innermost and runs
        NodeId node = 0;
        bool library = false;  // the app says that it is not the user's own code
    };
    // Within the task of `node`: each coroutine with the line where it awaits the next; the innermost names what it
    // awaits at.
    std::vector<StackFrame> stack(NodeId node) const;
    // Suspended, or ready to go on: the await. Else: its coroutine.
    NodeId stands_at(const Task& task) const;
    std::vector<StackFrame> await_stack(const Task& task) const;  // of stands_at()
    std::vector<StackFrame> creation_stack(const Task& task) const;
    // The site of `node` itself.
    const Site* site_of(NodeId node) const;
    std::string_view name(std::uint32_t id) const;

    const std::vector<std::unique_ptr<Loop>>& loops() const;
    const std::vector<Thread>& threads() const;
    const std::deque<LongStep>& long_steps() const;
    const std::deque<Report>& reports() const;
    const std::deque<Gap>& gaps() const;
    // Where time goes, of one kind: blocked_calls by what they took, cpu_samples by their number; most first.
    std::vector<const Hotspot*> hotspots(ReportKind kind) const;

    // Resources. O(1) by id. Pointers stay valid until the next apply().
    const Resource* resource(ResourceId id) const;
    std::vector<const Resource*> resources() const;    // live and retained, by id
    std::vector<TaskId> waiters(ResourceId id) const;  // live tasks that wait on it, by when their wait began
    // The task that holds it, as far as is known: 0 while nobody waits on it, since its holder need not report that it
    // let go then.
    TaskId owner(const Resource& resource) const;

    // Annotations.
    enum class Of : std::uint8_t { task, resource, span };
    std::span<const Attribute> attributes(Of of, std::uint64_t id) const;
    const Value* value(ValueId id) const;
    const std::deque<Span>& spans() const;         // ended, and marks; by end
    std::vector<const Span*> open_spans() const;   // by id
    std::vector<const Counter*> counters() const;  // by name's id

    const std::vector<Runtime>& runtimes() const;
    // What the stream has that this reader was built without.
    const std::vector<UnknownTerm>& unknown_terms() const;
    // The name of any number of the app's vocabulary, known here or not; "unknown" if even the app did not say.
    std::string_view term(vocabulary::Table table, std::uint32_t id) const;
    std::string_view term_words(vocabulary::Table table, std::uint32_t id) const;
    // "queue 'jobs'", "lock 3"; and what follows "waits for": "an item from queue 'jobs'".
    std::string resource_words(ResourceId id) const;
    std::string wait_words(const Wait& wait) const;

    // Capture health.
    std::uint64_t now_ns() const;         // the newest time in any batch
    std::uint64_t first_ns() const;       // the oldest
    std::uint64_t last_event_ns() const;  // the newest of an event or a report; heartbeats move now_ns() only
    std::uint64_t backlog() const;        // events that waited in the app's rings when it last said
    // Threads of the process that could still wake a loop: none of coroscope's or of loops, but those that run jobs.
    // nullopt: not known.
    std::optional<std::size_t> other_threads() const;
    std::uint64_t events_unknown() const;  // skipped: their kinds are not known here
    std::uint64_t resources_lost() const;  // whose definitions the app had no room for
    std::uint64_t resources_refused() const;
    std::uint64_t events() const;
    std::uint64_t batches() const;
    std::uint64_t dropped() const;       // events the app lost, as it last said
    std::uint64_t batches_lost() const;  // by the app's emitter, and holes in the sequence numbers
    std::uint64_t anomalies() const;
    std::uint64_t tasks_created() const;
    std::uint64_t done_tasks_dropped() const;
    std::uint64_t live_tasks_refused() const;
    std::uint64_t columns_unknown() const;  // of loaded keyframes: what a newer writer knew and this model does not
    std::uint64_t slow_step_ns() const;
    // Wall-clock time of a model time, ns since 1970.
    std::uint64_t wall_unix_ns(std::uint64_t time_ns) const;
    std::uint64_t version() const;  // changes with every apply(): what a view caches against

    struct Fold;  // fold.hpp, for the folder's own files

private:
    friend std::string dump(const Model& model);  // dump.hpp
    friend class Table;                           // tables.hpp
    std::unique_ptr<Fold> fold_;
};

}  // namespace coroscope::model
