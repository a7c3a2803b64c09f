// The functions of coroscope/emit.h. Each is a no-op while debug mode is off, and lets no exception out.
#include "coroscope/emit.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>

#include "debug_library.hpp"
#include "process.hpp"
#include "proto/words/utf8.hpp"
#include "switch.hpp"

namespace {

using namespace coroscope;
using namespace coroscope::probe;
using vocabulary::EventKind;

constexpr std::size_t most_frames = 64;
constexpr std::size_t most_text_bytes = 64 << 10;

// What `work` returns; `otherwise` if it throws, which it does only without memory.
template <class Result, class Work>
Result guarded(Result otherwise, Work work) noexcept {
    try {
        return work();
    } catch (...) {
        return otherwise;
    }
}

template <class Result, class Work>
Result when_on(Result otherwise, Work work) noexcept {
    return is_on() ? guarded(otherwise, work) : otherwise;
}

std::string_view text_of(const char* text) noexcept { return text == nullptr ? "" : text; }

// A struct of the caller's, which may be older (the rest is 0) or newer (the rest is not looked at) than ours.
template <class Struct>
bool copy_struct(Struct& to, const Struct* from) noexcept {
    if (from == nullptr || from->size < sizeof from->size) return false;
    to = {};
    std::memcpy(&to, from, std::min<std::size_t>(from->size, sizeof to));
    return true;
}

std::uint64_t take_id(std::uint64_t& counter) noexcept {
    return __atomic_add_fetch(&counter, 1, __ATOMIC_RELAXED);  // only unique, orders nothing
}

void push(ThreadState& thread, Stamp stamp, EventKind kind, std::uint64_t subject, std::uint64_t argument = 0,
          NodeId stack = 0) noexcept {
    thread.probe->ring.push(stamp, kind, subject, argument, stack);
}

void push(EventKind kind, std::uint64_t subject, std::uint64_t argument = 0, NodeId stack = 0) noexcept {
    if (ThreadState* thread = this_thread()) push(*thread, stamp_now(), kind, subject, argument, stack);
}

// As push(), for events that make no sense without their subject.
void push_of(std::uint64_t subject, EventKind kind, std::uint64_t argument = 0, NodeId stack = 0) noexcept {
    if (subject != 0) push(kind, subject, argument, stack);
}

// A step that began while debug mode was on ends while it is off: it must not seem to run when debug mode is on again.
void leave_unseen(std::uint64_t task) noexcept {
    if (ThreadState* thread = known_thread()) cs_leave(&thread->probe->ring.producer(), task);
}

cs_span new_span(EventKind kind, cs_name name, cs_node at) noexcept {
    if (!is_on() || name == 0) return 0;
    const cs_span span = take_id(registry().process.last_span);
    push(kind, span, name, at);
    return span;
}

}  // namespace

extern "C" {

cs_process* cs_process_state(void) { return &registry().process; }

uint32_t cs_abi(void) { return CS_ABI; }

int cs_is_on(void) { return is_on() ? 1 : 0; }

void* cs_internals(const char* version) {
    return guarded<void*>(nullptr,
                          [&]() -> void* { return text_of(version) == pair_version() ? &registry() : nullptr; });
}

const char* cs_open(const char* target, const char* app_name) {
    return guarded<const char*>("debug mode stays off: out of memory", [&] {
        registry();  // registers what happens at a fork, before any thread starts
        return open_switch(target, app_name);
    });
}

void cs_close(uint32_t most_ms) { close_switch(most_ms); }

const char* cs_switch_on(const char* target) {
    return guarded<const char*>("debug mode stays off: out of memory", [&] {
        registry();
        return switch_on(target);
    });
}

void cs_switch_off(uint32_t most_ms) { switch_off(most_ms); }

const char* cs_after_fork_in_child(void) {
    return guarded<const char*>("debug mode stays off: out of memory", [] { return reopen_in_child(); });
}

cs_runtime cs_runtime_add(const cs_runtime_info* info) {
    cs_runtime_info copy;
    if (!copy_struct(copy, info) || copy.abi >> 16 != CS_ABI_MAJOR) return 0;
    return guarded<cs_runtime>(0, [&] {
        Runtime runtime;
        runtime.language = words::cut_utf8(text_of(copy.language), Definitions::max_name_bytes);
        runtime.name = words::cut_utf8(text_of(copy.name), Definitions::max_name_bytes);
        runtime.version = words::cut_utf8(text_of(copy.version), Definitions::max_name_bytes);
        runtime.capabilities = copy.capabilities;
        runtime.on = copy.on;
        runtime.self = copy.self;
        runtime.cancel = copy.cancel;
        runtime.list_tasks = copy.list_tasks;
        runtime.stack_of = copy.stack_of;
        runtime.write_stacks = copy.write_stacks;
        return registry().add_runtime(runtime);
    });
}

/* ---- Definitions ---- */

cs_site cs_site_define(const char* function, const char* file, uint32_t line, uint32_t column, uint32_t flags) {
    return when_on<cs_site>(
        0, [&] { return registry().definitions.intern_site(text_of(function), text_of(file), line, column, flags); });
}

cs_node cs_node_of(cs_node parent, cs_site site, int kind) {
    ThreadState* thread = this_thread();
    if (thread == nullptr || kind < CS_FRAME || kind > CS_TASK) return 0;
    return thread->nodes.find(parent, site, static_cast<NodeKind>(kind));
}

cs_name cs_name_of(const char* text) {
    return when_on<cs_name>(0, [&] { return registry().definitions.intern_name(text_of(text)); });
}

cs_value cs_value_text(const char* text) {
    return when_on<cs_value>(0, [&] {
        const std::string_view kept = words::cut_utf8(text_of(text), Definitions::max_value_bytes);
        return registry().definitions.intern_value(ValueDefinition(std::string(kept)));
    });
}

cs_value cs_value_integer(int64_t value) {
    return when_on<cs_value>(0, [&] {
        return registry().definitions.intern_value(ValueDefinition(std::in_place_type<std::int64_t>, value));
    });
}

cs_value cs_value_real(double value) {
    if (std::isnan(value)) return cs_value_text("nan");  // it equals nothing, so each would be a new value
    return when_on<cs_value>(
        0, [&] { return registry().definitions.intern_value(ValueDefinition(std::in_place_type<double>, value)); });
}

cs_value cs_value_bool(int value) {
    return when_on<cs_value>(
        0, [&] { return registry().definitions.intern_value(ValueDefinition(std::in_place_type<bool>, value != 0)); });
}

/* ---- Tasks ---- */

cs_task cs_task_new(cs_runtime, cs_task parent, cs_node root) {
    if (!is_on()) return 0;
    const cs_task task = take_id(registry().process.last_task);
    push(EventKind::task_created, task, parent, root);
    return task;
}

void cs_task_root(cs_task task, cs_node root) { push_of(task, EventKind::task_root, 0, root); }

void cs_task_name(cs_task task, const char* text) {
    if (const cs_name name = cs_name_of(text)) push_of(task, EventKind::task_named, name);
}

void cs_task_ready(cs_task task, cs_task woken_by) { push_of(task, EventKind::task_ready, woken_by); }

void cs_step_begin(cs_task task, cs_node suspended_at) {
    ThreadState* thread = task == 0 ? nullptr : this_thread();
    if (thread == nullptr) return;
    const Stamp stamp = stamp_now();
    cs_enter_at(&thread->probe->ring.producer(), stamp, task, suspended_at);
    push(*thread, stamp, EventKind::step_begin, task, 0, suspended_at);
}

void cs_step_end(cs_task task, uint64_t wait, cs_node at) {
    ThreadState* thread = task == 0 ? nullptr : this_thread();
    if (thread == nullptr) return leave_unseen(task);
    cs_leave(&thread->probe->ring.producer(), task);
    push(*thread, stamp_now(), EventKind::step_end, task, wait, at);
}

void cs_task_done(cs_task task, int outcome) {
    ThreadState* thread = task == 0 ? nullptr : this_thread();
    if (thread == nullptr) return leave_unseen(task);
    const bool known = outcome >= CS_OK && outcome <= CS_CANCELLED;
    const Stamp stamp = stamp_now();
    push(*thread, stamp, EventKind::task_done, task, static_cast<std::uint64_t>(known ? outcome : CS_ENDED));
    cs_producer& producer = thread->probe->ring.producer();
    const std::uint32_t depth = producer.depth;
    if (depth == 0 || depth > CS_STEP_DEPTH || producer.steps[depth - 1].task != task) return;
    cs_leave(&producer, task);
    push(*thread, stamp, EventKind::step_end, task, CS_FINISHED);
}

void cs_task_cancel(cs_task task, cs_task by, cs_node at) { push_of(task, EventKind::cancel_requested, by, at); }

void cs_task_uncancel(cs_task task, uint64_t remaining) { push_of(task, EventKind::uncancelled, remaining); }

void cs_cancel_origin(cs_task task, int origin, cs_value message) {
    const auto known = static_cast<vocabulary::CancelOrigin>(origin);
    push_of(task, EventKind::cancel_origin, vocabulary::pack_cancel(known, message));
}

void cs_cancel_thrown(cs_task task, cs_node at) { push_of(task, EventKind::cancel_thrown, 0, at); }

void cs_cancel_swallowed(cs_task task, cs_node at) { push_of(task, EventKind::cancel_swallowed, 0, at); }

void cs_task_error(cs_task task, cs_value error, cs_node at) { push_of(task, EventKind::task_error, error, at); }

void cs_error_retrieved(cs_task task, cs_task by, cs_node at) { push_of(task, EventKind::error_retrieved, by, at); }

void cs_wait_holder(cs_task task, cs_task holder) { push_of(task, EventKind::wait_holder, holder); }

/* ---- Loops, callbacks, jobs ---- */

cs_loop cs_loop_new(cs_runtime) { return take_id(registry().process.last_loop); }

void cs_loop_started(cs_loop loop) { push_of(loop, EventKind::loop_started); }

void cs_loop_stopped(cs_loop loop) { push_of(loop, EventKind::loop_stopped); }

void cs_poll_begin(void) { push(EventKind::poll_begin, 0); }

void cs_poll_end(uint64_t found) { push(EventKind::poll_end, 0, found); }

void cs_callback_begin(cs_node scheduled_at, cs_task caused_by) {
    ThreadState* thread = this_thread();
    if (thread == nullptr) return;
    const Stamp stamp = stamp_now();
    cs_enter_at(&thread->probe->ring.producer(), stamp, 0, scheduled_at);
    push(*thread, stamp, EventKind::callback_begin, 0, caused_by, scheduled_at);
}

void cs_callback_end(void) {
    ThreadState* thread = this_thread();
    if (thread == nullptr) return leave_unseen(0);
    cs_leave(&thread->probe->ring.producer(), 0);
    push(*thread, stamp_now(), EventKind::callback_end, 0);
}

void cs_job_begin(cs_resource job, cs_task waiting) { push(EventKind::job_begin, job, waiting); }

void cs_job_end(cs_resource job, cs_task waiting) { push(EventKind::job_end, job, waiting); }

/* ---- Resources ---- */

uint32_t cs_resource_type_define(const char* name, const char* words) {
    return when_on<std::uint32_t>(0, [&] { return registry().definitions.define_type(text_of(name), text_of(words)); });
}

cs_resource cs_resource_new(const cs_resource_info* info) {
    cs_resource_info copy;
    if (!is_on() || !copy_struct(copy, info)) return 0;
    return guarded<cs_resource>(0, [&]() -> cs_resource {
        ResourceDefinition resource;
        resource.id = take_id(registry().process.last_resource);
        resource.type = copy.type;
        resource.created_at = copy.created_at;
        resource.name = words::cut_utf8(text_of(copy.name), Definitions::max_name_bytes);
        resource.created_by = copy.created_by;
        resource.created = stamp_now();
        resource.capacity = copy.capacity;
        resource.parent = copy.parent;
        resource.system_id = copy.system_id;
        const cs_resource id = resource.id;
        return registry().resources.add(std::move(resource)) ? id : 0;
    });
}

void cs_resource_name(cs_resource resource, const char* text) {
    when_on<int>(0, [&] {
        registry().resources.rename(resource, std::string(words::cut_utf8(text_of(text), Definitions::max_name_bytes)));
        return 0;
    });
}

void cs_resource_close(cs_resource resource) {
    if (resource == 0) return;
    guarded(0, [&] {
        if (is_on()) {
            registry().resources.close(resource, stamp_now());
        } else {
            registry().resources.drop(resource);
        }
        return 0;
    });
}

void cs_resource_used(cs_resource resource, cs_task task, int role, cs_node at) {
    push_of(resource, EventKind::resource_used,
            vocabulary::pack_use(static_cast<vocabulary::Role>(static_cast<std::uint8_t>(role)), task), at);
}

void cs_resource_level(cs_resource resource, uint64_t level) { push_of(resource, EventKind::resource_level, level); }

void cs_resource_member(cs_resource resource, cs_task task) { push_of(resource, EventKind::member, task); }

/* ---- Payload ---- */

void cs_attribute(cs_task task, cs_name key, cs_value value) {
    push_of(task, EventKind::task_attribute, vocabulary::pack_attribute(key, value));
}

void cs_resource_attribute(cs_resource resource, cs_name key, cs_value value) {
    push_of(resource, EventKind::resource_attribute, vocabulary::pack_attribute(key, value));
}

void cs_span_attribute(cs_span span, cs_name key, cs_value value) {
    push_of(span, EventKind::span_attribute, vocabulary::pack_attribute(key, value));
}

cs_span cs_mark(cs_name name, cs_node at) { return new_span(EventKind::mark, name, at); }

cs_span cs_span_begin(cs_name name, cs_node at) { return new_span(EventKind::span_begin, name, at); }

void cs_span_end(cs_span span) { push_of(span, EventKind::span_end); }

void cs_counter(cs_name name, double value) {
    std::uint64_t bits = 0;
    std::memcpy(&bits, &value, sizeof bits);
    push_of(name, EventKind::counter, bits);
}

/* ---- Reports ---- */

void cs_report_send(const cs_report* from) {
    cs_report copy;
    if (!copy_struct(copy, from)) return;
    const ThreadState* thread = this_thread();
    if (thread == nullptr) return;
    guarded(0, [&] {
        Report report;
        report.kind = copy.kind;
        report.stamp = stamp_now();
        report.task = copy.task;
        report.site = copy.site;
        report.stack = copy.stack;
        if (copy.frames != nullptr)
            report.frames.assign(copy.frames, copy.frames + std::min(copy.frame_count, most_frames));
        if (copy.addresses != nullptr)
            report.addresses.assign(copy.addresses, copy.addresses + std::min(copy.address_count, most_frames));
        report.text = words::cut_utf8(text_of(copy.text), most_text_bytes);
        report.thread = thread->probe->id;
        report.duration_ns = copy.duration_ns;
        registry().report(std::move(report));
        return 0;
    });
}

/* ---- Snapshots ---- */

uint64_t cs_snapshot_wanted(void) {
    return __atomic_load_n(&registry().process.snapshot_wanted, __ATOMIC_ACQUIRE);  // pairs with want_snapshot()
}

int cs_lost_events(void) {
    ThreadState* thread = this_thread();
    return thread != nullptr && thread->probe->ring.has_gap() && cs_has_room() != 0 ? 1 : 0;
}

int cs_has_room(void) {
    ThreadState* thread = this_thread();
    return thread != nullptr && thread->probe->ring.backlog() < thread->probe->ring.capacity() / 2 ? 1 : 0;
}

// The model takes a listing of loop 0 for all tasks of the process, which it is only of a process with one runtime.
// With several, such a listing adds what was lost, but cannot say what is gone.
static bool is_whole_listing(cs_loop loop) {
    return loop != 0 || guarded(false, [] { return registry().all_runtimes().size() <= 1; });
}

void cs_snapshot_begin(cs_runtime, cs_loop loop) {
    if (is_on() && is_whole_listing(loop)) push(EventKind::snapshot_begin, loop);
}

void cs_snapshot_task(cs_task task, cs_task parent, cs_node root, uint64_t wait, cs_node at) {
    push_of(task, EventKind::snapshot_task, parent, root);
    push_of(task, EventKind::snapshot_state, wait, at);
}

void cs_snapshot_end(cs_runtime, cs_loop loop) {
    if (is_on() && is_whole_listing(loop)) push(EventKind::snapshot_end, loop);
}

/* ---- Inline producers ---- */

cs_producer* cs_producer_bind(cs_producer** cache) {
    ThreadState* thread = cache == nullptr ? nullptr : this_thread();
    if (thread == nullptr) return nullptr;
    cs_producer* producer = &thread->probe->ring.producer();
    const auto end = thread->caches.begin() + static_cast<std::ptrdiff_t>(thread->cache_count);
    if (std::find(thread->caches.begin(), end, cache) == end) {
        if (thread->cache_count == thread->caches.size()) return nullptr;
        thread->caches[thread->cache_count++] = cache;
    }
    return *cache = producer;
}

void cs_push_slowly(cs_producer* producer, uint64_t stamp, uint8_t kind, uint64_t subject, uint64_t argument,
                    uint32_t stack) {
    if (producer == nullptr) return;
    Ring::of(*producer).push_slowly(stamp, static_cast<EventKind>(kind), subject, argument, stack);
}

}  // extern "C"
