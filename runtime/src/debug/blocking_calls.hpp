// Calls of the C library that can block, made within a step on a loop's thread: counted, and timed by place.
//
// COROSCOPE_BLOCKING=1. The app's calls lead through functions of this library (call_patch.hpp says why that way). Each
// of these calls the real one with the same arguments and returns its result; errno, signals and cancellation are the
// real call's. Of a call that took less than `bound_ns` only the number is kept, by the line that called: two readings
// of the time stamp counter and a counter. Of a longer one the stack is taken when it has returned (by the unwinder of
// exceptions, which knows functions without a frame pointer), and its time is added to the sums of that place.
//
// Not measured: calls outside of steps (the loop's own poll), on other threads, within another call that is measured,
// in a forked child.
//
// Memory: static, and touched only when used. Bounds: most_places and most_lines; what has no room is counted.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "clock_map.hpp"
#include "runtime/src/probe/registry.hpp"

namespace coroscope::debug {

class CallPatcher;

// What calls at one place sum up to. `frames`: return addresses, innermost first.
struct BlockedPlace {
    std::size_t index = 0;  // of the place, for ever
    const char* function = "";
    probe::NodeId node = 0;
    std::vector<void*> frames;
    std::uint64_t task = 0;  // the last one
    std::uint32_t thread = 0;
    std::uint64_t count = 0, total_ns = 0, longest_ns = 0;
    std::uint64_t slow_ns = 0;  // of total_ns: in steps that were longer than the threshold by the end of a call
    std::uint64_t quick = 0;    // calls by the same instruction that took less than the bound
};

// At most one at a time. Thread: the emitter's.
class BlockingCalls {
public:
    static constexpr std::uint64_t bound_ns = 100'000;  // shorter calls are only counted
    static constexpr std::size_t most_places = 1024, most_lines = 4096, most_frames = 40;

    BlockingCalls(probe::Registry& registry, const ClockMap& clock);
    ~BlockingCalls();  // calls are not measured any more
    BlockingCalls(const BlockingCalls&) = delete;
    BlockingCalls& operator=(const BlockingCalls&) = delete;

    // Patches what was loaded since; takes the threshold over. Now and then.
    void tick(std::uint64_t slow_step_ns);
    // The sums since the start, of the places at which something happened since the last call.
    std::vector<BlockedPlace> take_changed();
    std::uint64_t without_room() const noexcept;  // calls that blocked at more places than there is room for
    // Objects whose calls are not seen, each once.
    std::vector<std::string> take_refused();
    std::size_t patched() const noexcept;

private:
    const ClockMap& clock_;
    std::unique_ptr<CallPatcher> patcher_;
    std::array<std::uint64_t, most_places> told_{};  // of each place: count and slow ticks, which only grow, summed
};

}  // namespace coroscope::debug
