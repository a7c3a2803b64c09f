// The runtime's own messages go to stderr, or to the handler that the app gave.
#include "coroscope/log.hpp"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "coroscope/coroscope.hpp"
#include "coroscope/virtual_time_loop.hpp"

namespace coroscope {
namespace {

using Lines = std::vector<std::pair<LogLevel, std::string>>;

Coro<int> forgotten() { co_return 1; }
Coro<> forget() {
    static_cast<void>(forgotten());
    co_return;
}
Coro<> forget_an_error() {
    Future<int> future;
    future.set_exception(std::make_exception_ptr(std::runtime_error("no\x1b[31m route")));
    co_return;
}

// Back to stderr, whatever a test does.
class Log : public testing::Test {
protected:
    ~Log() override { set_log_handler(nullptr); }

    static std::string stderr_of(Coro<> (*body)()) {
        testing::internal::CaptureStderr();
        run<VirtualTimeLoop>(body());
        return testing::internal::GetCapturedStderr();
    }
};

TEST_F(Log, TheHandlerGetsWhatWouldGoToStderr) {
    Lines lines;
    set_log_handler([&](LogLevel level, std::string_view text) { lines.emplace_back(level, text); });
    EXPECT_EQ(stderr_of(forget), "");
    EXPECT_EQ(stderr_of(forget_an_error), "");
    ASSERT_EQ(lines.size(), 2u);
    EXPECT_EQ(lines[0].first, LogLevel::warning);
    EXPECT_TRUE(lines[0].second.starts_with("coroutine 'coroscope::forgotten' was never awaited (")) << lines[0].second;
    EXPECT_EQ(lines[1].first, LogLevel::error);
    EXPECT_EQ(lines[1].second, "exception of a future was never retrieved: std::runtime_error: no\\x1b[31m route");
}

TEST_F(Log, WithoutAHandlerItIsStderr) {
    set_log_handler([](LogLevel, std::string_view) { FAIL() << "it is gone"; });
    set_log_handler({});
    EXPECT_TRUE(stderr_of(forget).starts_with("coroscope: coroutine 'coroscope::forgotten' was never awaited ("));
}

TEST_F(Log, AHandlerThatThrowsHarmsNobody) {
    set_log_handler([](LogLevel, std::string_view) { throw std::runtime_error("the disk is full"); });
    EXPECT_EQ(stderr_of(forget), "");
}

TEST_F(Log, WhatComesWhileTheHandlerRunsGoesToStderr) {
    int calls = 0;
    set_log_handler([&](LogLevel, std::string_view) {
        ++calls;
        static_cast<void>(forgotten());
    });
    EXPECT_TRUE(stderr_of(forget).starts_with("coroscope: coroutine 'coroscope::forgotten' was never awaited ("));
    EXPECT_EQ(calls, 1);
}

}  // namespace
}  // namespace coroscope
