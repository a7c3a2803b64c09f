// Calls that block within a step are timed by place, and return what they return when nobody measures them.
#include "runtime/src/debug/blocking_calls.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "tests/support/sanitizers.hpp"

namespace coroscope::debug {
namespace {

thread_local cs_producer* t_producer = nullptr;

// One instruction that calls, whatever the compiler makes of a loop.
[[gnu::noinline]] void sleep_here(unsigned us) {
    ::usleep(us);
    asm volatile("");
}

class BlockingCallsTest : public testing::Test {
protected:
    BlockingCallsTest() {
        registry_.producer_if_any = []() noexcept { return t_producer; };
        registry_.slow_step_ns = 10'000'000'000;
        calls_.emplace(registry_, clock_);
        t_producer = &probe_.ring.producer();
    }
    ~BlockingCallsTest() override { t_producer = nullptr; }

    void SetUp() override {
        if (coroscope::test::has_thread_sanitizer)
            GTEST_SKIP() << "the sanitizer's own calls are in the program, past its table of calls";
    }

    // The same within a step of `task`.
    void in_step(std::uint64_t task, const std::function<void()>& work) {
        cs_enter_at(t_producer, probe::stamp_now(), task, 5);
        work();
        cs_leave(t_producer, task);
    }
    // What was seen of a task; the last place, if there are several.
    std::optional<BlockedPlace> of(std::uint64_t task) {
        std::optional<BlockedPlace> found;
        for (BlockedPlace& place : calls_->take_changed())
            if (place.task == task) found = std::move(place);
        return found;
    }

    cs_process process_{};
    probe::Registry registry_{process_};
    ClockMap clock_{process_.stamps_in_ticks != 0};
    probe::ThreadProbe probe_{1024, nullptr};
    std::optional<BlockingCalls> calls_;
};

TEST_F(BlockingCallsTest, ACallThatBlocksIsTimedByPlace) {
    for (int i = 0; i < 3; ++i) in_step(71, [] { ::usleep(2'000); });
    const auto place = of(71);
    ASSERT_TRUE(place);
    EXPECT_STREQ(place->function, "usleep");
    EXPECT_EQ(place->count, 3u);
    EXPECT_EQ(place->node, 5u);
    EXPECT_GE(place->total_ns, 5'900'000u);
    EXPECT_GE(place->longest_ns, 1'900'000u);
    EXPECT_LE(place->longest_ns, place->total_ns);
    EXPECT_EQ(place->slow_ns, 0u);
    EXPECT_GT(place->frames.size(), 2u);
    EXPECT_FALSE(of(71)) << "nothing new";
}

TEST_F(BlockingCallsTest, OutsideOfAStepNothingIsMeasured) {
    t_producer->steps[0].task = 72;
    ::usleep(2'000);
    EXPECT_FALSE(of(72));
}

TEST_F(BlockingCallsTest, OtherThreadsAreNotMeasured) {
    in_step(73, [] {
        std::thread other([] { ::usleep(2'000); });
        while (!other.joinable()) {
        }
        other.join();
    });
    const auto place = of(73);
    ASSERT_TRUE(place);
    EXPECT_STREQ(place->function, "pthread_join");
}

TEST_F(BlockingCallsTest, ResultsAndErrorsStay) {
    in_step(74, [] {
        char text[4];
        errno = 0;
        EXPECT_EQ(::read(-1, text, sizeof text), -1);
        EXPECT_EQ(errno, EBADF);
        errno = ENOENT;
        struct stat status{};
        EXPECT_EQ(::stat("/", &status), 0);
        ::usleep(1'000);
        EXPECT_EQ(errno, ENOENT) << "a call that succeeds leaves it";
        const int file = ::open("/tmp", O_RDWR | O_TMPFILE, 0640);
        if (file < 0) return;  // not on this file system
        EXPECT_EQ(::fstat(file, &status), 0);
        EXPECT_EQ(status.st_mode & 0700u, 0600u) << "the third argument arrived";
        EXPECT_EQ(::fcntl(file, F_GETFL) & O_ACCMODE, O_RDWR);
        ::close(file);
    });
}

TEST_F(BlockingCallsTest, CallsOfAStepThatGetsSlowAreToldAsThat) {
    calls_->tick(5'000'000);
    in_step(75, [] {
        ::usleep(2'000);
        ::usleep(4'000);  // by its end the step is too long
    });
    std::uint64_t total_ns = 0, slow_ns = 0;
    for (const BlockedPlace& place : calls_->take_changed()) {
        if (place.task != 75) continue;
        total_ns += place.total_ns;
        slow_ns += place.slow_ns;
    }
    EXPECT_GE(total_ns, 5'900'000u);
    EXPECT_NEAR(static_cast<double>(slow_ns), static_cast<double>(total_ns), 100);
}

TEST_F(BlockingCallsTest, QuickCallsAreCountedOnly) {
    in_step(76, [] {
        for (unsigned i = 0; i < 100; ++i) sleep_here(i == 99 ? 2'000 : 0);
    });
    std::uint64_t blocked = 0, quick = 0;
    for (const BlockedPlace& place : calls_->take_changed()) {
        if (place.task != 76) continue;
        blocked += place.count;
        quick = std::max(quick, place.quick);
    }
    EXPECT_GE(blocked, 1u);
    EXPECT_EQ(blocked + quick, 100u);
}

TEST_F(BlockingCallsTest, AThreadCanBeCancelledInACall) {
    static std::atomic<bool> unwound{false}, there{false};
    pthread_t thread{};
    ASSERT_EQ(::pthread_create(
                  &thread, nullptr,
                  [](void* probe) -> void* {
                      struct Guard {
                          ~Guard() { unwound = true; }
                      } guard;
                      t_producer = &static_cast<probe::ThreadProbe*>(probe)->ring.producer();
                      cs_enter(t_producer, probe::stamp_now(), 77);
                      there = true;
                      for (;;) ::pause();
                  },
                  &probe_),
              0);
    while (!there) std::this_thread::yield();
    ::pthread_cancel(thread);
    void* result = nullptr;
    ::pthread_join(thread, &result);
    EXPECT_EQ(result, PTHREAD_CANCELED);
    EXPECT_TRUE(unwound);
}

}  // namespace
}  // namespace coroscope::debug
