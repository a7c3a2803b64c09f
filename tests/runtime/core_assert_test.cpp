// The assertions of debug and sanitizer builds: here in every build.
#ifndef COROSCOPE_ASSERTS
#define COROSCOPE_ASSERTS
#endif
#include "coroscope/detail/assert.hpp"

#include <gtest/gtest.h>

namespace {

int checked(int number) {
    COROSCOPE_ASSERT(number > 0, "a number is positive");
    return number;
}

TEST(AssertDeathTest, SaysWhatMustHoldAndWhere) {
    EXPECT_EQ(checked(1), 1);
    EXPECT_DEATH(checked(0), "an invariant does not hold: a number is positive .number > 0, .*core_assert_test.cpp:12");
}

}  // namespace
