#include "proto/words/place.hpp"

#include <gtest/gtest.h>

namespace coroscope::words {
namespace {

TEST(Place, ALineOfAFile) {
    EXPECT_EQ(place("/home/a/src/pipeline.cpp", 34), "pipeline.cpp:34");
    EXPECT_EQ(place("pipeline.cpp", 0), "pipeline.cpp");
    EXPECT_EQ(place("", 3), "");
    EXPECT_EQ(full_place("src/pipeline.cpp", 34), "src/pipeline.cpp:34");
    EXPECT_EQ(full_place("", 3), "");
    EXPECT_EQ(place("a\nb.cpp", 1), "a b.cpp:1");
}

TEST(Place, AFunctionAndItsLine) {
    EXPECT_EQ(place_in("Coro<> ns::consume(int)", "src/pipeline.cpp", 34), "pipeline.cpp:34 in ns::consume");
    EXPECT_EQ(place_in("?", "src/pipeline.cpp", 34), "pipeline.cpp:34");
    EXPECT_EQ(place_in("main", "", 0), "main");
    EXPECT_EQ(frame("int ns::f(int)", "a.cpp:3"), "ns::f (a.cpp:3)");
    EXPECT_EQ(frame("ns::f", ""), "ns::f");
}

TEST(Place, TheLibrarysIsKnownByItsFoldersAndItsNamespace) {
    EXPECT_TRUE(is_coroscope("coroscope::EventLoop::run_step(Task&)", "loop.cpp"));
    EXPECT_TRUE(is_coroscope("void coroscope::detail::resume<int>(int)", ""));
    EXPECT_TRUE(is_coroscope("operator()", "/opt/include/coroscope/task.hpp"));
    EXPECT_TRUE(is_coroscope("fire", "../runtime/src/core/timeout.cpp"));
    // As the build's prefix map leaves them: relative to the source tree.
    for (const char* file : {"runtime/src/core/sleep.cpp", "runtime/src/net/stream.cpp", "runtime/src/http/runner.cpp",
                             "runtime/src/tls/filter.cpp", "runtime/include/coroscope/queue.hpp"})
        EXPECT_TRUE(is_coroscope("serve", file)) << file;
}

TEST(Place, TheUsersOwnIsNot) {
    EXPECT_FALSE(is_library("coroscope::Task<int> shop::sell<int>(int)", "shop.cpp"));
    EXPECT_FALSE(is_library("(anonymous namespace)::worker", "shop.cpp"));
    EXPECT_FALSE(is_library("worker", "/home/me/myruntime/src/core/main.cpp"));
    EXPECT_FALSE(is_library("worker", "/home/me/microscope/coroscope/queue.cpp"));
    EXPECT_FALSE(is_library("async_main", "runtime/examples/debug_mode.cpp"));
    EXPECT_FALSE(is_library("mycoroscope::f()", "a.cpp"));
}

TEST(Place, TheSystemsIsALibraryButNotOurs) {
    for (const char* file :
         {"/usr/include/c++/12/thread", "../sysdeps/unix/sysv/linux/nanosleep.c", "./nptl/futex.c"}) {
        EXPECT_TRUE(is_library("f", file)) << file;
        EXPECT_FALSE(is_coroscope("f", file)) << file;
    }
}

}  // namespace
}  // namespace coroscope::words
