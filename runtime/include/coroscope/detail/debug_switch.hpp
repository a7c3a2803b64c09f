// The one word that every hook reads: is debug mode on? Part of the public headers because coroutine promises check it
// inline.
#pragma once

#include <atomic>

namespace coroscope::detail {

// Written by the debug switch (any thread), read relaxed by every hook: a hook that sees the old value
// for a moment emits, or omits, a few events; nothing is ordered by it.
inline constinit std::atomic<bool> debug_on{false};

inline bool debug_enabled() noexcept { return debug_on.load(std::memory_order_relaxed); }

}  // namespace coroscope::detail
