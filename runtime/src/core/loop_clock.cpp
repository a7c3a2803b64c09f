#include "coroscope/detail/loop_clock.hpp"

#include <algorithm>
#include <cmath>

#include "runtime/src/probe/clock.hpp"

namespace coroscope::detail {

namespace {

constexpr double good_for_ns = 1e6;
constexpr std::uint64_t measured_over_ns = 10'000'000;  // at least: two reads 50 ns off do not matter then
constexpr double tolerance = 1e-3;                      // two measured rates that differ by more: something jumped

}  // namespace

std::uint64_t LoopClock::now_ns() noexcept {
    if (!probe::stamps_are_ticks) return probe::monotonic_ns();
    const std::uint64_t ticks = probe::stamp_now();
    const std::uint64_t since = ticks - base_ticks_;  // enormous if the counter went back
    if (since < good_for_ticks_) {
        last_ns_ = std::max(last_ns_, base_ns_ + static_cast<std::uint64_t>(static_cast<double>(since) * ns_per_tick_));
    } else {
        ask_system();
        last_ns_ = std::max(last_ns_, base_ns_);
    }
    return last_ns_;
}

void LoopClock::ask_system() noexcept {
    // A thread that is put aside between the two clocks would pair times that do not belong together: the closest of a
    // few pairs counts.
    std::uint64_t closest = ~std::uint64_t{0};
    for (int i = 0; i < 3; ++i) {
        const std::uint64_t before = probe::stamp_now(), now = probe::monotonic_ns(), after = probe::stamp_now();
        if (after - before >= closest) continue;
        closest = after - before;
        base_ns_ = now;
        base_ticks_ = before + closest / 2;
        constexpr std::uint64_t at_once = 1000;  // ticks: a third of a microsecond
        if (closest < at_once) break;
    }
    if (first_ns_ != 0 && base_ticks_ > first_ticks_ && base_ns_ - first_ns_ < measured_over_ns) return;
    const double rate = static_cast<double>(base_ns_ - first_ns_) / static_cast<double>(base_ticks_ - first_ticks_);
    const bool agrees = std::abs(rate - ns_per_tick_) <= tolerance * ns_per_tick_;
    good_for_ticks_ = agrees ? static_cast<std::uint64_t>(good_for_ns / rate) : 0;
    ns_per_tick_ = rate;
    first_ns_ = base_ns_;
    first_ticks_ = base_ticks_;
}

}  // namespace coroscope::detail
