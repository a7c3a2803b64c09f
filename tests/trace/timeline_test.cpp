// Apps of several hosts on one axis; and numbers that no clock would show.
#include "agent/trace/timeline.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <vector>

#include "app_builder.hpp"

namespace coroscope::trace::test {
namespace {

constexpr std::uint64_t max = std::numeric_limits<std::uint64_t>::max();
constexpr std::uint64_t day_ns = 86'400'000'000'000;

// Apps whose wall clocks showed these times when their own clocks showed 0; 0: it did not say.
model::Session apps(const std::vector<std::uint64_t>& wall_ns) {
    model::Session session;
    std::uint64_t key = 0;
    for (const std::uint64_t wall : wall_ns) {
        ++key;
        v2::Frame greeting = hello(key, "app", key);
        if (wall != 0) greeting.mutable_hello()->set_wall_unix_ns(wall);
        session.apply(greeting);
    }
    return session;
}

TEST(Clocks, AnAppOfAnotherHostIsShiftedByItsWallClock) {
    const model::Session session = apps({20 * day_ns, 21 * day_ns, 18 * day_ns, 0});
    const Clocks clocks(session);
    EXPECT_EQ(clocks.at(1, 5000), 5000u);
    EXPECT_EQ(clocks.at(2, 5000), 5000 + day_ns);
    EXPECT_EQ(clocks.at(3, 3 * day_ns), day_ns);
    EXPECT_EQ(clocks.at(3, 5000), 0u) << "the axis begins at 0";
    EXPECT_EQ(clocks.at(4, 5000), 5000u) << "nothing is known of its wall clock";
    EXPECT_EQ(clocks.at(77, 5000), 5000u) << "no such app";
}

TEST(Clocks, AppsOfOneHostAreNotShifted) {
    const Clocks clocks(apps({20 * day_ns, 20 * day_ns + 900'000'000}));
    EXPECT_EQ(clocks.at(2, 5000), 5000u);
}

// Wall clocks come from the app. Offsets whose difference is outside of 64 signed bits move times to the ends of the
// axis, in order.
TEST(Clocks, HostileWallClocksKeepTheOrderOfTimes) {
    const std::vector<std::uint64_t> extremes{1, day_ns, max / 2, max / 2 + 1, max / 2 + 2, max - day_ns, max - 1, max};
    for (const std::uint64_t first : extremes) {
        for (const std::uint64_t second : extremes) {
            SCOPED_TRACE(std::to_string(first) + " " + std::to_string(second));
            const Clocks clocks(apps({first, second}));
            const std::uint64_t early = clocks.at(2, 1000), late = clocks.at(2, max - 1000);
            EXPECT_LE(early, late);
            if (second > first) {
                EXPECT_GE(early, 1000u) << "its clock is ahead: its times move to the right";
            } else {
                EXPECT_LE(late, max - 1000) << "its clock is not ahead: its times move to the left, if at all";
            }
        }
    }
}

TEST(Timeline, AnIterationOfAnyLengthHasALagThatIsNotNegative) {
    BatchBuilder b(1, 1, 0);
    b.loop_started(1, 1).poll(2, 3, 0).poll(max - 1, max, 0);
    model::Session session;
    session.apply(hello(1, "app", 1));
    session.apply(b.frame(1));
    const Timeline timeline(session.app(1)->model);
    ASSERT_FALSE(timeline.lag(0).empty());
    for (const auto& [time_ns, value] : timeline.lag(0)) EXPECT_GE(value, 0);
}

}  // namespace
}  // namespace coroscope::trace::test
