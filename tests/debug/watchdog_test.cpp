// The watchdog names what a thread hangs in, and the thread does not notice: calls that a signal would end return as
// they do when nobody looks.
#include "runtime/src/debug/watchdog.hpp"

#include <gtest/gtest.h>
#include <poll.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "runtime/src/debug/native_frames.hpp"
#include "tests/support/sanitizers.hpp"

namespace coroscope::debug {
namespace {

constexpr std::uint64_t threshold_ns = 1'000'000;

// What was seen of a thread that calls `work` in one step: it is looked at until it has returned, as if time flew.
// `on_stall` is called after each look that saw something.
std::vector<Stall> watch(const std::function<void()>& work, const std::function<void()>& on_stall = [] {}) {
    probe::ThreadProbe probe(1024, nullptr);
    std::atomic<bool> began{false}, ended{false};
    std::thread thread([&] {
        probe.tid = static_cast<std::uint64_t>(::gettid());
        cs_enter(&probe.ring.producer(), 1, 7);
        began = true;
        work();
        cs_leave(&probe.ring.producer(), 7);
        ended = true;
    });
    while (!began) std::this_thread::yield();
    std::vector<Stall> stalls;
    Watchdog watchdog(true);
    while (!ended) {
        watchdog.forget(probe.id);
        const auto step = running_step(probe);
        if (!step) continue;
        auto stall = watchdog.look(probe, *step, threshold_ns, threshold_ns);
        if (!stall) continue;
        if (stalls.size() < 100) stalls.push_back(std::move(*stall));
        on_stall();
    }
    thread.join();
    return stalls;
}

std::vector<std::string> functions(const Stall& stall) {
    NativeFrames native;
    std::vector<std::string> names;
    for (const NativeFrame& frame : native.resolve(stall.stack)) names.push_back(frame.function);
    return names;
}

bool is_among(const std::vector<std::string>& names, const std::string& wanted) {
    for (const std::string& name : names)
        if (name.find(wanted) != std::string::npos) return true;
    return false;
}

std::string text_of(const std::vector<std::string>& names) {
    std::string text;
    for (const std::string& name : names) text += name + "\n";
    return text;
}

struct Result {
    long value = 0;
    int error = 0;
};

// The result of a call under the eye of the watchdog, which must name it.
template <class Call>
Result watched_result(const std::string& name, Call call) {
    Result result;
    const std::vector<Stall> stalls = watch([&] {
        errno = 0;
        result.value = call();
        result.error = errno;
    });
    bool named = false;
    for (const Stall& stall : stalls) named = named || stall.blocked_in.find(name) != std::string::npos;
    EXPECT_TRUE(named) << name << ", " << stalls.size() << " looks";
    return result;
}

constexpr long short_us = 150'000;

timespec soon(clockid_t clock) {
    timespec time{};
    ::clock_gettime(clock, &time);
    time.tv_nsec += short_us * 1000;
    if (time.tv_nsec >= 1'000'000'000) {
        ++time.tv_sec;
        time.tv_nsec -= 1'000'000'000;
    }
    return time;
}

TEST(Watchdog, ASleepIsNotEnded) {
    EXPECT_EQ(watched_result("clock_nanosleep", [] { return ::usleep(short_us); }).value, 0);
    EXPECT_EQ(watched_result("clock_nanosleep", [] { return ::sleep(1); }).value, 0);
    const timespec length{0, short_us * 1000};
    EXPECT_EQ(watched_result("clock_nanosleep", [&] { return ::nanosleep(&length, nullptr); }).value, 0);
}

TEST(Watchdog, APollWithALimitIsNotEnded) {
    EXPECT_EQ(watched_result("poll", [] { return ::poll(nullptr, 0, short_us / 1000); }).value, 0);
    timeval limit{0, short_us};
    EXPECT_EQ(watched_result("select", [&] { return ::select(0, nullptr, nullptr, nullptr, &limit); }).value, 0);
    const int poller = ::epoll_create1(EPOLL_CLOEXEC);
    epoll_event event{};
    EXPECT_EQ(watched_result("epoll_wait", [&] { return ::epoll_wait(poller, &event, 1, short_us / 1000); }).value, 0);
    ::close(poller);
}

TEST(Watchdog, ASemaphoreIsWaitedForAsLongAsAskedFor) {
    sem_t semaphore;
    ::sem_init(&semaphore, 0, 0);
    const timespec until = soon(CLOCK_REALTIME);
    const Result result = watched_result("futex", [&] { return ::sem_timedwait(&semaphore, &until); });
    EXPECT_EQ(result.value, -1);
    EXPECT_EQ(result.error, ETIMEDOUT);
    ::sem_destroy(&semaphore);
}

TEST(Watchdog, ASocketWithALimitIsReadForThatLong) {
    std::array<int, 2> ends{};
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()), 0);
    const timeval limit{0, short_us};
    ::setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    char byte = 0;
    const std::string name = "recv on fd " + std::to_string(ends[0]) + " (a socket)";
    const Result result = watched_result(name, [&] { return ::recv(ends[0], &byte, 1, 0); });
    EXPECT_EQ(result.value, -1);
    EXPECT_EQ(result.error, EAGAIN);
    for (const int end : ends) ::close(end);
}

TEST(Watchdog, NoneOfManyShortSleepsIsEnded) {
    std::atomic<bool> seen{false};
    int ended_early = 0;
    watch(
        [&] {
            while (!seen)
                if (::usleep(100) != 0) ++ended_early;
        },
        [&] { seen = true; });
    EXPECT_EQ(ended_early, 0);
}

// Callers of each other, with frames of different shapes. Each has something to do after its call: else that would be a
// jump, and the caller not be on the stack.
[[gnu::noinline]] int innermost_of_all(int length_us) {
    ::usleep(static_cast<useconds_t>(length_us));
    asm volatile("");
    return length_us + 1;
}
[[gnu::noinline]] int in_the_middle(int length_us) {
    std::array<char, 3000> room{};
    asm volatile("" : : "r"(room.data()) : "memory");
    return innermost_of_all(length_us) + room[static_cast<std::size_t>(length_us) % room.size()];
}
[[gnu::noinline]] int outermost(int length_us, int a, int b, int c, int d, int e, int f, int g) {
    const int sum = in_the_middle(length_us) + a;
    asm volatile("");
    return sum + b + c + d + e + f + g;
}

TEST(Watchdog, TheWholeStackOfABlockedThreadIsKnown) {
    if (coroscope::test::has_thread_sanitizer)
        GTEST_SKIP() << "usleep() is the sanitizer's, which has no frame pointer";
    const auto stalls = watch([] { outermost(100'000, 1, 2, 3, 4, 5, 6, 7); });
    ASSERT_FALSE(stalls.empty());
    const auto names = functions(stalls.front());
    for (const char* name : {"innermost_of_all", "in_the_middle", "outermost"})
        EXPECT_TRUE(is_among(names, name)) << name << " is not in\n" << text_of(names);
}

[[gnu::noinline]] void compute(const std::atomic<bool>& until) {
    while (!until) asm volatile("");
}

TEST(Watchdog, TheStackOfAThreadThatComputesIsKnown) {
    std::atomic<bool> seen{false};
    const auto stalls = watch([&] { compute(seen); }, [&] { seen = true; });
    ASSERT_FALSE(stalls.empty());
    EXPECT_EQ(stalls.front().blocked_in, "");
    const auto names = functions(stalls.front());
    EXPECT_TRUE(is_among(names, "compute")) << text_of(names);
}

TEST(Watchdog, AThreadWithATinyAlternateStackIsLookedAt) {
    std::atomic<bool> seen{false};
    std::vector<char> tiny(static_cast<std::size_t>(MINSIGSTKSZ));
    const auto stalls = watch(
        [&] {
            stack_t stack{};
            stack.ss_sp = tiny.data();
            stack.ss_size = tiny.size();
            ::sigaltstack(&stack, nullptr);
            compute(seen);
            stack.ss_flags = SS_DISABLE;
            ::sigaltstack(&stack, nullptr);
        },
        [&] { seen = true; });
    EXPECT_FALSE(stalls.empty());
}

TEST(Watchdog, WithoutASignalABlockedThreadIsStillLookedAt) {
    probe::ThreadProbe probe(1024, nullptr);
    std::atomic<bool> began{false};
    sem_t end;
    ::sem_init(&end, 0, 0);
    std::thread thread([&] {
        probe.tid = static_cast<std::uint64_t>(::gettid());
        cs_enter(&probe.ring.producer(), 1, 7);
        began = true;
        ::sem_wait(&end);
        cs_leave(&probe.ring.producer(), 7);
    });
    while (!began) std::this_thread::yield();
    Watchdog watchdog(false);
    std::optional<Stall> stall;
    while (!stall) {
        watchdog.forget(probe.id);
        stall = watchdog.look(probe, *running_step(probe), threshold_ns, threshold_ns);
    }
    ::sem_post(&end);
    thread.join();
    EXPECT_EQ(stall->blocked_in, "futex");
    ::sem_destroy(&end);
}

}  // namespace
}  // namespace coroscope::debug
