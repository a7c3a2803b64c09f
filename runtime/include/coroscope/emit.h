/* The emit interface: how any runtime in a process reports its tasks to coroscope. C99 and C++20; a stable ABI.
 *
 *     libcoroscope-emit.so.1   what this header declares: rings, interning, the switch. It needs libc and libstdc++
 *                              only, so a Python wheel, a crate or a header-only adapter can link it or dlopen() it.
 *     libcoroscope-debug.so    sends and writes. cs_open() loads it when debug mode is on, from the same installation.
 *
 * A process has one registry, whatever number of runtimes is in it: they are one app, with ids from one counter. An
 * adapter that opens the library with dlopen() first asks for the copy that is there already:
 *     dlopen("libcoroscope-emit.so.1", RTLD_NOW | RTLD_NOLOAD)
 *
 * Example: a task that waits for a lock (runtime/EMIT.md has a whole program, and says how the parts play together).
 *
 *     const char* why_not = cs_open(NULL, NULL);  // reads the variable COROSCOPE
 *     if (why_not != NULL) fprintf(stderr, "coroscope: %s\n", why_not);
 *     cs_node root = cs_node_of(0, cs_site_define("worker", "app.c", 12, 0, 0), CS_TASK);
 *     cs_node here = cs_node_of(root, cs_site_define("worker", "app.c", 14, 0, 0), CS_CALL);
 *     cs_task task = cs_task_new(runtime, 0, root);
 *     cs_step_begin(task, 0);
 *     cs_step_end(task, cs_wait(CS_ACQUIRE, lock), here);
 *
 * Threads:  every function may be called from any thread, unless its comment names one. None blocks on another
 *           thread's work. Events of one thread keep their order: an event goes into a ring of the calling thread.
 * Errors:   no function throws, and none fails loudly. A call does nothing and returns 0 while debug mode is off
 *           (before cs_open(), after cs_close(), in a forked child), without memory, and past the bounds of the
 *           library's tables (65,536 sites, names and values, 262,144 nodes and live resources); a stack then ends at
 *           its deepest known node. An id that the library never gave out is harmless. cs_open() alone says why not.
 * Lifetime: strings and structs are copied before a call returns. Sites, nodes, names and values live as long as the
 *           process. The callbacks of a cs_runtime_info must stay callable for as long as the process lives, so the
 *           code that has them must not be unloaded.
 * Units:    times are nanoseconds where a name ends in _ns and milliseconds where it ends in _ms. Strings are UTF-8
 *           and end with a NUL byte; a NULL string counts as "".
 * Versions: CS_ABI is what the caller was compiled against. A newer library serves an older minor of the same major.
 *           The first member of a struct is its size; new members come at its end. Functions are only ever added.
 */
#ifndef COROSCOPE_EMIT_H
#define COROSCOPE_EMIT_H

#include <stddef.h>
#include <stdint.h>

#define CS_ABI_MAJOR 1u
#define CS_ABI_MINOR 2u
#define CS_ABI (CS_ABI_MAJOR << 16 | CS_ABI_MINOR)

#ifdef __cplusplus
extern "C" {
#endif

typedef uint64_t cs_task;     /* 0: none */
typedef uint64_t cs_loop;     /* a thread's loop that runs tasks by turns; 0: none */
typedef uint64_t cs_resource; /* what tasks wait on: a lock, a queue, a socket; 0: none */
typedef uint64_t cs_span;     /* an interval or an instant that the app marks; 0: none */
typedef uint32_t cs_site;     /* a place in the source; 0: unknown */
typedef uint32_t cs_node;     /* an async stack in one integer: a node of the calling-context tree; 0: none */
typedef uint32_t cs_name;     /* an interned text; 0: none */
typedef uint32_t cs_value;    /* an interned value of an attribute; 0: none */
typedef uint32_t cs_runtime;  /* "asyncio", "tokio", ...; 0: none */

/* ---- The switch ------------------------------------------------------------------------------------------ */

/* What a runtime can report. A rule that needs more stays silent. */
enum {
    CS_HAS_STACKS = 1,
    CS_HAS_LINES = 2, /* the line of each await in the stacks */
    CS_HAS_READY = 4,
    CS_HAS_WAKERS = 8,
    CS_HAS_WAITS = 16,
    CS_HAS_OUTCOMES = 32,
    CS_HAS_POLLS = 64,
    CS_HAS_CALLBACKS = 128,
    CS_HAS_NEVER_AWAITED = 256,
    CS_HAS_PARENTS = 512,
    CS_HAS_CANCEL = 1024,
    CS_HAS_HOLDERS = 2048,
    CS_HAS_USERS = 4096,
    CS_HAS_JOBS = 8192,
    CS_HAS_ERRORS = 16384 /* what ended a task, and who looked at it */
};

/* What a runtime describes its live tasks with, for `coroscope stacks`: JSON, by calls of these functions, each of
 * which adds to the text so far. The runtime writes an array with an object for each of its loops:
 *     {"id": 1, "tid": 4711, "how": "answered",       or "busy", "not running"; tid 0: no thread is known to run it
 *      "changing": false,                             the list was read from outside, and changed meanwhile
 *      "tasks": [{"id": 7, "parent": 3, "name": "", "state": "suspended",  or "created", "ready", "running"
 *                 "verb": 10, "operand": 4, "resource": {...}, "holder": 5,  as cs_wait(); verb 0: not known
 *                 "created": [...],                   write_stack() of where it was created; []: not known
 *                 "frames": [["serve", "server.c", 12, "server.c", 20]]}],   outermost first: function, its own place,
 *                                                     and where it awaits (of the innermost of a running task: where it
 *                                                     awaited last); line 0: not known
 *      "left_out": 0,                                 tasks past the runtime's bound
 *      "thread": {...}}]                              write_thread(), of one that does not answer; else null
 * Since minor 1. */
typedef struct cs_stacks_writer {
    uint32_t size; /* sizeof(cs_stacks_writer) */
    void* to;      /* is passed on to the functions */
    void (*write)(void* to, const char* text, size_t size);
    void (*write_text)(void* to, const char* text);         /* as a JSON string, in quotes */
    void (*write_thread)(void* to, uint64_t tid);           /* what the thread does now, with its native stack */
    void (*write_stack)(void* to, cs_node node);            /* [[kind, [function, file, line]] ...], outermost first */
    void (*write_resource)(void* to, cs_resource resource); /* {"type", "name"}, or null */
} cs_stacks_writer;

typedef struct cs_runtime_info {
    uint32_t size;         /* sizeof(cs_runtime_info) */
    uint32_t abi;          /* CS_ABI */
    const char* language;  /* "python", "c++", "rust": advice speaks it */
    const char* name;      /* "asyncio" */
    const char* version;   /* "CPython 3.11.2" */
    uint32_t capabilities; /* CS_HAS_... */
    uint32_t reserved;     /* 0 */
    /* A word of the runtime's own that the library keeps at 1 while debug mode is on and at 0 while it is off: hooks
     * test it, relaxed, before they call anything. NULL: the runtime calls cs_is_on(). */
    uint32_t* on;
    /* The callbacks, each NULL if the runtime cannot do it. They run on threads of the library with no lock held, so
     * they may wait for a lock of the runtime's own (a GIL). `self` is passed on to them. */
    void* self;
    /* Asks for the task's cancellation. Returns NULL: done. Else why not, a text that lives on. */
    const char* (*cancel)(void* self, cs_task task);
    /* The live tasks should be listed soon: see cs_snapshot_wanted(). Wakes an idle loop, say. */
    void (*list_tasks)(void* self);
    /* The stack of a thread that hangs in a step, in the language's own frames, innermost first; returns how many. 0:
     * the runtime does not run on that thread. `tid` is the operating system's. */
    size_t (*stack_of)(void* self, uint64_t tid, cs_site* innermost_first, size_t most);
    /* Describes its live tasks; asked for with debug mode on and off. Since minor 1. */
    void (*write_stacks)(void* self, const cs_stacks_writer* writer);
} cs_runtime_info;

/* Makes the runtime known; call it once, before cs_open(). 0: the ABI's major differs, or 64 are known already. */
cs_runtime cs_runtime_add(const cs_runtime_info* info);

/* Switches debug mode on, if somebody asked for it. `target`: "1" (the default agent), "unix:PATH", "HOST:PORT",
 * "file:PATH", "standby" or "standby:TARGET" (off until `coroscope attach` asks, and then to that target), or "0"
 * (off); NULL: what the variable COROSCOPE says. `app_name` NULL: COROSCOPE_NAME, or the executable's name. Idempotent.
 * Returns NULL: debug mode is on, or nobody asked for it. Else why it stays off, in words for one line on stderr; each
 * reason is returned once, and the text lives on. It may take a few milliseconds. In a forked child it does what
 * cs_after_fork_in_child() does. Call it at the first loop, not when a module is loaded: a server that forks workers
 * then starts no thread before. */
const char* cs_open(const char* target, const char* app_name);

/* Sends what is left for at most `most_ms`, and switches off for good. cs_open() registers it with atexit(). */
void cs_close(uint32_t most_ms);

/* Debug mode on and off at any time, as often as wanted, also where nobody asked for it before. `target`: as for
 * cs_open(), but "0" and "standby"; NULL: what COROSCOPE says, or the default agent. Returns NULL: it is on. Else why
 * not; the text lives on. The runtimes are asked to list their tasks, on the calling thread. cs_switch_off() sends what
 * is left for at most `most_ms`. A file that this process has written already is not written again: a later session
 * goes to trace.2.cst. Since minor 1. */
const char* cs_switch_on(const char* target);
void cs_switch_off(uint32_t most_ms);

/* A forked child is off until this (or cs_open()) is called in it, on the thread that forked. It becomes an app of its
 * own, with an instance id and a connection of its own; "file:trace.cst" becomes trace.PID.cst. Ids from before the
 * fork stay valid. Returns as cs_open(). A child whose parent had a connection to an agent already cannot be observed,
 * because gRPC does not survive a fork: it returns that. */
const char* cs_after_fork_in_child(void);

int cs_is_on(void);    /* 1 or 0 */
uint32_t cs_abi(void); /* the library's own CS_ABI */

/* ---- Definitions: once each, under a lock; a look-up ever after ------------------------------------------ */

enum {
    CS_SITE_LIBRARY = 1, /* not the user's own code: shown on demand, never as the place where a task waits */
    CS_SITE_RAW_NAME = 2 /* `function` is a C++ compiler's spelling, to be made readable; default: shown as given */
};
/* `line` and `column` 0: unknown. `flags`: CS_SITE_... of the first definition of the place. */
cs_site cs_site_define(const char* function, const char* file, uint32_t line, uint32_t column, uint32_t flags);

enum {
    CS_FRAME = 1, /* a coroutine that runs; site: its own; parent: the CS_CALL node that awaits it */
    CS_CALL = 2,  /* a place in the parent frame: an await, a spawn */
    CS_TASK = 3   /* as CS_FRAME, for a task's first coroutine; parent: the CS_CALL node that created the task, or 0 */
};
/* The node for `site` under `parent`. Recursion folds into one node. About 5 ns when this thread asked before. */
cs_node cs_node_of(cs_node parent, cs_site site, int kind);

cs_name cs_name_of(const char* text);     /* cut off after 256 bytes */
cs_value cs_value_text(const char* text); /* cut off after 1,024 bytes */
cs_value cs_value_integer(int64_t value);
cs_value cs_value_real(double value);
cs_value cs_value_bool(int value);

/* ---- Tasks: no lock; no allocation but for a thread's first event ---------------------------------------- */

/* `parent`: the task that created it, or 0. `root`: its CS_TASK node, or 0. The task is ready from now on. */
cs_task cs_task_new(cs_runtime runtime, cs_task parent, cs_node root);
void cs_task_root(cs_task task, cs_node root); /* known only later */
void cs_task_name(cs_task task, const char* text);
void cs_task_ready(cs_task task, cs_task woken_by); /* woken_by 0: the loop (a timer, I/O, another thread) */

/* The task runs on the calling thread. `suspended_at`: where it was suspended, for the local log; 0: unknown. Steps may
 * nest (an eager task, an inline resume): the outer step pauses until the inner one ends. */
void cs_step_begin(cs_task task, cs_node suspended_at);
/* The task suspends. `wait`: cs_wait(), or 0: nobody knows what on. `at`: where; 0: at its root. */
void cs_step_end(cs_task task, uint64_t wait, cs_node at);
/* The task ended; ends its step too if that is the innermost one on the calling thread. CS_ENDED: nobody knows how. */
void cs_task_done(cs_task task, int outcome);
enum { CS_ENDED = 0, CS_OK = 1, CS_ERROR = 2, CS_CANCELLED = 3 };

void cs_task_cancel(cs_task task, cs_task by, cs_node at); /* somebody asked for its cancellation, there */
void cs_task_uncancel(cs_task task, uint64_t remaining);   /* a request was taken back; so many remain */
/* Just after cs_task_cancel(): by what it was asked for, and the message; 0: none. */
enum {
    CS_CANCEL_USER = 1,
    CS_CANCEL_RUN_END = 2,    /* of what is left when the main task has ended */
    CS_CANCEL_TIMEOUT = 3,    /* `at` of the request: where the limit was set */
    CS_CANCEL_TASK_GROUP = 4, /* `by` of the request: the task of the group that failed */
    CS_CANCEL_AWAITER = 5,    /* `by` of the request: the task that waits for this one and was cancelled itself */
    CS_CANCEL_TOOL = 6,
    CS_CANCEL_SIGNAL = 7,
    CS_CANCEL_LIBRARY = 8
};
void cs_cancel_origin(cs_task task, int origin, cs_value message);
void cs_cancel_thrown(cs_task task, cs_node at);    /* it arrived, at this await */
void cs_cancel_swallowed(cs_task task, cs_node at); /* what was thrown is gone, and the task runs on */

/* Just before cs_task_done(CS_ERROR): "type: text", and the innermost coroutine that the error came through. */
void cs_task_error(cs_task task, cs_value error, cs_node at);
void cs_error_retrieved(cs_task task, cs_task by, cs_node at); /* somebody looked at the error that ended it */

/* What a task waits for, as one integer. The verb says what `operand` is: a resource, a task (CS_JOIN), or a file
 * descriptor (CS_DESCRIPTOR_...); 0: none, or unknown. */
enum {
    CS_UNKNOWN = 0,
    CS_FINISHED = 1, /* in a step_end only: the task ended. cs_task_done() writes it */
    CS_TURN = 2,     /* it gave way and is ready */
    CS_TIMER = 3,
    CS_JOIN = 4,
    CS_MEMBERS = 5, /* several tasks at once: see cs_resource_member() */
    CS_GET = 6,
    CS_PUT = 7,
    CS_ALL_DONE = 8,
    CS_ACQUIRE = 9,
    CS_UNTIL_SET = 10,
    CS_NOTIFICATION = 11,
    CS_OTHERS = 12,
    CS_RESULT = 13,
    CS_READ = 14,
    CS_WRITE = 15,
    CS_ACCEPT = 16,
    CS_CONNECT = 17,
    CS_EXIT = 18,
    CS_JOB = 19,
    CS_SIGNAL = 20,
    CS_DESCRIPTOR_READ = 21,
    CS_DESCRIPTOR_WRITE = 22
};
static inline uint64_t cs_wait(unsigned verb, uint64_t operand) { return operand << 8 | (verb & 255u); }

/* Just before the cs_step_end() that begins the wait: the task that holds what `task` is about to wait on. */
void cs_wait_holder(cs_task task, cs_task holder);

/* ---- Loops, callbacks, jobs: on their own thread --------------------------------------------------------- */

cs_loop cs_loop_new(cs_runtime runtime);
void cs_loop_started(cs_loop loop); /* the calling thread runs it */
void cs_loop_stopped(cs_loop loop);
void cs_poll_begin(void);                                        /* the loop has nothing ready, or gives I/O its turn */
void cs_poll_end(uint64_t found);                                /* I/O events and timers found */
void cs_callback_begin(cs_node scheduled_at, cs_task caused_by); /* wakes within it count as that task's */
void cs_callback_end(void);
void cs_job_begin(cs_resource job, cs_task waiting); /* a pool thread starts a job; both may be 0 */
void cs_job_end(cs_resource job, cs_task waiting);

/* ---- Resources ------------------------------------------------------------------------------------------- */

enum {
    CS_LOCK = 1,
    CS_SEMAPHORE = 2,
    CS_BOUNDED_SEMAPHORE = 3,
    CS_CONDITION = 4,
    CS_EVENT = 5,
    CS_BARRIER = 6,
    CS_QUEUE = 7,
    CS_FUTURE = 8,
    CS_TASK_GROUP = 9,
    CS_TIMEOUT = 10,
    CS_GATHER = 11,
    CS_WAIT = 12,
    CS_AS_COMPLETED = 13,
    CS_STREAM = 14,
    CS_SOCKET = 15,
    CS_SERVER = 16,
    CS_DATAGRAM = 17,
    CS_SUBPROCESS = 18,
    CS_THREAD_POOL = 19,
    CS_THREAD_JOB = 20,
    CS_SIGNALS = 21,
    CS_CUSTOM = 22
};
/* A type of the adapter's own: its name ("asyncio.Lock") and how a person reads it before a number ("lock"). 0: there
 * are 256 already. */
uint32_t cs_resource_type_define(const char* name, const char* words);

typedef struct cs_resource_info {
    uint32_t size;      /* sizeof(cs_resource_info) */
    uint32_t type;      /* CS_LOCK ..., or cs_resource_type_define() */
    const char* name;   /* given by the app; NULL or "": none */
    cs_node created_at; /* 0: unknown */
    uint32_t reserved;  /* 0 */
    cs_task created_by; /* 0: none */
    int64_t capacity;   /* places of a queue, permits of a semaphore; 0: unbounded, or it has none */
    cs_resource parent; /* that it belongs to: a job's pool; 0: none */
    uint64_t system_id; /* what the operating system calls it: file descriptor + 1, or process id; 0: none */
} cs_resource_info;
cs_resource cs_resource_new(const cs_resource_info* info);     /* takes a lock, as do the next two */
void cs_resource_name(cs_resource resource, const char* text); /* given only later */
void cs_resource_close(cs_resource resource);

/* How a task uses a resource, beside waiting on it. */
enum {
    CS_ROLE_ACQUIRE = 1,
    CS_ROLE_RELEASE = 2,
    CS_ROLE_PUT = 3,
    CS_ROLE_GET = 4,
    CS_ROLE_ITEM_DONE = 5,
    CS_ROLE_SET = 6,
    CS_ROLE_CLEAR = 7,
    CS_ROLE_NOTIFY = 8,
    CS_ROLE_RESOLVE = 9,
    CS_ROLE_CLOSE = 10,
    CS_ROLE_RUN = 11
};
/* A task's first use in a role is enough: it answers "who could wake me". */
void cs_resource_used(cs_resource resource, cs_task task, int role, cs_node at);
void cs_resource_level(cs_resource resource, uint64_t level); /* items in a queue, free permits of a semaphore */
void cs_resource_member(cs_resource resource, cs_task task);  /* the task belongs to a group, a gather, a wait */

/* ---- Payload of the app's own ---------------------------------------------------------------------------- */

void cs_attribute(cs_task task, cs_name key, cs_value value);
void cs_resource_attribute(cs_resource resource, cs_name key, cs_value value);
void cs_span_attribute(cs_span span, cs_name key, cs_value value);
cs_span cs_mark(cs_name name, cs_node at);       /* an instant */
cs_span cs_span_begin(cs_name name, cs_node at); /* an interval of the running task */
void cs_span_end(cs_span span);
void cs_counter(cs_name name, double value);

/* ---- Reports: rare, with text ---------------------------------------------------------------------------- */

enum {
    CS_NEVER_AWAITED = 1,
    CS_EXCEPTION_NEVER_RETRIEVED = 2,
    CS_TASK_DESTROYED_PENDING = 3,
    CS_CALLBACK_EXCEPTION = 4,
    CS_STALL = 5,
    CS_FUTURE_EXCEPTION_NEVER_RETRIEVED = 6,
    CS_WRONG_THREAD = 7,
    CS_UNCAUGHT_EXCEPTION = 8,
    CS_STEP_COST = 9, /* the library's own, as the next */
    CS_CRASHED = 10,
    CS_BLOCKED_CALLS = 11,
    CS_CPU_SAMPLES = 12
};
typedef struct cs_report {
    uint32_t size; /* sizeof(cs_report) */
    uint32_t kind; /* CS_NEVER_AWAITED ... */
    cs_task task;
    cs_site site;           /* CS_NEVER_AWAITED: the coroutine's own */
    cs_node stack;          /* where it was created, or is suspended */
    const cs_site* frames;  /* innermost first: a traceback in the language's own frames; or NULL */
    size_t frame_count;     /* at most 64 are taken */
    void* const* addresses; /* instead of frames: native return addresses, innermost first; or NULL */
    size_t address_count;   /* at most 64 are taken */
    const char* text;       /* of the exception, say */
    uint64_t duration_ns;   /* CS_STALL: how long the step had lasted */
} cs_report;
/* Takes a lock. More than 1,024 that nobody has fetched yet are counted and dropped. */
void cs_report_send(const cs_report* report);

/* ---- Listing what lives: after a loss, a reconnect, a late start ----------------------------------------- */

/* Another number than at the last listing, or cs_lost_events(): list all live tasks again, a few hundred a turn, and
 * only while cs_has_room(). `loop` 0: the listing is of all tasks of the runtime, whatever loop they ran on. */
uint64_t cs_snapshot_wanted(void);
int cs_lost_events(void); /* events of the calling thread were lost, and there is room again */
int cs_has_room(void);    /* the calling thread's ring is not half full */
void cs_snapshot_begin(cs_runtime runtime, cs_loop loop);
/* `at` 0: the task is ready or runs. */
void cs_snapshot_task(cs_task task, cs_task parent, cs_node root, uint64_t wait, cs_node at);
void cs_snapshot_end(cs_runtime runtime, cs_loop loop); /* tasks of the loop that were not listed are gone */

/* ---- Inline producers: for runtimes that cannot afford a call for an event ------------------------------- */

/* State of the process. It lives as long as the process. */
typedef struct cs_process {
    uint32_t size;            /* of this struct in the library, which may be newer */
    uint32_t abi;             /* as cs_abi() */
    uint32_t on;              /* as cs_is_on(): read it relaxed */
    uint32_t stamps_in_ticks; /* stamps are ticks of the time stamp counter; else ns of CLOCK_MONOTONIC */
    uint64_t last_task;       /* id counters: take n ids by an atomic addition of n, relaxed */
    uint64_t last_loop;
    uint64_t last_resource;
    uint64_t last_span;
    uint64_t snapshot_wanted; /* as cs_snapshot_wanted(): read it with acquire */
} cs_process;
cs_process* cs_process_state(void);

typedef struct cs_record {
    uint64_t stamp;
    uint64_t subject; /* means, as `argument` does, what proto/VOCABULARY.md says of the kind */
    uint64_t argument;
    uint32_t stack; /* a cs_node, or 0 */
    uint8_t kind;
    uint8_t reserved[3];
} cs_record;

#define CS_STEP_DEPTH 16u /* of nested steps that a thread remembers */
typedef struct cs_step {
    cs_task task;   /* 0: a callback */
    uint64_t stamp; /* when it began */
} cs_step;

/* The producer's side of the calling thread's ring. Only that thread writes it, and it may only use cs_push() and
 * cs_enter(), cs_leave(): the members are the library's business. */
typedef struct cs_producer {
    uint32_t size;   /* of this struct in the library, which may be newer */
    uint32_t thread; /* its id on the wire */
    cs_record* slots;
    uint64_t mask;                /* number of slots - 1 */
    uint64_t attention;           /* past so many records the slow path looks closer; 0: records were lost */
    uint64_t known_tail;          /* the producer's copy of the consumer's index */
    uint64_t head;                /* stored with release: pairs with the consumer's acquire */
    uint32_t depth;               /* of nested steps; stored with release */
    cs_node began_at;             /* where the innermost step goes on; 0: unknown */
    uint64_t in_call;             /* of the debug library: the step within which it measures a call; 0: none */
    cs_step steps[CS_STEP_DEPTH]; /* those that run: the innermost is steps[depth - 1]; read by the watchdog */
} cs_producer;

/* Gives the calling thread's producer, which is made if there is none, and writes it to *cache, which must be a
 * thread-local of the caller. The library sets *cache to NULL when the thread ends, and in a forked child. NULL: no
 * memory, debug mode is off, or the thread has 16 caches already. */
cs_producer* cs_producer_bind(cs_producer** cache);
/* What cs_push() calls when the ring is half full, or records were lost. */
void cs_push_slowly(cs_producer* producer, uint64_t stamp, uint8_t kind, uint64_t subject, uint64_t argument,
                    uint32_t stack);

/* ---- Messages (since 1.2) ---------------------------------------------------------------------------------- */

enum { CS_LOG_DEBUG, CS_LOG_INFO, CS_LOG_WARNING, CS_LOG_ERROR };
typedef void (*cs_log_handler)(void* context, int level, const char* text);

/* Where the library's messages for people go, in the whole process: to `handler`, NULL: to stderr. It is called on any
 * thread, also on several at once, with no lock held. It must not throw; it and its context must stay valid for ever,
 * for a thread may be about to call it when another takes its place. A message that comes while it runs, from the same
 * thread, goes to stderr. */
void cs_set_log_handler(cs_log_handler handler, void* context);
/* A message of a runtime, there. Without a newline at its end. Not from a signal handler. */
void cs_log(int level, const char* text);

/* For libcoroscope-debug.so and tests of exactly the same build, which `version` names; else NULL. */
void* cs_internals(const char* version);

/* 0: nothing was written, call cs_push_slowly(). The fields go straight into the slot: a record on the stack, written
 * by field and copied by vector register, would stall on store forwarding for longer than all the rest. */
static inline int cs_try_push(cs_producer* producer, uint64_t stamp, uint8_t kind, uint64_t subject, uint64_t argument,
                              uint32_t stack) {
    const uint64_t head = producer->head;
    cs_record* slot = &producer->slots[head & producer->mask];
    if (__builtin_expect(head - producer->known_tail >= producer->attention, 0)) return 0;
    slot->stamp = stamp;
    slot->subject = subject;
    slot->argument = argument;
    slot->stack = stack;
    slot->kind = kind;
    __atomic_store_n(&producer->head, head + 1, __ATOMIC_RELEASE);
    return 1;
}

/* `kind`: of the vocabulary's event kinds. About 1 ns beside the stamp. */
static inline void cs_push(cs_producer* producer, uint64_t stamp, uint8_t kind, uint64_t subject, uint64_t argument,
                           uint32_t stack) {
    if (__builtin_expect(!cs_try_push(producer, stamp, kind, subject, argument, stack), 0))
        cs_push_slowly(producer, stamp, kind, subject, argument, stack);
}

/* A step (of task 0: a callback) runs on this thread from now on, for the watchdog. `began_at`: where it goes on; for
 * what is sampled within it; 0: unknown. */
static inline void cs_enter_at(cs_producer* producer, uint64_t stamp, cs_task task, cs_node began_at) {
    const uint32_t depth = producer->depth;
    __atomic_store_n(&producer->began_at, began_at, __ATOMIC_RELAXED);
    if (__builtin_expect(depth < CS_STEP_DEPTH, 1)) {
        __atomic_store_n(&producer->steps[depth].task, task, __ATOMIC_RELAXED);
        __atomic_store_n(&producer->steps[depth].stamp, stamp, __ATOMIC_RELAXED);
    }
    __atomic_store_n(&producer->depth, depth + 1, __ATOMIC_RELEASE); /* pairs with the watchdog's acquire */
}
static inline void cs_enter(cs_producer* producer, uint64_t stamp, cs_task task) {
    cs_enter_at(producer, stamp, task, 0);
}

/* It ended, and with it what began within it and whose end was never reported. */
static inline void cs_leave(cs_producer* producer, cs_task task) {
    uint32_t depth = producer->depth;
    if (depth <= CS_STEP_DEPTH) {
        while (depth != 0 && producer->steps[depth - 1].task != task) --depth;
        if (depth == 0) return; /* it began before debug mode was on */
    }
    __atomic_store_n(&producer->began_at, 0, __ATOMIC_RELAXED); /* of an outer step it is not remembered */
    __atomic_store_n(&producer->depth, depth - 1, __ATOMIC_RELEASE);
}

#ifdef __cplusplus
}
#endif

#endif
