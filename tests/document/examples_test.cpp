// Examples beside the tutorial's: they end well and say what they did.
#include <gtest/gtest.h>

#include "support.hpp"

namespace {

TEST(Examples, AHostsEpollDrivesTheLoop) {
    const Result ran = run_command(std::string(COROSCOPE_EXAMPLES) + "/host_epoll 2>/dev/null");
    EXPECT_EQ(ran.status, 0);
    EXPECT_EQ(ran.output, "counted to 5, a thread answered 42\n");
}

TEST(Examples, AWindowDrivesTheLoop) {
    if (run_command("command -v xvfb-run").output.empty()) GTEST_SKIP() << "no xvfb-run here";
    if (run_command("ls " COROSCOPE_EXAMPLES "/glfw_loop 2>/dev/null").output.empty())
        GTEST_SKIP() << "built without GLFW";
    // What X and the driver leave behind at exit is not the example's.
    const Result ran =
        run_command("env -u DISPLAY -u WAYLAND_DISPLAY ASAN_OPTIONS=detect_leaks=0 xvfb-run -a " COROSCOPE_EXAMPLES
                    "/glfw_loop 2>/dev/null");
    EXPECT_EQ(ran.status, 0);
    EXPECT_EQ(ran.output, "10 frames; computed on another thread\n");
}

}  // namespace
