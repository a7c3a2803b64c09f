// The loop's clock beside the system's.
#include <gtest/gtest.h>
#include <time.h>

#include "coroscope/detail/loop_clock.hpp"

namespace coroscope::test {
namespace {

std::uint64_t system_ns() {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000u + static_cast<std::uint64_t>(now.tv_nsec);
}

TEST(LoopClock, IsTheSystemsMonotonicClockToTheMillisecondAndNeverGoesBack) {
    constexpr std::uint64_t bound = 1'000'000;  // what its header promises
    detail::LoopClock clock;
    std::uint64_t last = 0;
    const std::uint64_t end = system_ns() + 100'000'000;  // long enough to measure the counter's rate and to use it
    for (std::uint64_t before = system_ns(); before < end; before = system_ns()) {
        const std::uint64_t now = clock.now_ns();
        const std::uint64_t after = system_ns();
        ASSERT_GE(now, last);
        ASSERT_GE(now + bound, before);
        ASSERT_LE(now, after + bound);
        last = now;
    }
}

}  // namespace
}  // namespace coroscope::test
