// The clock of a loop: CLOCK_MONOTONIC in nanoseconds, asked from the system once a millisecond at the most and carried
// on by the processor's time stamp counter in between, which costs a third. Where the counter is not reliable (not
// invariant, not x86-64) the system is asked every time.
#pragma once

#include <cstdint>

namespace coroscope::detail {

// Never goes back. Off by at most the millisecond, even if the counter jumps (a virtual machine that moves); otherwise
// by some tens of nanoseconds. One thread at a time.
class LoopClock {
public:
    std::uint64_t now_ns() noexcept;

private:
    void ask_system() noexcept;

    std::uint64_t base_ns_ = 0, base_ticks_ = 0;    // when the system was asked last
    std::uint64_t first_ns_ = 0, first_ticks_ = 0;  // the rate is being measured from here
    std::uint64_t good_for_ticks_ = 0;              // 0: ask the system; two measured rates have to agree first
    double ns_per_tick_ = 0;
    std::uint64_t last_ns_ = 0;
};

}  // namespace coroscope::detail
