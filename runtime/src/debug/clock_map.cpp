#include "clock_map.hpp"

#include <chrono>
#include <thread>
#if defined(__x86_64__)
#include <x86intrin.h>
#endif

namespace coroscope::debug {

namespace {

probe::Stamp ticks_now() noexcept {
#if defined(__x86_64__)
    return __rdtsc();
#else
    return probe::monotonic_ns();
#endif
}

}  // namespace

ClockMap::ClockMap(bool stamps_are_ticks) : ticks_(stamps_are_ticks) {
    if (!ticks_) return;
    const Sample first = sample();
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    anchor_ns_ = first.ns;
    anchor_stamp_ = first.stamp;
    resample();
}

probe::Stamp ClockMap::stamp_now() const noexcept { return ticks_ ? ticks_now() : probe::monotonic_ns(); }

// (monotonic, stamp, monotonic): the stamp was taken between the two, so half their distance bounds the error.
ClockMap::Sample ClockMap::sample() noexcept {
    Sample best;
    std::uint64_t tightest = ~std::uint64_t{0};
    for (int i = 0; i < 8; ++i) {
        const std::uint64_t before = probe::monotonic_ns();
        const probe::Stamp stamp = ticks_now();
        const std::uint64_t after = probe::monotonic_ns();
        if (after - before >= tightest) continue;
        tightest = after - before;
        best = {before + (after - before) / 2, stamp};
    }
    return best;
}

void ClockMap::resample() {
    if (!ticks_) return;
    const Sample now = sample();
    if (now.stamp <= anchor_stamp_ || now.ns <= anchor_ns_) return;
    ns_per_tick_ = static_cast<double>(now.ns - anchor_ns_) / static_cast<double>(now.stamp - anchor_stamp_);
    anchor_ns_ = now.ns;
    anchor_stamp_ = now.stamp;
}

}  // namespace coroscope::debug
