// The vocabulary: every kind of event, verb, role, type, outcome and report that coroscope knows, each in one table.
// std only, constexpr; included by the app's side (probe, debug) and by every reader (model, words, viewer) alike.
//
// A row's number is what travels on the wire. Numbers are never reused and never change their meaning. A batch carries
// the rows of these tables that an app uses (KindDefinition and Term in proto/coroscope/v2/events.proto), so a reader
// that is older than the app skips what it does not know, counts it, and shows it by the name that the app gave.
// A new row is therefore a minor version. `proto/VOCABULARY.md` is generated from these tables (tests/vocabulary).
//
// How to add a row: append it to the enumeration and to the table below it. The static assertions hold both together.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace coroscope::vocabulary {

// ---- Events ---------------------------------------------------------------------------------------------------------

// What an event is about: the meaning of its subject column. `nothing`: the event has no subject.
enum class Subject : std::uint8_t { nothing, task, resource, loop, span, counter };

// The meaning of an event's argument column. `nothing`: the event has no argument.
enum class Argument : std::uint8_t {
    nothing,
    task,       // a task id; 0: none
    name,       // id of a Name
    wait,       // pack_wait(): what a task waits on
    outcome,    // an Outcome
    count,      // a number of things
    use,        // pack_use(): a task and the role in which it used the resource
    attribute,  // pack_attribute(): the Name of a key and the id of a Value
    real,       // the bits of an IEEE double
    value,      // id of a Value
    cancel,     // pack_cancel(): by what a cancellation was asked for, and its message
};

enum class EventKind : std::uint8_t {
    none,
    task_created,
    task_root,
    task_named,
    task_ready,
    step_begin,
    step_end,
    wait_holder,
    task_done,
    cancel_requested,
    uncancelled,
    loop_started,
    loop_stopped,
    poll_begin,
    poll_end,
    callback_begin,
    callback_end,
    job_begin,
    job_end,
    snapshot_begin,
    snapshot_task,
    snapshot_state,
    snapshot_end,
    resource_used,
    resource_level,
    member,
    task_attribute,
    resource_attribute,
    span_begin,
    span_end,
    mark,
    span_attribute,
    counter,
    loop_idle,
    time_limit_begin,
    time_limit_end,
    unfinished,
    loop_closing,
    orphaned,
    task_error,
    error_retrieved,
    cancel_origin,
    cancel_thrown,
    cancel_swallowed,
    gap = 255,  // in rings only; it becomes a Gap on the wire
};

// Kinds from here on belong to adapters: an app defines them itself (see KindDefinition).
inline constexpr std::uint8_t first_adapter_kind = 192;

struct EventKindRow {
    EventKind kind;
    std::string_view name;
    Subject subject;
    Argument argument;
    bool stack;       // it carries a node of the calling-context tree
    bool shed_first;  // detail: lost before other events when a ring gets full
    std::string_view meaning;
};

// clang-format off
inline constexpr auto event_kinds = std::to_array<EventKindRow>({
    {EventKind::none,             "none",             Subject::nothing,  Argument::nothing, false, false, "No event."},
    {EventKind::task_created,     "task_created",     Subject::task,     Argument::task,    true,  false, "A task was created and is ready. Argument: its parent. Stack: its root node."},
    {EventKind::task_root,        "task_root",        Subject::task,     Argument::nothing, true,  false, "The root node of a task became known after the task was created."},
    {EventKind::task_named,       "task_named",       Subject::task,     Argument::name,    false, false, "A task was given a name."},
    {EventKind::task_ready,       "task_ready",       Subject::task,     Argument::task,    false, true,  "A task was made ready. Argument: the task that woke it; 0: the loop (a timer, I/O, another thread)."},
    {EventKind::step_begin,       "step_begin",       Subject::task,     Argument::nothing, false, true,  "The loop resumes a task. Steps may nest: the outer step pauses until the inner one ends."},
    {EventKind::step_end,         "step_end",         Subject::task,     Argument::wait,    true,  true,  "A task suspends or has finished. Argument: what it waits on. Stack: where; 0: at its root, or it has finished."},
    {EventKind::wait_holder,      "wait_holder",      Subject::task,     Argument::task,    false, true,  "Just before a step_end or a snapshot_state: the task that holds what the subject is about to wait on."},
    {EventKind::task_done,        "task_done",        Subject::task,     Argument::outcome, false, false, "A task ended. Sent inside its last step, before its step_end."},
    {EventKind::cancel_requested, "cancel_requested", Subject::task,     Argument::task,    true,  false, "Somebody asked to cancel a task. Argument: the task that asked; 0: none. Stack: the call of cancel()."},
    {EventKind::uncancelled,      "uncancelled",      Subject::task,     Argument::count,   false, false, "A task took a request to cancel it back. Argument: requests that remain."},
    {EventKind::loop_started,     "loop_started",     Subject::loop,     Argument::nothing, false, false, "The lane's thread runs this loop from now on."},
    {EventKind::loop_stopped,     "loop_stopped",     Subject::loop,     Argument::nothing, false, false, "The lane's thread no longer runs this loop."},
    {EventKind::poll_begin,       "poll_begin",       Subject::nothing,  Argument::nothing, false, true,  "The loop has nothing ready, or gives I/O its turn."},
    {EventKind::poll_end,         "poll_end",         Subject::nothing,  Argument::count,   false, true,  "The poll is over and the iteration's work begins. Argument: I/O events and timers found."},
    {EventKind::callback_begin,   "callback_begin",   Subject::nothing,  Argument::task,    true,  true,  "A plain callback runs on the loop. Argument: the task that caused it. Stack: where it was scheduled."},
    {EventKind::callback_end,     "callback_end",     Subject::nothing,  Argument::nothing, false, true,  "The callback has returned."},
    {EventKind::job_begin,        "job_begin",        Subject::resource, Argument::task,    false, true,  "A pool thread starts a job. Argument: the task that waits for the job; 0: none."},
    {EventKind::job_end,          "job_end",          Subject::resource, Argument::task,    false, true,  "The job has returned."},
    {EventKind::snapshot_begin,   "snapshot_begin",   Subject::loop,     Argument::nothing, false, false, "The loop starts to list all its live tasks; loop 0: all tasks of the process are listed."},
    {EventKind::snapshot_task,    "snapshot_task",    Subject::task,     Argument::task,    true,  false, "A live task. Argument: its parent. Stack: its root node."},
    {EventKind::snapshot_state,   "snapshot_state",   Subject::task,     Argument::wait,    true,  false, "What a listed task waits on, and where. Stack 0: it is ready or runs."},
    {EventKind::snapshot_end,     "snapshot_end",     Subject::loop,     Argument::nothing, false, false, "Tasks of this loop neither listed nor created since snapshot_begin are gone."},
    {EventKind::resource_used,    "resource_used",    Subject::resource, Argument::use,     true,  false, "A task used a resource in a role for the first time. Argument: task and role."},
    {EventKind::resource_level,   "resource_level",   Subject::resource, Argument::count,   false, true,  "How much is in a resource: items of a queue, free permits of a semaphore."},
    {EventKind::member,           "member",           Subject::resource, Argument::task,    false, false, "A task belongs to a group, a gather or a wait, which is the subject."},
    {EventKind::task_attribute,   "task_attribute",   Subject::task,     Argument::attribute, false, false, "A task has an attribute: key and value."},
    {EventKind::resource_attribute, "resource_attribute", Subject::resource, Argument::attribute, false, false, "A resource has an attribute: key and value."},
    {EventKind::span_begin,       "span_begin",       Subject::span,     Argument::name,    true,  true,  "The running task begins a span of its own. Argument: the span's name."},
    {EventKind::span_end,         "span_end",         Subject::span,     Argument::nothing, false, true,  "The span ends."},
    {EventKind::mark,             "mark",             Subject::span,     Argument::name,    true,  true,  "An instant that the app marks: a span of no length, with an id of its own."},
    {EventKind::span_attribute,   "span_attribute",   Subject::span,     Argument::attribute, false, true, "A span or a mark has an attribute: key and value."},
    {EventKind::counter,          "counter",          Subject::counter,  Argument::real,    false, true,  "The value of a counter. Subject: the Name of the counter."},
    {EventKind::loop_idle,        "loop_idle",        Subject::loop,     Argument::count,   false, true,  "Just after a poll_begin: nothing is ready and no timer is set. Only I/O, a signal or another thread can end the poll. Argument: descriptors watched."},
    {EventKind::time_limit_begin, "time_limit_begin", Subject::task,     Argument::nothing, false, false, "A time limit (timeout, wait_for) comes into force for a task. Limits nest."},
    {EventKind::time_limit_end,   "time_limit_end",   Subject::task,     Argument::nothing, false, false, "The innermost time limit of the task is no longer in force."},
    {EventKind::unfinished,       "unfinished",       Subject::resource, Argument::count,   false, true,  "A task waits in join() of a queue. Argument: items for which task_done() has not been called."},
    {EventKind::loop_closing,     "loop_closing",     Subject::loop,     Argument::nothing, false, false, "The loop has ended, and waits until its thread pool has no job. A loop_stopped follows."},
    {EventKind::orphaned,         "orphaned",         Subject::resource, Argument::nothing, false, false, "The last handle of a future through which it could be set is gone, but for those of the tasks that wait for it."},
    {EventKind::task_error,       "task_error",       Subject::task,     Argument::value,   true,  false, "Just before a task_done: what the task ends with. Argument: type and text of the error. Stack: the innermost coroutine that the error is known to have passed, at its last await."},
    {EventKind::error_retrieved,  "error_retrieved",  Subject::task,     Argument::task,    true,  false, "Somebody looked at the error that ended a task. Argument: the task that did; 0: none. Stack: where."},
    {EventKind::cancel_origin,    "cancel_origin",    Subject::task,     Argument::cancel,  false, false, "Just after a cancel_requested: by what it was asked for, and the message."},
    {EventKind::cancel_thrown,    "cancel_thrown",    Subject::task,     Argument::nothing, true,  false, "A cancellation arrived: it is thrown into the task. Stack: the await at which it is thrown."},
    {EventKind::cancel_swallowed, "cancel_swallowed", Subject::task,     Argument::nothing, true,  false, "What was thrown for the cancellation is gone, and the task runs on. Stack: the coroutine in which, at its last await."},
});
// clang-format on

// Which columns of a lane an event takes an entry from.
enum Column : std::uint8_t { subject_column = 1, argument_column = 2, stack_column = 4 };
constexpr std::uint8_t columns_of(const EventKindRow& row) noexcept {
    return static_cast<std::uint8_t>((row.subject != Subject::nothing ? subject_column : 0) |
                                     (row.argument != Argument::nothing ? argument_column : 0) |
                                     (row.stack ? stack_column : 0));
}

// ---- Waits ----------------------------------------------------------------------------------------------------------

// What a wait's operand is.
enum class Operand : std::uint8_t { nothing, resource, task, descriptor, due };  // due: see pack_due()

// What a suspended task waits to happen to a resource.
enum class Verb : std::uint8_t {
    unknown,
    finished,
    turn,
    timer,
    join,
    members,
    get,
    put,
    all_done,
    acquire,
    until_set,
    notification,
    others,
    result,
    read,
    write,
    accept,
    connect,
    exit,
    job,
    signal,
    descriptor_read,
    descriptor_write,
};

struct VerbRow {
    Verb verb;
    std::string_view name;
    Operand operand;
    std::string_view words;  // after "waits for "; {} stands for the resource or the task
};

inline constexpr auto verbs = std::to_array<VerbRow>({
    {Verb::unknown, "unknown", Operand::resource, "{}"},
    {Verb::finished, "finished", Operand::nothing, "nothing: it has finished"},
    {Verb::turn, "turn", Operand::nothing, "its turn"},
    {Verb::timer, "timer", Operand::due, "a timer"},
    {Verb::join, "join", Operand::task, "{}"},
    {Verb::members, "members", Operand::resource, "the tasks of {}"},
    {Verb::get, "get", Operand::resource, "an item from {}"},
    {Verb::put, "put", Operand::resource, "room in {}"},
    {Verb::all_done, "all_done", Operand::resource, "all items of {} to be done"},
    {Verb::acquire, "acquire", Operand::resource, "{}"},
    {Verb::until_set, "until_set", Operand::resource, "{} to be set"},
    {Verb::notification, "notification", Operand::resource, "a notification of {}"},
    {Verb::others, "others", Operand::resource, "the other tasks at {}"},
    {Verb::result, "result", Operand::resource, "the result of {}"},
    {Verb::read, "read", Operand::resource, "input on {}"},
    {Verb::write, "write", Operand::resource, "room to write on {}"},
    {Verb::accept, "accept", Operand::resource, "a connection to {}"},
    {Verb::connect, "connect", Operand::resource, "the connection of {}"},
    {Verb::exit, "exit", Operand::resource, "the end of {}"},
    {Verb::job, "job", Operand::resource, "{}"},
    {Verb::signal, "signal", Operand::resource, "{}"},
    {Verb::descriptor_read, "descriptor_read", Operand::descriptor, "input on {}"},
    {Verb::descriptor_write, "descriptor_write", Operand::descriptor, "room to write on {}"},
});

// A wait as one integer: the operand (a resource id, a task id or a file descriptor: the verb's row says which), verb.
constexpr std::uint64_t pack_wait(Verb verb, std::uint64_t operand = 0) noexcept {
    return operand << 8 | static_cast<std::uint8_t>(verb);
}
// The operand of a timer: when it is due, in whole microseconds of the app's clock, rounded up. 0: nobody knows.
constexpr std::uint64_t pack_due(std::uint64_t due_ns) noexcept { return (due_ns + 999) / 1000; }
constexpr std::uint64_t due_ns_of(std::uint64_t operand) noexcept { return operand * 1000; }
constexpr std::uint8_t verb_of(std::uint64_t wait) noexcept { return static_cast<std::uint8_t>(wait & 255); }
constexpr std::uint64_t operand_of(std::uint64_t wait) noexcept { return wait >> 8; }

// ---- Resources ------------------------------------------------------------------------------------------------------

enum class ResourceType : std::uint16_t {
    unknown,
    lock,
    semaphore,
    bounded_semaphore,
    condition,
    event,
    barrier,
    queue,
    future,
    task_group,
    timeout,
    gather,
    wait,
    as_completed,
    stream,
    socket,
    server,
    datagram,
    subprocess,
    thread_pool,
    job,
    signal,
    custom,
};

// Types from here on belong to adapters ("asyncio.Lock"): an app defines them itself (see Term).
inline constexpr std::uint16_t first_adapter_type = 256;

struct ResourceTypeRow {
    ResourceType type;
    std::string_view name;   // as in `coroscope ps --json`
    std::string_view words;  // before its number or name: "queue 3"
    std::string_view level;  // what its level counts; "": it has none
};

inline constexpr auto resource_types = std::to_array<ResourceTypeRow>({
    {ResourceType::unknown, "unknown", "resource", ""},
    {ResourceType::lock, "lock", "lock", ""},
    {ResourceType::semaphore, "semaphore", "semaphore", "free permits"},
    {ResourceType::bounded_semaphore, "bounded_semaphore", "semaphore", "free permits"},
    {ResourceType::condition, "condition", "condition", ""},
    {ResourceType::event, "event", "event", ""},
    {ResourceType::barrier, "barrier", "barrier", ""},
    {ResourceType::queue, "queue", "queue", "items"},
    {ResourceType::future, "future", "future", ""},
    {ResourceType::task_group, "task_group", "task group", ""},
    {ResourceType::timeout, "timeout", "timeout", ""},
    {ResourceType::gather, "gather", "gather", ""},
    {ResourceType::wait, "wait", "wait", ""},
    {ResourceType::as_completed, "as_completed", "as_completed", ""},
    {ResourceType::stream, "stream", "stream", "bytes"},
    {ResourceType::socket, "socket", "socket", ""},
    {ResourceType::server, "server", "server", ""},
    {ResourceType::datagram, "datagram", "datagram socket", ""},
    {ResourceType::subprocess, "subprocess", "subprocess", ""},
    {ResourceType::thread_pool, "thread_pool", "thread pool", "running jobs"},
    {ResourceType::job, "job", "job on a pool thread", ""},
    {ResourceType::signal, "signal", "signal", ""},
    {ResourceType::custom, "custom", "resource", ""},
});

// How a task uses a resource, beside waiting on it.
enum class Role : std::uint8_t {
    unknown,
    acquire,
    release,
    put,
    get,
    item_done,
    set,
    clear,
    notify,
    resolve,
    close,
    run,
};

struct RoleRow {
    Role role;
    std::string_view name;
    std::string_view words;  // "last put by Task-3"
};

inline constexpr auto roles = std::to_array<RoleRow>({
    {Role::unknown, "unknown", "used by"},
    {Role::acquire, "acquire", "acquired by"},
    {Role::release, "release", "released by"},
    {Role::put, "put", "put by"},
    {Role::get, "get", "taken by"},
    {Role::item_done, "item_done", "item done by"},
    {Role::set, "set", "set by"},
    {Role::clear, "clear", "cleared by"},
    {Role::notify, "notify", "notified by"},
    {Role::resolve, "resolve", "resolved by"},
    {Role::close, "close", "closed by"},
    {Role::run, "run", "begun by"},
});

// A use as one integer: the task, and its role.
constexpr std::uint64_t pack_use(Role role, std::uint64_t task) noexcept {
    return task << 8 | static_cast<std::uint8_t>(role);
}
constexpr std::uint8_t role_of(std::uint64_t use) noexcept { return static_cast<std::uint8_t>(use & 255); }
constexpr std::uint64_t task_of_use(std::uint64_t use) noexcept { return use >> 8; }

// ---- Attributes -----------------------------------------------------------------------------------------------------

// An attribute as one integer: the id of the key, which is a Name, and the id of the Value.
constexpr std::uint64_t pack_attribute(std::uint32_t key, std::uint32_t value) noexcept {
    return std::uint64_t{key} << 32 | value;
}
constexpr std::uint32_t key_of(std::uint64_t attribute) noexcept { return static_cast<std::uint32_t>(attribute >> 32); }
constexpr std::uint32_t value_of(std::uint64_t attribute) noexcept { return static_cast<std::uint32_t>(attribute); }

// ---- Cancellations --------------------------------------------------------------------------------------------------

// By what a cancellation was asked for.
enum class CancelOrigin : std::uint8_t {
    unknown,
    user,
    run_end,
    timeout,
    task_group,
    awaiter,
    tool,
    signal,
    library,
};

struct CancelOriginRow {
    CancelOrigin origin;
    std::string_view name;
    std::string_view words;  // after "cancelled by "
};

inline constexpr auto cancel_origins = std::to_array<CancelOriginRow>({
    {CancelOrigin::unknown, "unknown", "somebody"},
    {CancelOrigin::user, "user", "a call of cancel()"},
    {CancelOrigin::run_end, "run_end", "the end of run(), which cancels every task that is left"},
    {CancelOrigin::timeout, "timeout", "a timeout"},
    {CancelOrigin::task_group, "task_group", "its task group"},
    {CancelOrigin::awaiter, "awaiter", "the task that waited for it and was cancelled itself"},
    {CancelOrigin::tool, "tool", "`coroscope cancel`, or the viewer"},
    {CancelOrigin::signal, "signal", "SIGINT (Ctrl-C)"},
    {CancelOrigin::library, "library", "the library"},
});

// Origin and message as one integer; `message`: the id of a Value, 0: none.
constexpr std::uint64_t pack_cancel(CancelOrigin origin, std::uint32_t message) noexcept {
    return std::uint64_t{message} << 8 | static_cast<std::uint8_t>(origin);
}
constexpr std::uint8_t origin_of(std::uint64_t cancel) noexcept { return static_cast<std::uint8_t>(cancel & 255); }
constexpr std::uint32_t message_of(std::uint64_t cancel) noexcept { return static_cast<std::uint32_t>(cancel >> 8); }

// ---- Ends, reports, stacks ------------------------------------------------------------------------------------------

// How a task ended. `unknown`: it has not ended, or it ended and nobody can say how.
enum class Outcome : std::uint8_t { unknown, ok, error, cancelled };

struct OutcomeRow {
    Outcome outcome;
    std::string_view name;
};

inline constexpr auto outcomes = std::to_array<OutcomeRow>({
    {Outcome::unknown, ""},
    {Outcome::ok, "ok"},
    {Outcome::error, "error"},
    {Outcome::cancelled, "cancelled"},
});

enum class Severity : std::uint8_t { info, warning, error };

struct SeverityRow {
    Severity severity;
    std::string_view name;
};

inline constexpr auto severities = std::to_array<SeverityRow>({
    {Severity::info, "info"},
    {Severity::warning, "warning"},
    {Severity::error, "error"},
});

// Something rare that an app reports with text, and often with native frames.
enum class ReportKind : std::uint16_t {
    unknown,
    never_awaited,
    exception_never_retrieved,
    task_destroyed_pending,
    callback_exception,
    stall,
    future_exception_never_retrieved,
    wrong_thread,
    uncaught_exception,
    step_cost,
    crashed,
    blocked_calls,
    cpu_samples,
    unclosed_transport,
    write_after_loss,
};

struct ReportKindRow {
    ReportKind kind;
    std::string_view name;
    Severity severity;
    std::string_view meaning;
};

inline constexpr auto report_kinds = std::to_array<ReportKindRow>({
    {ReportKind::unknown, "unknown", Severity::warning, "A kind of report that this reader does not know."},
    {ReportKind::never_awaited, "never_awaited", Severity::warning, "A coroutine object was destroyed before it ran."},
    {ReportKind::exception_never_retrieved, "exception_never_retrieved", Severity::error,
     "A task that had failed was destroyed and nobody had looked at its exception."},
    {ReportKind::task_destroyed_pending, "task_destroyed_pending", Severity::error,
     "A task was destroyed before it was done."},
    {ReportKind::callback_exception, "callback_exception", Severity::error, "A callback or a job threw an exception."},
    {ReportKind::stall, "stall", Severity::warning,
     "A step lasts longer than the threshold; the native stack was captured while it did."},
    {ReportKind::future_exception_never_retrieved, "future_exception_never_retrieved", Severity::error,
     "A future that had an exception was destroyed and nobody had looked at it."},
    {ReportKind::wrong_thread, "wrong_thread", Severity::error,
     "A call that only the loop's own thread may make came from another thread while the loop ran."},
    {ReportKind::uncaught_exception, "uncaught_exception", Severity::error,
     "An exception that nobody caught ended the program."},
    {ReportKind::step_cost, "step_cost", Severity::info,
     "What CPU time a step had that was longer than the threshold; sent soon after its end."},
    {ReportKind::crashed, "crashed", Severity::error,
     "A fatal signal came to a thread of the app; the app ended, unless a handler of its own saved it."},
    {ReportKind::blocked_calls, "blocked_calls", Severity::info,
     "Calls that blocked a loop's thread within its steps: what they sum up to at one place, so far."},
    {ReportKind::cpu_samples, "cpu_samples", Severity::info,
     "Samples of the CPU time of a loop's thread within its steps: what they sum up to at one place, so far."},
    {ReportKind::unclosed_transport, "unclosed_transport", Severity::warning,
     "A connection was given up before all that was written to it was sent, or a child process while it ran."},
    {ReportKind::write_after_loss, "write_after_loss", Severity::warning,
     "A task goes on writing to a connection that was lost, and does not ask whether it is there."},
});

// A node of the calling-context tree. A node's path to the root is an async stack.
enum class NodeKind : std::uint8_t {
    unknown,
    frame,  // a coroutine that runs; site: where it is defined; parent: the call node that awaits it, 0 if unknown
    call,   // a place in the parent frame: an await, a create_task, a call_soon
    task,   // as frame, for the first coroutine of a task; parent: the call node that created the task, 0 if none
};

struct NodeKindRow {
    NodeKind kind;
    std::string_view name;
};

inline constexpr auto node_kinds = std::to_array<NodeKindRow>({
    {NodeKind::unknown, "unknown"},
    {NodeKind::frame, "frame"},
    {NodeKind::call, "call"},
    {NodeKind::task, "task"},
});

// Properties of a Site: bits.
enum SiteFlag : std::uint32_t {
    site_is_library = 1,  // not the user's own code: shown on demand, never as the place where a task waits
};

// What a runtime can report: bits. A rule that needs what is not there stays silent.
enum Capability : std::uint32_t {
    has_stacks = 1,
    has_lines = 2,  // the line of each await in the stacks
    has_ready = 4,
    has_wakers = 8,
    has_waits = 16,
    has_outcomes = 32,
    has_polls = 64,
    has_callbacks = 128,
    has_never_awaited = 256,
    has_parents = 512,
    has_cancel = 1024,
    has_holders = 2048,
    has_users = 4096,
    has_jobs = 8192,
    has_errors = 16384,  // what ended a task, and who looked at it
};
inline constexpr std::uint32_t all_capabilities = 32767;

struct CapabilityRow {
    Capability capability;
    std::string_view name;
};

inline constexpr auto capabilities = std::to_array<CapabilityRow>({
    {has_stacks, "stacks"},
    {has_lines, "lines"},
    {has_ready, "ready"},
    {has_wakers, "wakers"},
    {has_waits, "waits"},
    {has_outcomes, "outcomes"},
    {has_polls, "polls"},
    {has_callbacks, "callbacks"},
    {has_never_awaited, "never_awaited"},
    {has_parents, "parents"},
    {has_cancel, "cancel"},
    {has_holders, "holders"},
    {has_users, "users"},
    {has_jobs, "jobs"},
    {has_errors, "errors"},
});

// ---- Terms ----------------------------------------------------------------------------------------------------------

// The tables whose rows an app carries as Terms. Kinds of events have a message of their own, with columns.
enum class Table : std::uint8_t { none, verb, resource_type, role, outcome, report_kind, cancel_origin };

// A row of any of those tables, in the form in which it travels.
struct TermRow {
    Table table;
    std::uint32_t id;
    std::string_view name, words;
    Severity severity = Severity::info;
};

// Calls `take(TermRow)` for every term of the vocabulary.
template <class Take>
constexpr void for_each_term(Take take) {
    const auto number = [](auto value) { return static_cast<std::uint32_t>(value); };
    for (const VerbRow& each : verbs) take(TermRow{Table::verb, number(each.verb), each.name, each.words});
    for (const ResourceTypeRow& each : resource_types)
        take(TermRow{Table::resource_type, number(each.type), each.name, each.words});
    for (const RoleRow& each : roles) take(TermRow{Table::role, number(each.role), each.name, each.words});
    for (const OutcomeRow& each : outcomes) take(TermRow{Table::outcome, number(each.outcome), each.name, ""});
    for (const ReportKindRow& each : report_kinds)
        take(TermRow{Table::report_kind, number(each.kind), each.name, each.meaning, each.severity});
    for (const CancelOriginRow& each : cancel_origins)
        take(TermRow{Table::cancel_origin, number(each.origin), each.name, each.words});
}

// ---- Look-ups -------------------------------------------------------------------------------------------------------

// Row i of a table has the number i: a look-up is an index. `number` may be anything; unknown ones give row 0.
template <class Table>
constexpr const auto& row_of(const Table& table, std::uint64_t number) noexcept {
    return table[number < table.size() ? static_cast<std::size_t>(number) : 0];
}
constexpr const EventKindRow& row(EventKind kind) noexcept {
    return row_of(event_kinds, static_cast<std::uint64_t>(kind));
}
constexpr const VerbRow& row(Verb verb) noexcept { return row_of(verbs, static_cast<std::uint64_t>(verb)); }
constexpr const ResourceTypeRow& row(ResourceType type) noexcept {
    return row_of(resource_types, static_cast<std::uint64_t>(type));
}
// What stands for {} in the words of a verb where the resource is not known: with debug mode off, it has no number.
constexpr std::string_view thing_of(Verb verb) noexcept {
    switch (verb) {
        case Verb::get:
        case Verb::put:
        case Verb::all_done: return "a queue";
        case Verb::acquire: return "a lock or semaphore";
        case Verb::until_set: return "an event";
        case Verb::notification: return "a condition";
        case Verb::others: return "a barrier";
        case Verb::result: return "a future";
        case Verb::members: return "a group, gather or wait";
        case Verb::exit: return "a subprocess or connection";
        case Verb::job: return "a job on a pool thread";
        case Verb::signal: return "a signal";
        case Verb::accept: return "a server";
        default: return "a connection";
    }
}
constexpr const RoleRow& row(Role role) noexcept { return row_of(roles, static_cast<std::uint64_t>(role)); }
constexpr const OutcomeRow& row(Outcome outcome) noexcept {
    return row_of(outcomes, static_cast<std::uint64_t>(outcome));
}
constexpr const SeverityRow& row(Severity severity) noexcept {
    return row_of(severities, static_cast<std::uint64_t>(severity));
}
constexpr const ReportKindRow& row(ReportKind kind) noexcept {
    return row_of(report_kinds, static_cast<std::uint64_t>(kind));
}
constexpr const CancelOriginRow& row(CancelOrigin origin) noexcept {
    return row_of(cancel_origins, static_cast<std::uint64_t>(origin));
}
constexpr const NodeKindRow& row(NodeKind kind) noexcept {
    return row_of(node_kinds, static_cast<std::uint64_t>(kind));
}

// The name of any value of the enumerations above, as on the wire, in dumps and in JSON.
template <class Enum>
    requires requires(Enum value) { row(value).name; }
constexpr std::string_view to_string(Enum value) noexcept {
    return row(value).name;
}

// Columns by the number of the kind; `unknown_kind`: no row.
inline constexpr std::uint8_t unknown_kind = 128;
inline constexpr std::array<std::uint8_t, 256> columns_by_kind = [] {
    std::array<std::uint8_t, 256> columns{};
    for (auto& each : columns) each = unknown_kind;
    for (std::size_t i = 1; i < event_kinds.size(); ++i) columns[i] = columns_of(event_kinds[i]);
    return columns;
}();

// Events without which the set of live tasks would be wrong. When a ring gets full, the others are shed first.
constexpr bool is_lifecycle(EventKind kind) noexcept { return !row(kind).shed_first; }

namespace detail {

template <class Table, class Number>
constexpr bool numbered_in_order(const Table& table, Number number) {
    for (std::size_t i = 0; i < table.size(); ++i)
        if (static_cast<std::size_t>(number(table[i])) != i) return false;
    return true;
}
static_assert(numbered_in_order(event_kinds, [](const EventKindRow& each) { return each.kind; }));
static_assert(numbered_in_order(verbs, [](const VerbRow& each) { return each.verb; }));
static_assert(numbered_in_order(resource_types, [](const ResourceTypeRow& each) { return each.type; }));
static_assert(numbered_in_order(roles, [](const RoleRow& each) { return each.role; }));
static_assert(numbered_in_order(outcomes, [](const OutcomeRow& each) { return each.outcome; }));
static_assert(numbered_in_order(severities, [](const SeverityRow& each) { return each.severity; }));
static_assert(numbered_in_order(report_kinds, [](const ReportKindRow& each) { return each.kind; }));
static_assert(numbered_in_order(node_kinds, [](const NodeKindRow& each) { return each.kind; }));
static_assert(numbered_in_order(cancel_origins, [](const CancelOriginRow& each) { return each.origin; }));
static_assert(cancel_origins.size() == static_cast<std::size_t>(CancelOrigin::library) + 1, "a row for each origin");
static_assert(event_kinds.size() == static_cast<std::size_t>(EventKind::cancel_swallowed) + 1, "a row for each kind");
static_assert(event_kinds.size() <= first_adapter_kind);
static_assert(verbs.size() == static_cast<std::size_t>(Verb::descriptor_write) + 1, "a row for each verb");
static_assert(resource_types.size() == static_cast<std::size_t>(ResourceType::custom) + 1, "a row for each type");
static_assert(roles.size() == static_cast<std::size_t>(Role::run) + 1, "a row for each role");
static_assert(report_kinds.size() == static_cast<std::size_t>(ReportKind::write_after_loss) + 1);

}  // namespace detail

}  // namespace coroscope::vocabulary
