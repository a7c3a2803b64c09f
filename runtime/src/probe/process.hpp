// What libcoroscope-emit keeps for the process and for each of its threads. Only that library includes this.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "registry.hpp"

namespace coroscope::probe {

// The one of this process; lives until the process ends, never destroyed: rings outlive static destructors.
Registry& registry() noexcept;

// Of that registry, which is not made for a look at whether debug mode is on.
extern cs_process the_process;

inline bool is_on() noexcept { return __atomic_load_n(&the_process.on, __ATOMIC_RELAXED) != 0; }

// Nodes that this thread asked for before. Direct-mapped: a collision costs a look-up under the mutex, never a wrong
// answer.
class NodeCache {
public:
    NodeId find(NodeId parent, SiteId site, NodeKind kind) noexcept;  // asks the definitions if need be

private:
    struct Entry {
        NodeId parent = 0;
        SiteId site = 0;
        std::uint32_t kind = 0;  // 0: the entry is free
        NodeId node = 0;
    };
    static constexpr std::size_t size = 4096;
    std::array<Entry, size> entries_{};
};

// Of a thread that emits. Destroyed when the thread ends, where its ring is retired.
struct ThreadState {
    ThreadProbe* probe = nullptr;  // nullptr: in a forked child, until its first record
    NodeCache nodes;
    std::array<cs_producer**, 16> caches{};  // see cs_producer_bind()
    std::size_t cache_count = 0;
};

// nullptr: debug mode is off, the thread is ending, or there is no memory. With a probe.
ThreadState* this_thread() noexcept;

// Of this thread, if it has emitted before, also while debug mode is off. With a probe, or nullptr.
ThreadState* known_thread() noexcept;

// Of the forking thread, in the child.
void forget_thread_in_child() noexcept;

// The hooks around a fork, beside those of the registry: see switch.cpp.
void before_fork() noexcept;
void after_fork_in_parent() noexcept;
void after_fork_in_child() noexcept;

}  // namespace coroscope::probe
