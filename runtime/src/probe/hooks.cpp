#include "hooks.hpp"

#include <pthread.h>

#include <array>
#include <bit>
#include <memory>
#include <mutex>
#include <new>

#include "proto/words/place.hpp"

namespace coroscope::probe {

namespace detail_ {
thread_local constinit cs_producer* t_producer = nullptr;
cs_process* process = nullptr;
}  // namespace detail_

namespace {

#if defined(__clang__)
constexpr const char* own_version = COROSCOPE_VERSION ", clang " __clang_version__;
#else
constexpr const char* own_version = COROSCOPE_VERSION ", g++ " __VERSION__;
#endif

const char* (*g_cancel_task)(std::uint64_t) = nullptr;  // both set once, in front of cs_runtime_add()
void (*g_list_tasks)() = nullptr;
void (*g_write_stacks)(const cs_stacks_writer&) = nullptr;

// Direct-mapped: a collision costs a call of the library, never a wrong answer.
struct CachedNode {
    std::uint64_t site = 0;  // address of the compiler's record of the source location: unique per await in the code
    std::uint64_t parent_and_kind = 0;
    NodeId node = 0;
};
constexpr std::size_t cache_size = 4096;
using NodeCache = std::array<CachedNode, cache_size>;

thread_local constinit NodeCache* t_cache = nullptr;

CachedNode& entry_of(NodeCache& cache, std::uint64_t address, std::uint64_t parent_and_kind) noexcept {
    return cache[((address >> 3) ^ (parent_and_kind * 0x9e3779b1u)) % cache_size];
}

thread_local constinit bool t_ended = false;  // the cache is destroyed: the thread ends, and must not begin anew

// On the heap: a library that is loaded late has little room for thread-locals.
struct OwnedCache {
    std::unique_ptr<NodeCache> cache{new (std::nothrow) NodeCache};
    ~OwnedCache() {
        t_ended = true;
        t_cache = nullptr;
    }
};

// nullptr: no memory, or the thread ends.
NodeCache* make_cache() noexcept {
    if (t_ended) return nullptr;
    thread_local const OwnedCache owned;
    t_cache = owned.cache.get();
    return t_cache;
}

NodeId intern_slowly(NodeId parent, const std::source_location& site, NodeKind kind, std::uint64_t address,
                     std::uint64_t parent_and_kind) noexcept {
    const NodeId node = cs_node_of(parent, intern_site(site), static_cast<int>(kind));
    if (node == 0) return parent;  // debug mode has just gone off
    if (NodeCache* cache = t_cache != nullptr ? t_cache : make_cache())
        entry_of(*cache, address, parent_and_kind) = {address, parent_and_kind, node};
    return node;
}

// The calling thread's stack, for walks along frame pointers; high 0: unknown.
struct StackBounds {
    std::uintptr_t low = 0, high = 0;
};
thread_local constinit StackBounds t_bounds{};
thread_local constinit bool t_has_bounds = false;

StackBounds stack_bounds() noexcept {
    if (t_has_bounds) return t_bounds;
    t_has_bounds = true;
    pthread_attr_t attributes;
    if (::pthread_getattr_np(::pthread_self(), &attributes) != 0) return {};
    void* low = nullptr;
    std::size_t size = 0;
    if (::pthread_attr_getstack(&attributes, &low, &size) == 0) {
        t_bounds.low = reinterpret_cast<std::uintptr_t>(low);
        t_bounds.high = t_bounds.low + size;
    }
    ::pthread_attr_destroy(&attributes);
    return t_bounds;
}

}  // namespace

void add_runtime(const char* (*cancel_task)(std::uint64_t task), void (*list_tasks)(),
                 void (*write_stacks)(const cs_stacks_writer&)) noexcept {
    static std::once_flag once;
    std::call_once(once, [&] {
        g_cancel_task = cancel_task;
        g_list_tasks = list_tasks;
        g_write_stacks = write_stacks;
        detail_::process = cs_process_state();
        stamps_are_ticks = detail_::process->stamps_in_ticks != 0;
        cs_runtime_info info{};
        info.size = sizeof info;
        info.abi = CS_ABI;
        info.language = "c++";
        info.name = "coroscope";
        info.version = own_version;
        info.capabilities = vocabulary::all_capabilities;
        static_assert(sizeof detail::debug_on == sizeof(std::uint32_t));
        info.on = reinterpret_cast<std::uint32_t*>(&detail::debug_on);
        info.cancel = [](void*, cs_task task) { return g_cancel_task(task); };
        info.list_tasks = [](void*) { g_list_tasks(); };
        info.write_stacks = [](void*, const cs_stacks_writer* writer) { g_write_stacks(*writer); };
        cs_runtime_add(&info);
    });
}

cs_site intern_site(const std::source_location& site) noexcept {
    const std::uint32_t library = words::is_coroscope({}, site.file_name()) ? CS_SITE_LIBRARY : 0;
    return cs_site_define(site.function_name(), site.file_name(), site.line(), site.column(),
                          CS_SITE_RAW_NAME | library);
}

NodeId intern_node(NodeId parent, const std::source_location& site, NodeKind kind) noexcept {
    static_assert(sizeof(std::source_location) == sizeof(std::uint64_t), "one pointer to a static record");
    const auto address = std::bit_cast<std::uint64_t>(site);
    const std::uint64_t parent_and_kind = std::uint64_t{parent} << 8 | static_cast<std::uint8_t>(kind);
    if (t_cache != nullptr) [[likely]] {
        const CachedNode& entry = entry_of(*t_cache, address, parent_and_kind);
        if (entry.site == address && entry.parent_and_kind == parent_and_kind) return entry.node;
    }
    return intern_slowly(parent, site, kind, address, parent_and_kind);
}

__attribute__((noinline)) std::size_t capture_frames(void** frames, std::size_t most) noexcept {
    const StackBounds bounds = stack_bounds();
    if (bounds.high == 0) return 0;
    auto frame = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
    std::size_t count = 0;
    while (count < most && frame >= bounds.low && frame + 2 * sizeof(void*) <= bounds.high &&
           frame % sizeof(void*) == 0) {
        const auto* words = reinterpret_cast<void* const*>(frame);
        if (words[1] == nullptr) break;
        frames[count++] = words[1];
        const auto next = reinterpret_cast<std::uintptr_t>(words[0]);
        if (next <= frame) break;  // the stack grows down: callers are above
        frame = next;
    }
    return count;
}

}  // namespace coroscope::probe
