// The time limit of coroscope/testing.hpp around every test of a GoogleTest program:
//
//     int main(int argc, char** argv) {
//         testing::InitGoogleTest(&argc, argv);
//         coroscope::testing::limit_tests(10s);
//         return RUN_ALL_TESTS();
//     }
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <string>

#include "coroscope/testing.hpp"

namespace coroscope::testing {

class TestTimeLimits final : public ::testing::EmptyTestEventListener {
public:
    explicit TestTimeLimits(std::chrono::nanoseconds limit) : limit_(limit) {}

private:
    void OnTestStart(const ::testing::TestInfo& test) override {
        running_.emplace(limit_, std::string("the test ") + test.test_suite_name() + "." + test.name());
    }
    void OnTestEnd(const ::testing::TestInfo&) override { running_.reset(); }

    const std::chrono::nanoseconds limit_;
    std::optional<TimeLimit> running_;
};

// Before RUN_ALL_TESTS(). A test that takes longer is explained on stderr, and the program is aborted.
inline void limit_tests(std::chrono::nanoseconds limit) {
    ::testing::UnitTest::GetInstance()->listeners().Append(new TestTimeLimits(limit));  // which owns it
}

}  // namespace coroscope::testing
