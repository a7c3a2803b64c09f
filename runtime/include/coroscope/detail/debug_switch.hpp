// The one word that every hook reads: is debug mode on? Part of the public headers because coroutine promises check it
// inline.
#pragma once

#include <atomic>
#include <cstdint>

namespace coroscope::detail {

// 1 or 0, read relaxed by every hook: a hook that sees the old value for a moment emits, or omits, a few events;
// nothing is ordered by it. Written by libcoroscope-emit, which has its address: an atomic that takes no lock is there
// a plain word.
inline constinit std::atomic<std::uint32_t> debug_on{0};
static_assert(std::atomic<std::uint32_t>::is_always_lock_free);

inline bool debug_enabled() noexcept { return debug_on.load(std::memory_order_relaxed) != 0; }

}  // namespace coroscope::detail
