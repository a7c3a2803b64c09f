// The model of one app: the fold of its batches. Deterministic; no clock, no threads, no gRPC.
//
// What it knows after apply(b1) .. apply(bn) depends on those batches only. The agent, the viewer and every command
// fold the same batches with this code. A Keyframe is a serialised model: load_keyframe() then the batches after it
// give the same model as all batches from the start (property-tested).
//
// Thread: one at a time, the owner's. Memory: bounded by Limits. Times: ns on the app's CLOCK_MONOTONIC.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

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

enum class State : std::uint8_t { created, ready, running, suspended, done };
enum class Outcome : std::uint8_t { none, ok, error, cancelled };
enum class NodeKind : std::uint8_t { none, frame, call, task };
enum class WaitKind : std::uint8_t {
    unknown,
    timer,
    task,
    read,
    write,
    thread,
    future,
    queue_get,
    queue_put,
    lock,
    semaphore,
    event,
    yield,
};

std::string_view to_string(State state);      // "created" ... as in the JSON of `coroscope ps`
std::string_view to_string(Outcome outcome);  // "ok", "error", "cancelled"; none: ""
std::string_view to_string(WaitKind wait);    // "timer", "queue_get" ...

struct Site {
    std::string function, file;
    std::uint32_t line = 0, column = 0;
};

struct Node {
    NodeId parent = 0;
    SiteId site = 0;
    NodeKind kind = NodeKind::none;
};

struct Wait {
    WaitKind kind = WaitKind::unknown;
    std::uint64_t operand = 0;  // task id, file descriptor or resource id, by kind
};

struct Task {
    TaskId id = 0;
    TaskId parent = 0;
    NodeId root = 0;          // NodeKind::task: its site is the coroutine, its parent where the task was created
    NodeId suspended_at = 0;  // while suspended: innermost node of its await stack
    std::uint32_t name = 0;   // 0: none given
    State state = State::created;
    Outcome outcome = Outcome::none;
    bool incomplete = false;  // events that concern it were lost: counts are lower bounds, times may be missing
    Wait wait;
    LoopId loop = 0;
    std::uint32_t thread = 0;
    TaskId woken_by = 0;  // last waker; 0: the loop
    std::uint32_t cancel_requests = 0;
    TaskId cancelled_by = 0;                                    // who asked, here and below: of the last request
    NodeId cancelled_at = 0;                                    // the call of cancel()
    std::uint64_t cancelled_ns = 0;                             // when
    std::uint64_t cancelled_steps = 0;                          // steps it had run by then
    std::uint64_t created_ns = 0, done_ns = 0, changed_ns = 0;  // 0: unknown; changed = entered this state
    std::uint64_t busy_ns = 0;                                  // sum of finished steps
    std::uint64_t ready_ns = 0;                                 // sum of finished waits for the loop
    std::uint64_t longest_step_ns = 0;
    std::uint64_t longest_ready_ns = 0;
    std::uint64_t steps = 0;
    std::uint64_t step_began_ns = 0;  // while running
    NodeId step_began_at = 0;         // where it was suspended before the running step (its root node for the first)
};

// One step of a task, or one callback (task 0), on a loop.
struct Slice {
    std::uint64_t begin_ns = 0, end_ns = 0;
    TaskId task = 0;
    NodeId began_at = 0;         // where it had been suspended; a callback: where it was scheduled
    NodeId ended_at = 0;         // where it was suspended next; 0: it finished
    TaskId woken_by = 0;         // who made it ready for this step; 0: the loop, or unknown
    std::uint64_t ready_ns = 0;  // since when it was ready for this step; 0: unknown, or a callback
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
    std::deque<Slice> slices;                                  // the newest Limits::slices, oldest first
    std::deque<Iteration> iterations;                          // the newest Limits::iterations
    std::uint64_t slices_dropped = 0, iterations_dropped = 0;  // retired by the limits
    std::uint64_t busy_ns = 0, iterations_total = 0, steps_total = 0;
    std::uint64_t longest_iteration_ns = 0;
    std::optional<Slice> open_slice;                          // the step that runs now (end_ns 0)
    bool polling = false;                                     // between POLL_BEGIN and POLL_END
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
};

struct Report {
    enum class Kind : std::uint8_t {
        none,
        never_awaited,
        exception_never_retrieved,
        task_destroyed_pending,
        callback_exception,
        stall,
    };
    Kind kind = Kind::none;
    std::uint64_t time_ns = 0;
    TaskId task = 0;
    SiteId site = 0;
    NodeId stack = 0;
    std::vector<SiteId> frames;  // outermost first
    std::string text;
    std::uint32_t thread = 0;
    std::uint64_t duration_ns = 0;
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
    std::size_t gaps = 10'000;
    std::size_t loops = 256;      // the one that stopped first goes
    std::size_t threads = 4'096;  // the oldest without a loop goes
    std::size_t sites = 1 << 18;  // above what an app's probe defines
    std::size_t nodes = 1 << 19;
    std::size_t names = 1 << 17;
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

    // Stacks. An async stack is a node's path; frames come outermost first, innermost last.
    const Site* site(SiteId id) const;
    const Node* node(NodeId id) const;
    struct StackFrame {
        std::string_view function, file;  // valid until the next apply()
        std::uint32_t line = 0;  // where it awaits (or creates); its own definition if it is the innermost and runs
        NodeId node = 0;
    };
    // Within the task of `node`: each coroutine with the line where it awaits the next; the innermost names what it
    // awaits at.
    std::vector<StackFrame> stack(NodeId node) const;
    // Suspended, or ready to go on: to the await. Else: its coroutine.
    std::vector<StackFrame> await_stack(const Task& task) const;
    std::vector<StackFrame> creation_stack(const Task& task) const;
    // The site of `node` itself.
    const Site* site_of(NodeId node) const;
    std::string_view name(std::uint32_t id) const;

    const std::vector<std::unique_ptr<Loop>>& loops() const;
    const std::vector<Thread>& threads() const;
    const std::deque<LongStep>& long_steps() const;
    const std::deque<Report>& reports() const;
    const std::deque<Gap>& gaps() const;

    // Capture health.
    std::uint64_t now_ns() const;    // the newest time in any batch
    std::uint64_t first_ns() const;  // the oldest
    std::uint64_t events() const;
    std::uint64_t batches() const;
    std::uint64_t dropped() const;       // events the app lost, as it last said
    std::uint64_t batches_lost() const;  // by the app's emitter, and holes in the sequence numbers
    std::uint64_t anomalies() const;
    std::uint64_t tasks_created() const;
    std::uint64_t done_tasks_dropped() const;
    std::uint64_t live_tasks_refused() const;
    std::uint64_t slow_step_ns() const;
    // Wall-clock time of a model time, ns since 1970.
    std::uint64_t wall_unix_ns(std::uint64_t time_ns) const;
    std::uint64_t version() const;  // changes with every apply(): what a view caches against

    struct Fold;  // fold.hpp, for the folder's own files

private:
    friend std::string dump(const Model& model);  // dump.hpp
    std::unique_ptr<Fold> fold_;
};

}  // namespace coroscope::model
