// The raw clock that stamps records: the time stamp counter where it is reliable, else CLOCK_MONOTONIC. std only.
//
// A stamp costs about 10 ns with rdtsc and is most of what an event costs. The drainer, not the app, turns stamps into
// nanoseconds: it keeps (monotonic, stamp) pairs and interpolates.
#pragma once

#include <cstdint>
#include <ctime>
#if defined(__x86_64__)
#include <x86intrin.h>
#endif

namespace coroscope::probe {

using Stamp = std::uint64_t;

inline std::uint64_t monotonic_ns() noexcept {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000u + static_cast<std::uint64_t>(now.tv_nsec);
}

// True where stamps are ticks of the time stamp counter, false where they are already CLOCK_MONOTONIC nanoseconds.
// Decided once, before the first record (CPUID: invariant TSC).
inline bool stamps_are_ticks = false;

inline Stamp stamp_now() noexcept {
#if defined(__x86_64__)
    if (stamps_are_ticks) [[likely]]
        return __rdtsc();
#endif
    return monotonic_ns();
}

}  // namespace coroscope::probe
