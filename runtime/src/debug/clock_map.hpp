// Turns stamps into nanoseconds of CLOCK_MONOTONIC. Samples both clocks now and then; the tightest of a few tries
// counts.
#pragma once

#include <cstdint>

#include "runtime/src/probe/clock.hpp"

namespace coroscope::debug {

class ClockMap {
public:
    explicit ClockMap(bool stamps_are_ticks);  // waits 2 ms for its first rate
    void resample();                           // every 250 ms or so
    std::uint64_t ns(probe::Stamp stamp) const noexcept {
        if (!ticks_) return stamp;
        const auto ticks = static_cast<double>(static_cast<std::int64_t>(stamp - anchor_stamp_));
        return anchor_ns_ + static_cast<std::uint64_t>(static_cast<std::int64_t>(ticks * ns_per_tick_));
    }
    // Between lengths, in stamps and in ns.
    std::uint64_t length_ns(std::uint64_t stamps) const noexcept {
        return static_cast<std::uint64_t>(static_cast<double>(stamps) * ns_per_tick_);
    }
    std::uint64_t ticks(std::uint64_t length_ns) const noexcept {
        return static_cast<std::uint64_t>(static_cast<double>(length_ns) / ns_per_tick_);
    }
    probe::Stamp stamp_now() const noexcept;

private:
    struct Sample {
        std::uint64_t ns = 0;
        probe::Stamp stamp = 0;
    };
    static Sample sample() noexcept;

    bool ticks_;
    std::uint64_t anchor_ns_ = 0;
    probe::Stamp anchor_stamp_ = 0;
    double ns_per_tick_ = 1;
};

}  // namespace coroscope::debug
