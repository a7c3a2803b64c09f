#include "proto/words/amount.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace coroscope::words {
namespace {

TEST(Amount, DurationsKeepThreeDigitsAndTheRightUnit) {
    EXPECT_EQ(duration(0), "0");
    EXPECT_EQ(duration(500), "500 ns");
    EXPECT_EQ(duration(999), "999 ns");
    EXPECT_EQ(duration(1'500), "1.50 us");
    EXPECT_EQ(duration(12'400), "12.4 us");
    EXPECT_EQ(duration(203'000'000), "203 ms");
    EXPECT_EQ(duration(999'600'000), "1.00 s");
    EXPECT_EQ(duration(1'250'000'000), "1.25 s");
    EXPECT_EQ(duration(12'340'000'000), "12.3 s");
    EXPECT_EQ(duration(245'000'000'000), "4 min 05 s");
    EXPECT_EQ(duration(7'320'000'000'000), "2 h 02 min");
    EXPECT_EQ(duration(std::numeric_limits<std::uint64_t>::max()), "5124095 h 34 min");
}

TEST(Amount, RoundDurationsOfScales) {
    EXPECT_EQ(round_duration(10'000), "10 us");
    EXPECT_EQ(round_duration(100'000'000), "100 ms");
    EXPECT_EQ(round_duration(10'000'000'000), "10 s");
    EXPECT_EQ(round_duration(1'500), "1.50 us");
}

TEST(Amount, Counts) {
    EXPECT_EQ(counted(1, "task", "tasks"), "1 task");
    EXPECT_EQ(counted(0, "task", "tasks"), "0 tasks");
    EXPECT_EQ(short_count(9'999), "9999");
    EXPECT_EQ(short_count(12'345), "12.3k");
    EXPECT_EQ(short_count(999'600), "1.00M");
    EXPECT_EQ(short_count(4'100'000), "4.10M");
    EXPECT_EQ(full_count(12'345'678), "12 345 678");
    EXPECT_EQ(full_count(999), "999");
}

TEST(Amount, Bytes) {
    EXPECT_EQ(bytes(999), "999 B");
    EXPECT_EQ(bytes(1'400), "1.40 kB");
    EXPECT_EQ(bytes(12'300'000), "12.3 MB");
}

}  // namespace
}  // namespace coroscope::words
