// The fields of every entity. A new field is a member of the struct and a line here: keyframe, dump, JSON, queries,
// TABLES.md and the property test loop over these lists. A member without a line does not compile.
//
// The name is the column's for ever: who needs another meaning or encoding takes another name. The first field of a
// list is the one that every row of a keyframe must have.
#pragma once

#include "fold.hpp"
#include "table.hpp"

namespace coroscope::model {

// Rows that add to a struct what its place in the fold says of it.
struct SiteRow : Site {
    SiteId id = 0;
};
struct NodeRow : Node {
    NodeId id = 0;
};
struct NameRow {
    std::uint32_t id = 0;
    std::string text;
};
enum class ValueType : std::uint8_t { unknown, text, integer, real, boolean };  // the alternatives of Value
struct ValueRow {
    ValueId id = 0;
    ValueType type = ValueType::unknown;
    std::string text;
    std::int64_t integer = 0;
    double real = 0;
    bool boolean = false;
};
struct ThreadRow : Thread {
    std::uint64_t last_ns = 0;
};
struct SliceRow : Slice {
    LoopId loop = 0;
    bool open = false, paused = false;
    std::uint64_t ran_ns = 0;
};
struct IterationRow : Iteration {
    LoopId loop = 0;
};
struct CounterSampleRow : CounterSample {
    std::uint32_t counter = 0;
};
enum class Latency : std::uint8_t { iteration, wake_to_run };
struct LatencyRow {
    LoopId loop = 0;
    Latency of = Latency::iteration;
    std::uint32_t bucket = 0;
    std::uint64_t count = 0;
};
template <typename AnyLoop>
auto& histogram_of(AnyLoop& loop, Latency of) {
    return of == Latency::iteration ? loop.iteration_lengths : loop.wake_to_run;
}
struct EndedRow {
    TaskId task = 0;
};
struct ClosedRow {
    ResourceId resource = 0;
};
struct UserRow : ResourceUser {
    ResourceId resource = 0;
};
struct MemberRow {
    ResourceId resource = 0;
    TaskId task = 0;
};
struct AttributeRow : Attribute {
    Model::Of of = Model::Of::task;
    std::uint64_t id = 0;
};
struct SpanRow : Span {
    bool open = false;
};
inline Loop& shown(const LoopEntry& entry) { return *entry.loop; }

// What a keyframe may say of an enum whose values known here are 0 .. last.
enum class Unknown : std::uint8_t {
    kept,     // a row of the vocabulary: its number is kept, and Model::term() may have its name
    as_zero,  // read as 0, which says "unknown"
    refused,  // the keyframe cannot be used: the fold would not know what to do with such a row
};
struct EnumRange {
    std::uint64_t last = 0;
    Unknown unknown = Unknown::kept;
};
constexpr EnumRange range_of(State) { return {static_cast<std::uint64_t>(State::done), Unknown::refused}; }
constexpr EnumRange range_of(Model::Of) { return {static_cast<std::uint64_t>(Model::Of::span), Unknown::refused}; }
constexpr EnumRange range_of(ValueType) { return {static_cast<std::uint64_t>(ValueType::boolean), Unknown::as_zero}; }
constexpr EnumRange range_of(Latency) { return {static_cast<std::uint64_t>(Latency::wake_to_run), Unknown::refused}; }
constexpr EnumRange range_of(NodeKind) { return {vocabulary::node_kinds.size() - 1, Unknown::as_zero}; }
constexpr EnumRange range_of(Verb) { return {vocabulary::verbs.size() - 1, Unknown::kept}; }
constexpr EnumRange range_of(Role) { return {vocabulary::roles.size() - 1, Unknown::kept}; }
constexpr EnumRange range_of(ResourceType) { return {vocabulary::resource_types.size() - 1, Unknown::kept}; }
constexpr EnumRange range_of(Outcome) { return {vocabulary::outcomes.size() - 1, Unknown::kept}; }
constexpr EnumRange range_of(ReportKind) { return {vocabulary::report_kinds.size() - 1, Unknown::kept}; }
constexpr EnumRange range_of(CancelOrigin) { return {vocabulary::cancel_origins.size() - 1, Unknown::kept}; }
constexpr EnumRange range_of(vocabulary::Severity) { return {vocabulary::severities.size() - 1, Unknown::as_zero}; }
constexpr EnumRange range_of(vocabulary::Table) {
    return {static_cast<std::uint64_t>(vocabulary::Table::cancel_origin), Unknown::kept};
}

constexpr std::string_view to_string(Model::Of of) {
    constexpr std::string_view words[] = {"task", "resource", "span"};
    return words[static_cast<std::size_t>(of)];
}
constexpr std::string_view to_string(Latency of) { return of == Latency::iteration ? "iteration" : "wake_to_run"; }
constexpr std::string_view to_string(ValueType type) {
    constexpr std::string_view words[] = {"unknown", "text", "integer", "real", "boolean"};
    return words[static_cast<std::size_t>(type)];
}
constexpr std::string_view to_string(vocabulary::Table table) {
    constexpr std::string_view words[] = {"event_kind", "verb",        "resource_type", "role",
                                          "outcome",    "report_kind", "cancel_origin"};
    return table <= vocabulary::Table::cancel_origin ? words[static_cast<std::size_t>(table)] : "unknown";
}

// clang-format off
inline constexpr auto capture_table = entity<Capture>("capture", "What the model as a whole has seen; one row.",
    field("sequence", &Capture::sequence, plain, Unit::none, "Number of the last batch; 0: none."),
    field("now_ns", &Capture::now_ns, plain, Unit::ns, "The newest time in any batch."),
    field("first_ns", &Capture::first_ns, plain, Unit::ns, "The oldest time in any batch."),
    field("events", &Capture::events, plain, Unit::count, "Events folded."),
    field("batches", &Capture::batches, plain, Unit::count, "Batches folded."),
    field("dropped", &Capture::dropped, plain, Unit::count, "Events that the app lost, as it last said."),
    field("batches_lost", &Capture::batches_lost, plain, Unit::count, "Batches that never arrived."),
    field("anomalies", &Capture::anomalies, plain, Unit::count, "Parts of batches that made no sense and were ignored."),
    field("tasks_created", &Capture::tasks_created, plain, Unit::count, "Creations of tasks seen."),
    field("done_tasks_dropped", &Capture::done_tasks_dropped, plain, Unit::count, "Tasks that had ended and were forgotten by the limits."),
    field("live_tasks_refused", &Capture::live_tasks_refused, plain, Unit::count, "Tasks for which there was no room."),
    field("last_event_ns", &Capture::last_event_ns, plain, Unit::ns, "The newest time of an event or a report; heartbeats move now_ns only."),
    field("backlog", &Capture::backlog, plain, Unit::count, "Events that waited in the app's rings when it last said."),
    field("events_unknown", &Capture::events_unknown, plain, Unit::count, "Events skipped because their kinds are not known here."),
    field("resources_lost", &Capture::resources_lost, plain, Unit::count, "Resources whose definitions the app had no room for."),
    field("resources_refused", &Capture::resources_refused, plain, Unit::count, "Resources for which there was no room."),
    field("app_threads", &Capture::app_threads, plain, Unit::count, "Threads of the process but coroscope's own and those of its pools that run no job; 0: unknown."),
    field("snapshots", &Capture::snapshots, plain, Unit::count, "Snapshots begun, over all loops.", Audience::fold),
    field("process_snapshot", &Capture::process_snapshot, plain, Unit::none, "Mark of the last snapshot of all tasks of the process.", Audience::fold),
    field("process_snapshot_open", &Capture::process_snapshot_open, plain, Unit::none, "That snapshot has begun and not ended.", Audience::fold),
    field("columns_unknown", &Capture::columns_unknown, plain, Unit::count, "Columns of keyframes of a newer writer, which were ignored."));

inline constexpr auto name_table = entity<NameRow>("name", "Texts that an app gave as names of tasks, keys, spans and counters.",
    field("id", &NameRow::id, delta, Unit::id, "Dense, from 1."),
    field("text", &NameRow::text, plain, Unit::none, "The name."));

inline constexpr auto site_table = entity<SiteRow>("site", "Places in the app's source.",
    field("id", &SiteRow::id, delta, Unit::id, "Dense, from 1."),
    field("function", &Site::function, plain, Unit::none, "The function that contains the place."),
    field("file", &Site::file, plain, Unit::none, "The path as the compiler was given it."),
    field("line", &Site::line, plain, Unit::none, "From 1; 0: unknown."),
    field("column", &Site::column, plain, Unit::none, "From 1; 0: unknown."),
    field("flags", &Site::flags, plain, Unit::none, "1: library code, not the user's own."));

inline constexpr auto node_table = entity<NodeRow>("node", "Nodes of the tree of async stacks: the path from a node to the root is a stack.",
    field("id", &NodeRow::id, delta, Unit::id, "Dense, from 1; greater than the parent's."),
    field("parent", &Node::parent, near(&NodeRow::id), Unit::node, "0: none."),
    field("site", &Node::site, plain, Unit::site, "The coroutine (frame, task), or the place where it awaits, creates or schedules (call)."),
    field("kind", &Node::kind, plain, Unit::none, "frame: a coroutine; call: a place in a coroutine; task: the first coroutine of a task."));

inline constexpr auto value_table = entity<ValueRow>("value", "Values of attributes.",
    field("id", &ValueRow::id, delta, Unit::id, "Dense, from 1."),
    field("type", &ValueRow::type, plain, Unit::none, "Which of the next columns has the value."),
    field("text", &ValueRow::text, plain, Unit::none, "The value of a text."),
    field("integer", &ValueRow::integer, plain, Unit::none, "The value of an integer."),
    field("real", &ValueRow::real, plain, Unit::none, "The value of a real number."),
    field("boolean", &ValueRow::boolean, plain, Unit::none, "The value of a boolean."));

inline constexpr auto runtime_table = entity<Runtime>("runtime", "Runtimes whose tasks the app reports.",
    field("id", &Runtime::id, plain, Unit::id, "Dense, from 1."),
    field("language", &Runtime::language, plain, Unit::none, "The language of the app's code."),
    field("name", &Runtime::name, plain, Unit::none, "The runtime's name."),
    field("version", &Runtime::version, plain, Unit::none, "The runtime's version."),
    field("capabilities", &Runtime::capabilities, plain, Unit::none, "What it can report: bits of vocabulary::Capability."));

inline constexpr auto term_table = entity<UnknownTerm>("term", "Rows of the app's vocabulary that this reader was built without.",
    field("id", &UnknownTerm::id, plain, Unit::id, "The row's number."),
    field("table", &UnknownTerm::table, plain, Unit::none, "The table that the row belongs to."),
    field("name", &UnknownTerm::name, plain, Unit::none, "The row's name."),
    field("words", &UnknownTerm::words, plain, Unit::none, "How it is put into words."),
    field("severity", &UnknownTerm::severity, plain, Unit::none, "Of a kind of report."),
    field("columns", &UnknownTerm::columns, plain, Unit::none, "Of a kind of event: the columns that it takes, as bits."),
    field("count", &UnknownTerm::count, plain, Unit::count, "Events skipped, or reports seen, of this kind."));

inline constexpr auto thread_table = entity<ThreadRow>("thread", "Threads of the app that sent events.",
    field("id", &Thread::id, delta, Unit::id, "Dense, from 1."),
    field("tid", &Thread::tid, plain, Unit::none, "The operating system's id."),
    field("name", &Thread::name, plain, Unit::none, "The operating system's name."),
    field("loop", &Thread::loop, plain, Unit::loop, "The loop that the thread runs now; 0: none."),
    field("last_ns", &ThreadRow::last_ns, plain, Unit::ns, "Time of its last event.", Audience::fold));

inline constexpr auto task_table = entity<TaskEntry>("task", "All live tasks, and the newest of those that have ended.",
    field("id", &Task::id, delta, Unit::id, "Dense in creation order, from 1, never used again."),
    field("parent", &Task::parent, near(&Task::id), Unit::task, "The task that created it; 0: none."),
    field("root", &Task::root, plain, Unit::node, "Its first coroutine; the node's parent is where the task was created."),
    field("suspended_at", &Task::suspended_at, plain, Unit::node, "While suspended or woken: the innermost node of its await stack."),
    field("name", &Task::name, plain, Unit::name, "The name it was given; 0: none."),
    field("state", &Task::state, plain, Unit::none, "What it does now."),
    field("outcome", &Task::outcome, plain, Unit::none, "How it ended; none: it has not, or nobody can say how."),
    field("incomplete", &Task::incomplete, plain, Unit::none, "Events that concern it were lost: counts are lower bounds, times may be missing."),
    field("found", &Task::found, plain, Unit::none, "A listing found it in its state, which it entered at changed_ns or before."),
    field("wait_verb", path(&Task::wait, &Wait::verb), plain, Unit::none, "What it waits for."),
    field("wait_operand", path(&Task::wait, &Wait::operand), plain, Unit::none, "The resource, task or file descriptor that it waits on, by wait_verb; 0: none."),
    field("wait_holder", path(&Task::wait, &Wait::holder), plain, Unit::task, "The task that held the resource when the wait began; 0: none, or unknown."),
    field("time_limits", &Task::time_limits, plain, Unit::count, "Time limits in force for it (timeout, wait_for)."),
    field("loop", &Task::loop, plain, Unit::loop, "The loop that runs it."),
    field("thread", &Task::thread, plain, Unit::thread, "The thread that ran it last."),
    field("woken_by", &Task::woken_by, plain, Unit::task, "The task that woke it last; 0: the loop."),
    field("cancel_requests", &Task::cancel_requests, plain, Unit::count, "Calls of cancel() on it."),
    field("cancelled_by", &Task::cancelled_by, plain, Unit::task, "The task that asked last to cancel it; 0: none."),
    field("cancelled_at", &Task::cancelled_at, plain, Unit::node, "Where the last cancel() was called."),
    field("cancelled_ns", &Task::cancelled_ns, plain, Unit::ns, "Time of the last cancel()."),
    field("cancelled_steps", &Task::cancelled_steps, plain, Unit::count, "Steps it had run at the last cancel()."),
    field("cancel_origin", &Task::cancel_origin, plain, Unit::none, "By what the last cancellation was asked for."),
    field("cancel_message", &Task::cancel_message, plain, Unit::value, "Its message; 0: none."),
    field("cancel_thrown_at", &Task::cancel_thrown_at, plain, Unit::node, "The await at which a cancellation was last thrown into it."),
    field("cancel_thrown_ns", &Task::cancel_thrown_ns, plain, Unit::ns, "When it was; 0: it has not been."),
    field("cancel_swallowed_ns", &Task::cancel_swallowed_ns, plain, Unit::ns, "When what was thrown was gone, and the task ran on; 0: that has not happened."),
    field("cancel_swallowed_at", &Task::cancel_swallowed_at, plain, Unit::node, "The coroutine in which that happened, at its last await."),
    field("cancel_repeated_ns", &Task::cancel_repeated_ns, plain, Unit::ns, "When, after that, it waited again at the await where it had been thrown; 0: it has not."),
    field("error", &Task::error, plain, Unit::value, "Type and text of the error that ended it; 0: none."),
    field("error_at", &Task::error_at, plain, Unit::node, "The innermost coroutine that the error is known to have passed, at its last await."),
    field("retrieved_by", &Task::retrieved_by, plain, Unit::task, "The task that looked at the error first; 0: none."),
    field("retrieved_at", &Task::retrieved_at, plain, Unit::node, "Where it did."),
    field("retrieved_ns", &Task::retrieved_ns, plain, Unit::ns, "When somebody looked at the error first; 0: nobody has."),
    field("created_ns", &Task::created_ns, delta, Unit::ns, "Time of its creation; 0: unknown."),
    field("done_ns", &Task::done_ns, near(&Task::created_ns), Unit::ns, "Time of its end; 0: unknown."),
    field("changed_ns", &Task::changed_ns, near(&Task::created_ns), Unit::ns, "Time when it entered its state; 0: unknown."),
    field("busy_ns", &Task::busy_ns, plain, Unit::ns, "Sum of its finished steps."),
    field("ready_ns", &Task::ready_ns, plain, Unit::ns, "Sum of its finished waits for the loop."),
    field("longest_step_ns", &Task::longest_step_ns, plain, Unit::ns, "The longest of its steps."),
    field("longest_ready_ns", &Task::longest_ready_ns, plain, Unit::ns, "The longest of its waits for the loop."),
    field("steps", &Task::steps, plain, Unit::count, "Finished steps."),
    field("step_began_ns", &Task::step_began_ns, near(&Task::changed_ns), Unit::ns, "While it runs: begin of the step."),
    field("step_began_at", &Task::step_began_at, plain, Unit::node, "Where it was suspended before the running or last step."),
    field("seen", &TaskEntry::seen, plain, Unit::none, "Mark of the last snapshot that listed it.", Audience::fold),
    field("known_losses", &TaskEntry::known_losses, plain, Unit::count, "Losses of its loop when the loop last said what the task does.", Audience::fold),
    field("next_holder", &TaskEntry::next_holder, plain, Unit::task, "The holder of what it is about to wait on.", Audience::fold),
    field("woken_while_running", &TaskEntry::woken_while_running, plain, Unit::none, "It is ready as soon as its step ends.", Audience::fold),
    elsewhere(&TaskEntry::previous, "the order of a list: table ended, or what is incomplete"),
    elsewhere(&TaskEntry::next, "as previous"),
    elsewhere(&TaskEntry::owner, "follows from loop and state"));

inline constexpr auto ended_table = entity<EndedRow>("ended", "The retained tasks that have ended, oldest end first.",
    field("task", &EndedRow::task, delta, Unit::task, "The task."));

inline constexpr auto loop_table = entity<LoopEntry>("loop", "Event loops.",
    field("id", &Loop::id, delta, Unit::id, "Dense, from 1."),
    field("thread", &Loop::thread, plain, Unit::thread, "The thread that runs it, or ran it last."),
    field("running", &Loop::running, plain, Unit::none, "It has started and not stopped."),
    field("started_ns", &Loop::started_ns, plain, Unit::ns, "Time of its first start."),
    field("stopped_ns", &Loop::stopped_ns, plain, Unit::ns, "Time of its end; 0: it runs."),
    field("slices_dropped", &Loop::slices_dropped, plain, Unit::count, "Steps forgotten by the limits."),
    field("iterations_dropped", &Loop::iterations_dropped, plain, Unit::count, "Iterations forgotten by the limits."),
    field("busy_ns", &Loop::busy_ns, plain, Unit::ns, "Sum of its steps and callbacks."),
    field("iterations_total", &Loop::iterations_total, plain, Unit::count, "Finished iterations."),
    field("steps_total", &Loop::steps_total, plain, Unit::count, "Steps and callbacks run."),
    field("longest_wake_to_run_ns", &Loop::longest_wake_to_run_ns, plain, Unit::ns, "The longest time of a step from ready to running."),
    field("longest_iteration_ns", &Loop::longest_iteration_ns, plain, Unit::ns, "The longest of its iterations."),
    field("polling", &Loop::polling, plain, Unit::none, "It waits in its poll."),
    field("polling_since_ns", &Loop::polling_since_ns, plain, Unit::ns, "While polling: begin of the poll."),
    field("idle_since_ns", &Loop::idle_since_ns, plain, Unit::ns, "While polling with no timer set: since when; 0: one is set."),
    field("idle_watched", &Loop::idle_watched, plain, Unit::count, "Descriptors watched in such a poll."),
    field("foreign_wakes", &Loop::foreign_wakes, plain, Unit::count, "Such polls that ended without I/O: another thread, or a signal, woke the loop."),
    field("closing_since_ns", &Loop::closing_since_ns, plain, Unit::ns, "Since when its end waits for jobs of its thread pool; 0: it does not."),
    field("closing_ns", &Loop::closing_ns, plain, Unit::ns, "How long its end waited for jobs of its thread pool."),
    field("iteration_began_ns", &Loop::iteration_began_ns, plain, Unit::ns, "Begin of the running iteration; 0: none runs, or its begin was lost."),
    field("iteration_events", &Loop::iteration_events, plain, Unit::count, "What the poll before the running iteration found."),
    field("iteration_steps", &Loop::iteration_steps, plain, Unit::count, "Steps and callbacks of the running iteration."),
    field("gap_end_ns", &LoopEntry::gap_end_ns, plain, Unit::ns, "End of the last gap if nothing was seen since; 0: something was.", Audience::fold),
    field("snapshot_open", &LoopEntry::snapshot_open, plain, Unit::none, "A snapshot has begun and not ended.", Audience::fold),
    field("woken_ns", &LoopEntry::woken_ns, plain, Unit::ns, "End of the last poll that foreign_wakes counts.", Audience::fold),
    field("losses", &LoopEntry::losses, plain, Unit::count, "Times that events of it were lost.", Audience::fold),
    field("snapshot_mark", &LoopEntry::snapshot_mark, plain, Unit::none, "Mark of its last snapshot.", Audience::fold),
    elsewhere(&Loop::slices, "table slice"),
    elsewhere(&Loop::iterations, "table iteration"),
    elsewhere(&Loop::iteration_lengths, "table latency"),
    elsewhere(&Loop::wake_to_run, "table latency"),
    elsewhere(&Loop::open_slice, "table slice"),
    elsewhere(&Loop::outer_slices, "table slice"),
    elsewhere(&LoopEntry::loop, "the part that is shown"),
    elsewhere(&LoopEntry::open_task, "follows from the open slice"),
    elsewhere(&LoopEntry::open_ran_ns, "table slice"),
    elsewhere(&LoopEntry::outer_ran_ns, "table slice"),
    elsewhere(&LoopEntry::tasks, "follows from the tasks' loops"));

inline constexpr auto slice_table = entity<SliceRow>("slice", "Steps of tasks, and callbacks, on their loops; by loop, oldest first.",
    field("begin_ns", &Slice::begin_ns, delta, Unit::ns, "Begin."),
    field("end_ns", &Slice::end_ns, after(&Slice::begin_ns), Unit::ns, "End; 0: it runs."),
    field("task", &Slice::task, delta, Unit::task, "0: a callback."),
    field("began_at", &Slice::began_at, plain, Unit::node, "Where the task had been suspended; where a callback was scheduled."),
    field("ended_at", &Slice::ended_at, plain, Unit::node, "Where the task was suspended next; 0: it finished, or was a callback."),
    field("woken_by", &Slice::woken_by, plain, Unit::task, "The task that made it ready for this step; 0: the loop, or unknown."),
    field("ready_ns", &Slice::ready_ns, near(&Slice::begin_ns), Unit::ns, "Since when it was ready for this step; 0: unknown, or a callback."),
    field("wait", &Slice::wait, plain, Unit::none, "What the task went to wait for: operand * 256 + number of the verb; 0: unknown, or a callback."),
    field("continues", &Slice::continues, plain, Unit::none, "A step nested in it began here: the step goes on in a later slice."),
    field("loop", &SliceRow::loop, plain, Unit::loop, "The loop it ran on."),
    field("open", &SliceRow::open, plain, Unit::none, "It runs now."),
    field("paused", &SliceRow::paused, plain, Unit::none, "It pauses now, for a step nested in it."),
    field("ran_ns", &SliceRow::ran_ns, plain, Unit::ns, "Of a step that runs or pauses now: the sum of its earlier slices.", Audience::fold));

inline constexpr auto iteration_table = entity<IterationRow>("iteration", "Iterations of loops, from the end of a poll to the begin of the next; by loop, oldest first.",
    field("begin_ns", &Iteration::begin_ns, delta, Unit::ns, "Begin."),
    field("end_ns", &Iteration::end_ns, after(&Iteration::begin_ns), Unit::ns, "End."),
    field("events", &Iteration::events, plain, Unit::count, "What the poll before it found."),
    field("steps", &Iteration::steps, plain, Unit::count, "Steps and callbacks run."),
    field("loop", &IterationRow::loop, plain, Unit::loop, "The loop."));

inline constexpr auto long_step_table = entity<LongStep>("long_step", "Steps at least as long as the app's threshold, oldest first.",
    field("begin_ns", &LongStep::begin_ns, delta, Unit::ns, "Begin."),
    field("end_ns", &LongStep::end_ns, after(&LongStep::begin_ns), Unit::ns, "End."),
    field("task", &LongStep::task, plain, Unit::task, "0: a callback, or unknown."),
    field("loop", &LongStep::loop, plain, Unit::loop, "The loop it ran on."),
    field("began_at", &LongStep::began_at, plain, Unit::node, "Where the task had been suspended; where a callback was scheduled."),
    field("ended_at", &LongStep::ended_at, plain, Unit::node, "Where the task was suspended next; 0: it finished, or was a callback."),
    field("callback", &LongStep::callback, plain, Unit::none, "A callback, not a step of a task."),
    field("measured", &LongStep::measured, plain, Unit::none, "The app could tell what CPU time its thread had meanwhile."),
    field("cpu_least_ns", &LongStep::cpu_least_ns, plain, Unit::ns, "CPU time that it had at least."),
    field("cpu_most_ns", &LongStep::cpu_most_ns, plain, Unit::ns, "CPU time that it had at most."),
    field("no_cpu_ns", &LongStep::no_cpu_ns, plain, Unit::ns, "For how long, at least, the process was stopped or the thread waited for a CPU."));

inline constexpr auto report_table = entity<Report>("report", "What the app reported by itself, oldest first.",
    field("kind", &Report::kind, plain, Unit::none, "What happened."),
    field("time_ns", &Report::time_ns, plain, Unit::ns, "When."),
    field("task", &Report::task, plain, Unit::task, "The task concerned; of a coroutine never awaited, the task that made it; 0: none."),
    field("site", &Report::site, plain, Unit::site, "The coroutine, where it was never awaited; else 0."),
    field("stack", &Report::stack, plain, Unit::node, "The async stack: where created, or where suspended."),
    field("frames", &Report::frames, plain, Unit::site, "The native stack, outermost first."),
    field("text", &Report::text, plain, Unit::none, "The exception's type and text."),
    field("thread", &Report::thread, plain, Unit::thread, "The thread."),
    field("duration_ns", &Report::duration_ns, plain, Unit::ns, "Of a stall: how long the step had lasted."));

inline constexpr auto hotspot_table = entity<Hotspot>("hotspot", "Places where time of loops goes, summed since the start of the app; by kind and id.",
    field("id", &Hotspot::id, delta, Unit::id, "From 1, for the kind."),
    field("kind", &Hotspot::kind, plain, Unit::none, "blocked_calls: calls that block; cpu_samples: samples of CPU time."),
    field("function", &Hotspot::function, plain, Unit::none, "The function that was called; empty: of samples."),
    field("stack", &Hotspot::stack, plain, Unit::node, "Where the steps had begun; 0: unknown."),
    field("frames", &Hotspot::frames, plain, Unit::site, "The native stack within the step, outermost first."),
    field("task", &Hotspot::task, plain, Unit::task, "The last task; 0: a callback."),
    field("thread", &Hotspot::thread, plain, Unit::thread, "The last thread."),
    field("time_ns", &Hotspot::time_ns, plain, Unit::ns, "When this was reported."),
    field("count", &Hotspot::count, plain, Unit::count, "Calls that blocked; samples."),
    field("total_ns", &Hotspot::total_ns, plain, Unit::ns, "What those calls took; the CPU time that the samples stand for."),
    field("longest_ns", &Hotspot::longest_ns, plain, Unit::ns, "The longest call."),
    field("slow_ns", &Hotspot::slow_ns, plain, Unit::ns, "Of total_ns: within steps that were longer than the threshold by then."),
    field("quick", &Hotspot::quick, plain, Unit::count, "Calls by the same line that did not block; 0: none, or unknown."));

inline constexpr auto latency_table = entity<LatencyRow>("latency", "Histograms of latencies by loop: how many were as long as a bucket says.",
    field("loop", &LatencyRow::loop, delta, Unit::loop, "The loop."),
    field("of", &LatencyRow::of, plain, Unit::none, "Of iterations, or of steps from ready to running."),
    field("bucket", &LatencyRow::bucket, plain, Unit::none, "As lengths in ns: below 16, that length; else the bucket's upper four bits, 16 for each doubling (agent/model/histogram.hpp)."),
    field("count", &LatencyRow::count, plain, Unit::count, "How many."));

inline constexpr auto gap_table = entity<Gap>("gap", "Events of a thread that were lost, oldest first.",
    field("thread", &Gap::thread, plain, Unit::thread, "The thread."),
    field("count", &Gap::count, plain, Unit::count, "Events lost."),
    field("first_ns", &Gap::first_ns, delta, Unit::ns, "Time of the first of them."),
    field("last_ns", &Gap::last_ns, near(&Gap::first_ns), Unit::ns, "Time of the last of them."));

inline constexpr auto resource_table = entity<Resource>("resource", "What tasks wait on: locks, queues, sockets, groups of tasks, jobs on pool threads ...",
    field("id", &Resource::id, delta, Unit::id, "Dense, from 1."),
    field("type", &Resource::type, plain, Unit::none, "What it is."),
    field("name", &Resource::name, plain, Unit::none, "The name that the app gave it."),
    field("created_at", &Resource::created_at, plain, Unit::node, "Where it was made."),
    field("created_by", &Resource::created_by, plain, Unit::task, "The task that made it; 0: none, or unknown."),
    field("created_ns", &Resource::created_ns, delta, Unit::ns, "When it was made; 0: unknown."),
    field("closed_ns", &Resource::closed_ns, near(&Resource::created_ns), Unit::ns, "When it was closed; 0: it still exists."),
    field("capacity", &Resource::capacity, plain, Unit::count, "Places, permits, threads; 0: unbounded, or it has none."),
    field("parent", &Resource::parent, near(&Resource::id), Unit::resource, "A job's thread pool; 0: none."),
    field("system_id", &Resource::system_id, plain, Unit::none, "File descriptor + 1, or process id; 0: none."),
    field("level", &Resource::level, plain, Unit::count, "Items, free permits, running jobs, as last reported."),
    field("high_water", &Resource::high_water, plain, Unit::count, "The maximum of level."),
    field("level_ns", &Resource::level_ns, near(&Resource::created_ns), Unit::ns, "When level was reported; 0: never."),
    field("unfinished", &Resource::unfinished, plain, Unit::count, "Of a queue: items not done, as last reported while a task waited for that."),
    field("orphaned_ns", &Resource::orphaned_ns, near(&Resource::created_ns), Unit::ns, "Of a future: since when nobody but those who wait for it has a handle; 0: somebody has, or it is not known."),
    field("high_water_ns", &Resource::high_water_ns, near(&Resource::created_ns), Unit::ns, "When level reached high_water; 0: never."),
    field("low_ns", &Resource::low_ns, near(&Resource::created_ns), Unit::ns, "When level was last at most half of the maximum until then; 0: never."),
    field("owner", &Resource::owner, plain, Unit::task, "The last task known to hold it; it may have let go since."),
    field("owner_ns", &Resource::owner_ns, near(&Resource::created_ns), Unit::ns, "When owner was known to hold it."),
    field("users_total", &Resource::users_total, plain, Unit::count, "First uses of it by a task in a role."),
    field("members_total", &Resource::members_total, plain, Unit::count, "Tasks of a group, gather or wait."),
    field("begun_ns", &Resource::begun_ns, near(&Resource::created_ns), Unit::ns, "Of a job: when a thread began it; 0: not yet, or unknown."),
    field("ended_ns", &Resource::ended_ns, near(&Resource::begun_ns), Unit::ns, "Of a job: when it returned; 0: not yet, or unknown."),
    field("thread", &Resource::thread, plain, Unit::thread, "Of a job: the thread that runs it."),
    field("job_of", &Resource::job_of, plain, Unit::task, "Of a job: the task that waits for it."),
    elsewhere(&Resource::users, "table user"),
    elsewhere(&Resource::members, "table member"));

inline constexpr auto closed_table = entity<ClosedRow>("closed", "The retained resources that are closed, oldest end first.",
    field("resource", &ClosedRow::resource, delta, Unit::resource, "The resource."));

inline constexpr auto user_table = entity<UserRow>("user", "The newest first uses of resources by a task in a role; by resource, oldest first.",
    field("resource", &UserRow::resource, delta, Unit::resource, "The resource."),
    field("task", &ResourceUser::task, plain, Unit::task, "The task."),
    field("role", &ResourceUser::role, plain, Unit::none, "How it used the resource."),
    field("first_ns", &ResourceUser::first_ns, delta, Unit::ns, "When it did so first."),
    field("at", &ResourceUser::at, plain, Unit::node, "Where; 0: unknown."));

inline constexpr auto member_table = entity<MemberRow>("member", "The first tasks of each group, gather and wait; by resource.",
    field("resource", &MemberRow::resource, delta, Unit::resource, "The group."),
    field("task", &MemberRow::task, delta, Unit::task, "The task."));

inline constexpr auto span_table = entity<SpanRow>("span", "Spans and marks that the app annotated: those that have ended by their end, then the open ones by id.",
    field("id", &Span::id, delta, Unit::id, "Dense, from 1."),
    field("name", &Span::name, plain, Unit::name, "Its name."),
    field("task", &Span::task, plain, Unit::task, "The task that ran on the thread; 0: none."),
    field("thread", &Span::thread, plain, Unit::thread, "The thread."),
    field("at", &Span::at, plain, Unit::node, "Where it began."),
    field("begin_ns", &Span::begin_ns, delta, Unit::ns, "Begin."),
    field("end_ns", &Span::end_ns, after(&Span::begin_ns), Unit::ns, "End; 0: it has not ended."),
    field("mark", &Span::mark, plain, Unit::none, "A mark: an instant, not a span."),
    field("open", &SpanRow::open, plain, Unit::none, "It has not ended."));

inline constexpr auto attribute_table = entity<AttributeRow>("attribute", "Attributes of tasks, resources and spans.",
    field("id", &AttributeRow::id, delta, Unit::none, "The task, resource or span that has it."),
    field("of", &AttributeRow::of, plain, Unit::none, "What `id` is the id of."),
    field("key", &Attribute::key, plain, Unit::name, "Its key."),
    field("value", &Attribute::value, plain, Unit::value, "Its value."),
    field("time_ns", &Attribute::time_ns, delta, Unit::ns, "When it was set."));

inline constexpr auto counter_table = entity<Counter>("counter", "Counters of the app.",
    field("name", &Counter::name, plain, Unit::name, "Its name."),
    field("value", &Counter::value, plain, Unit::none, "Its last value."),
    field("time_ns", &Counter::time_ns, plain, Unit::ns, "The time of this value."),
    field("samples", &Counter::samples, plain, Unit::count, "How many values it has had."),
    elsewhere(&Counter::recent, "table counter_sample"));

inline constexpr auto counter_sample_table = entity<CounterSampleRow>("counter_sample", "The newest values of counters; by counter, oldest first.",
    field("counter", &CounterSampleRow::counter, plain, Unit::name, "The counter's name."),
    field("time_ns", &CounterSample::time_ns, delta, Unit::ns, "Since when it has the value."),
    field("value", &CounterSample::value, plain, Unit::none, "The value."));
// clang-format on

// Calls visit.template operator()<table>() with each table.
template <typename Visit>
constexpr void for_each_table(Visit visit) {
    visit.template operator()<capture_table>();
    visit.template operator()<term_table>();
    visit.template operator()<runtime_table>();
    visit.template operator()<name_table>();
    visit.template operator()<site_table>();
    visit.template operator()<node_table>();
    visit.template operator()<value_table>();
    visit.template operator()<loop_table>();
    visit.template operator()<thread_table>();
    visit.template operator()<task_table>();
    visit.template operator()<ended_table>();
    visit.template operator()<slice_table>();
    visit.template operator()<iteration_table>();
    visit.template operator()<long_step_table>();
    visit.template operator()<report_table>();
    visit.template operator()<gap_table>();
    visit.template operator()<hotspot_table>();
    visit.template operator()<latency_table>();
    visit.template operator()<resource_table>();
    visit.template operator()<closed_table>();
    visit.template operator()<user_table>();
    visit.template operator()<member_table>();
    visit.template operator()<span_table>();
    visit.template operator()<attribute_table>();
    visit.template operator()<counter_table>();
    visit.template operator()<counter_sample_table>();
}

// Each member is on the list. A class that has a base counts it as one member.
template <typename Class, const auto& table, std::size_t bases = 0>
inline constexpr bool lists_all = member_count<Class>() == listed_members<Class, table>() + bases;

static_assert(lists_all<Capture, capture_table>);
static_assert(lists_all<UnknownTerm, term_table>);
static_assert(lists_all<Runtime, runtime_table>);
static_assert(lists_all<NameRow, name_table>);
static_assert(lists_all<Site, site_table> && lists_all<SiteRow, site_table, 1>);
static_assert(lists_all<Node, node_table> && lists_all<NodeRow, node_table, 1>);
static_assert(lists_all<ValueRow, value_table>);
static_assert(lists_all<Thread, thread_table> && lists_all<ThreadRow, thread_table, 1>);
static_assert(lists_all<Task, task_table> && lists_all<TaskEntry, task_table, 1> && lists_all<Wait, task_table>);
static_assert(lists_all<EndedRow, ended_table>);
static_assert(lists_all<Loop, loop_table> && lists_all<LoopEntry, loop_table>);
static_assert(lists_all<Slice, slice_table> && lists_all<SliceRow, slice_table, 1>);
static_assert(lists_all<Iteration, iteration_table> && lists_all<IterationRow, iteration_table, 1>);
static_assert(lists_all<LongStep, long_step_table>);
static_assert(lists_all<Report, report_table>);
static_assert(lists_all<Gap, gap_table>);
static_assert(lists_all<Hotspot, hotspot_table>);
static_assert(lists_all<LatencyRow, latency_table>);
static_assert(lists_all<Resource, resource_table>);
static_assert(lists_all<ClosedRow, closed_table>);
static_assert(lists_all<ResourceUser, user_table> && lists_all<UserRow, user_table, 1>);
static_assert(lists_all<MemberRow, member_table>);
static_assert(lists_all<Span, span_table> && lists_all<SpanRow, span_table, 1>);
static_assert(lists_all<Attribute, attribute_table> && lists_all<AttributeRow, attribute_table, 1>);
static_assert(lists_all<Counter, counter_table>);
static_assert(lists_all<CounterSample, counter_sample_table> && lists_all<CounterSampleRow, counter_sample_table, 1>);

}  // namespace coroscope::model
