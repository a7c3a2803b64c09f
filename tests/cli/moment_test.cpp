// What --at understands.
#include "agent/cli/moment.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>

namespace coroscope::cli {
namespace {

using From = trace::When::From;

TEST(Moment, ANumberIsSecondsSinceTheRecordingBegan) {
    const auto when = parse_moment("12.5");
    ASSERT_TRUE(when);
    EXPECT_EQ(when->from, From::recording_start);
    EXPECT_EQ(when->ns, 12'500'000'000u);
    EXPECT_EQ(parse_moment("0")->ns, 0u);
    EXPECT_EQ(parse_moment("1e-9")->ns, 1u);
}

TEST(Moment, ADateAndTimeIsOfThisMachinesClock) {
    ::setenv("TZ", "UTC", 1);
    ::tzset();
    const auto when = parse_moment("1970-01-02T00:01:02.25");
    ASSERT_TRUE(when);
    EXPECT_EQ(when->from, From::unix_epoch);
    EXPECT_EQ(when->ns, 86'462'250'000'000u);
    EXPECT_EQ(parse_moment("1970-01-02 00:01:02.25")->ns, when->ns);
}

TEST(Moment, AnythingElseIsRefused) {
    for (const char* text : {"", "noon", "-1", "1s", "nan", "inf", "1e12", "1970-01-02", "1970-01-02T00:01", "12:00:00",
                             "1970-01-02T00:01:02x", "1970-01-02T00:01:."})
        EXPECT_FALSE(parse_moment(text)) << text;
}

}  // namespace
}  // namespace coroscope::cli
