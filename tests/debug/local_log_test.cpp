// Debug mode's messages, and an app's log handler that takes its time.
#include "runtime/src/debug/local_log.hpp"

#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include <condition_variable>
#include <mutex>
#include <string>
#include <vector>

#include "coroscope/emit.h"
#include "runtime/src/probe/registry.hpp"

namespace coroscope::debug {
namespace {

// What an app's handler has been told; it returns when the gate is open.
struct Handler {
    std::mutex mutex;
    std::condition_variable changed;
    bool there = true, open = true;
    int called = 0;
    std::vector<std::string> told;
};
Handler* handler;

probe::Registry& registry_with_handler() {
    static cs_process process{};
    static probe::Registry registry(process);
    registry.has_log_handler = []() noexcept { return handler->there; };
    registry.tell_log_handler = [](int level, const char* text) noexcept {
        std::unique_lock lock(handler->mutex);
        if (!handler->there) return false;
        ++handler->called;
        handler->changed.notify_all();
        handler->changed.wait(lock, [] { return handler->open; });
        handler->told.push_back(std::to_string(level) + " " + text);
        handler->changed.notify_all();
        return true;
    };
    return registry;
}

class LocalLog : public ::testing::Test {
protected:
    LocalLog() {
        handler = &handler_;
        use_log_handler_of(registry_with_handler());
    }
    ~LocalLog() override {
        set_open(true);
        finish_log(std::chrono::seconds(60));
        handler_.there = false;
    }

    void set_open(bool open) {
        const std::lock_guard lock(handler_.mutex);
        handler_.open = open;
        handler_.changed.notify_all();
    }
    // Closes the gate, and has the handler stand before it with a first message.
    void block() {
        set_open(false);
        log().warn("first");
        std::unique_lock lock(handler_.mutex);
        handler_.changed.wait(lock, [&] { return handler_.called == 1; });
    }
    std::vector<std::string> told() {
        finish_log(std::chrono::seconds(60));
        const std::lock_guard lock(handler_.mutex);
        return handler_.told;
    }

    Handler handler_;
};

TEST_F(LocalLog, TheHandlerIsToldInOrder) {
    log().warn("the loop hangs: {}", 17);
    log().error("and more");
    EXPECT_EQ(told(), (std::vector<std::string>{std::to_string(CS_LOG_WARNING) + " the loop hangs: 17",
                                                std::to_string(CS_LOG_ERROR) + " and more"}));
}

TEST_F(LocalLog, NobodyWaitsForAHandlerThatDoesNotReturn) {
    block();
    log().warn("second");  // would hang here
    set_open(true);
    const std::vector<std::string> all = told();
    ASSERT_EQ(all.size(), 2u);
    EXPECT_TRUE(all[1].ends_with("second")) << all[1];
}

TEST_F(LocalLog, WhatIsTooMuchIsCounted) {
    block();
    for (int i = 0; i < 1007; ++i) log().warn("{}", i);
    set_open(true);
    const std::vector<std::string> all = told();
    ASSERT_EQ(all.size(), 1u + 1000u + 1u);
    EXPECT_TRUE(all[1000].ends_with(" 999")) << all[1000];
    EXPECT_TRUE(all.back().ends_with(" 7 messages were left out: the log handler did not return from earlier ones"))
        << all.back();
}

TEST_F(LocalLog, WhatTheHandlerWasNotToldAtTheEndGoesToStderr) {
    block();
    log().warn("the last words");
    ::testing::internal::CaptureStderr();
    finish_log(std::chrono::milliseconds(0));
    const std::string err = ::testing::internal::GetCapturedStderr();
    EXPECT_NE(err.find("the last words"), std::string::npos) << err;
    set_open(true);
    EXPECT_EQ(told().size(), 1u) << "and to the handler no more";
}

TEST_F(LocalLog, AtTheEndStderrIsToldHowManyWereTooMany) {
    block();
    for (int i = 0; i < 1003; ++i) log().warn("{}", i);
    ::testing::internal::CaptureStderr();
    finish_log(std::chrono::milliseconds(0));
    EXPECT_NE(::testing::internal::GetCapturedStderr().find(" 3 messages were left out"), std::string::npos);
}

TEST_F(LocalLog, WithoutAHandlerItGoesToStderrAtOnce) {
    handler_.there = false;
    ::testing::internal::CaptureStderr();
    log().warn("nobody listens");
    EXPECT_NE(::testing::internal::GetCapturedStderr().find("coroscope warning: nobody listens"), std::string::npos);
}

}  // namespace
}  // namespace coroscope::debug
