#include "process.hpp"

#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "alternate_stack.hpp"
#include "log.hpp"

namespace coroscope::probe {

constinit cs_process the_process{};

namespace {

thread_local constinit ThreadState* t_state = nullptr;
thread_local constinit bool t_ended = false;  // the thread's destructors have run: it must not begin anew

// Empties what the thread's runtimes remember of their producer.
void empty_caches(ThreadState& state) noexcept {
    for (std::size_t i = 0; i < state.cache_count; ++i) *state.caches[i] = nullptr;
    state.cache_count = 0;
}

// Retires the thread's ring when the thread ends. The drainer frees it.
struct Retire {
    ~Retire() {
        t_ended = true;
        if (t_state == nullptr) return;
        empty_caches(*t_state);
        if (t_state->probe != nullptr) {
            __atomic_store_n(&t_state->probe->ring.producer().depth, 0, __ATOMIC_RELAXED);
            t_state->probe->ring.retired.store(true, std::memory_order_release);  // pairs with the drainer's acquire
        }
        delete t_state;
        t_state = nullptr;
    }
    AlternateStack for_crashes;
};

ThreadProbe* make_probe() {
    Registry& shared = registry();
    auto thread = std::make_unique<ThreadProbe>(shared.ring_capacity, &shared.bell);
    thread->tid = static_cast<std::uint64_t>(::syscall(SYS_gettid));
    char name[32] = {};
    if (::pthread_getname_np(::pthread_self(), name, sizeof name) == 0) thread->name = name;
    const std::scoped_lock lock(shared.threads_mutex);
    shared.threads.push_back(std::move(thread));
    ThreadProbe* made = shared.threads.back().get();
    made->id = ++shared.last_thread_id;
    made->ring.producer().thread = made->id;
    return made;
}

cs_producer* producer_if_any() noexcept {
    const ThreadState* const state = t_state;
    return state == nullptr || state->probe == nullptr ? nullptr : &state->probe->ring.producer();
}

Registry* make_registry() noexcept {
    auto* made = new Registry(the_process);
    made->producer_if_any = producer_if_any;
    made->has_log_handler = has_log_handler;
    made->tell_log_handler = tell_log_handler;
    ::pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
    return made;
}

}  // namespace

Registry& registry() noexcept {
    static Registry* const the_registry = make_registry();
    return *the_registry;
}

NodeId NodeCache::find(NodeId parent, SiteId site, NodeKind kind) noexcept {
    Entry& entry =
        entries_[(site * 0x9e3779b1u ^ parent * 0x85ebca6bu ^ static_cast<std::uint32_t>(kind)) >> 4 & (size - 1)];
    if (entry.site == site && entry.parent == parent && entry.kind == static_cast<std::uint32_t>(kind))
        return entry.node;
    try {
        const NodeId node = registry().definitions.intern_node(parent, site, kind);
        entry = {parent, site, static_cast<std::uint32_t>(kind), node};
        return node;
    } catch (...) {  // out of memory: the stack is cut off here
        return parent;
    }
}

ThreadState* this_thread() noexcept {
    if (!is_on()) return nullptr;
    if (t_state != nullptr && t_state->probe != nullptr) [[likely]]
        return t_state;
    if (t_ended) return nullptr;
    try {
        thread_local Retire retire;
        if (t_state == nullptr) t_state = new ThreadState;
        t_state->probe = make_probe();
        return t_state;
    } catch (...) {
        return nullptr;
    }
}

ThreadState* known_thread() noexcept { return t_state != nullptr && t_state->probe != nullptr ? t_state : nullptr; }

void forget_thread_in_child() noexcept {
    if (t_state == nullptr) return;
    empty_caches(*t_state);
    t_state->probe = nullptr;
}

}  // namespace coroscope::probe
