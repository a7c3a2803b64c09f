// What a step cost its thread: bounds that hold, whatever the machine does meanwhile.
#include "runtime/src/debug/step_cost.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <semaphore.h>
#include <spdlog/spdlog.h>
#include <time.h>
#include <unistd.h>

#include <functional>
#include <thread>

#include "runtime/src/debug/local_log.hpp"
#include "runtime/src/probe/clock.hpp"

namespace coroscope::debug {
namespace {

constexpr std::uint32_t thread_id = 1;

std::uint64_t own_cpu_ns() {
    timespec time{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000u + static_cast<std::uint64_t>(time.tv_nsec);
}

struct Measured {
    StepCost cost;
    std::uint64_t took_ns = 0;
    std::uint64_t cpu_ns = 0;  // as the thread says itself
};

// A step that runs `work` on a thread of its own, measured as the emitter does it.
Measured measure(StepCosts& costs, const std::function<void()>& work) {
    Measured measured;
    sem_t begin, end, leave;
    for (sem_t* each : {&begin, &end, &leave}) ::sem_init(each, 0, 0);
    std::uint64_t tid = 0, began_ns = 0, ended_ns = 0;
    std::thread thread([&] {
        tid = static_cast<std::uint64_t>(::gettid());
        ::sem_post(&end);
        ::sem_wait(&begin);
        const std::uint64_t cpu_ns = own_cpu_ns();
        began_ns = probe::monotonic_ns();
        work();
        ended_ns = probe::monotonic_ns();
        measured.cpu_ns = own_cpu_ns() - cpu_ns;
        ::sem_post(&end);
        ::sem_wait(&leave);
    });
    ::sem_wait(&end);
    costs.read(thread_id, tid, 0);
    ::sem_post(&begin);
    ::sem_wait(&end);
    const auto cost = costs.of(thread_id, began_ns, ended_ns);
    EXPECT_TRUE(cost.has_value());
    measured.cost = cost.value_or(StepCost());
    measured.took_ns = ended_ns - began_ns;
    ::sem_post(&leave);
    thread.join();
    for (sem_t* each : {&begin, &end, &leave}) ::sem_destroy(each);
    return measured;
}

TEST(StepCost, OfAStepThatComputesTheBoundsHold) {
    StepCosts costs;
    const Measured measured = measure(costs, [] {
        const std::uint64_t began_ns = own_cpu_ns();
        while (own_cpu_ns() < began_ns + 50'000'000) {
        }
    });
    EXPECT_LE(measured.cost.cpu_least_ns, measured.cpu_ns);
    EXPECT_GE(measured.cost.cpu_most_ns, std::min(measured.cpu_ns, measured.took_ns));
    EXPECT_LE(measured.cost.no_cpu_ns, measured.took_ns - measured.cost.cpu_least_ns);
}

TEST(StepCost, OfAStepThatWaitsTheCpuTimeIsLess) {
    StepCosts costs;
    const Measured measured = measure(costs, [] { ::usleep(100'000); });
    EXPECT_LT(measured.cost.cpu_most_ns, measured.took_ns);
    EXPECT_LT(measured.cost.no_cpu_ns, measured.took_ns);
}

TEST(StepCost, ATimeInWhichTheProcessWasStoppedIsNotTheSteps) {
    StepCosts costs;
    const std::uint64_t now_ns = probe::monotonic_ns();
    costs.stopped(now_ns - 1'000'000, now_ns + 100'000'000);
    const Measured measured = measure(costs, [] { ::usleep(50'000); });
    EXPECT_GT(measured.cost.no_cpu_ns, 0u);
    EXPECT_LE(measured.cost.no_cpu_ns, measured.took_ns);
}

TEST(StepCost, OfAThreadThatWasNeverReadNothingIsKnown) {
    StepCosts costs;
    EXPECT_FALSE(costs.of(thread_id, 1, 2).has_value());
}

// What the emitter's thread says of itself is only that it works, or waits: a stop is what is left of the time.
TEST(StepCost, AThreadThatComesBackMuchLaterThanItSaidWasStopped) {
    StepCosts costs;
    const std::uint64_t began_ns = probe::monotonic_ns();
    costs.waits(1'000'000);
    std::this_thread::sleep_for(std::chrono::milliseconds(200));  // as a stop would be
    costs.works();
    const std::uint64_t ended_ns = probe::monotonic_ns();
    const auto cost = costs.of(thread_id, began_ns, ended_ns);
    ASSERT_TRUE(cost);
    EXPECT_GT(cost->no_cpu_ns, 100'000'000u);
    EXPECT_LE(cost->no_cpu_ns, ended_ns - began_ns);
}

TEST(StepCost, AStopWhileItWorksIsKnownBeforeAnyStepIsTold) {
    StepCosts costs;
    const std::uint64_t began_ns = probe::monotonic_ns();
    costs.works();
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    const auto cost = costs.of(thread_id, began_ns, probe::monotonic_ns());
    ASSERT_TRUE(cost);
    EXPECT_GT(cost->no_cpu_ns, 100'000'000u);
}

std::uint64_t stopped_ns(StepCosts& costs, std::uint64_t began_ns) {
    const auto cost = costs.of(thread_id, began_ns, probe::monotonic_ns());
    return cost ? cost->no_cpu_ns : 0;
}

// Half of each phase, for a machine that gives no CPU now and then.
TEST(StepCost, WaitingAndComputingIsNoStop) {
    StepCosts costs;
    const std::uint64_t began_ns = probe::monotonic_ns();
    costs.waits(60'000'000'000);
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    costs.works();
    EXPECT_LT(stopped_ns(costs, began_ns), 100'000'000u);
    const std::uint64_t cpu_ns = own_cpu_ns();
    while (own_cpu_ns() - cpu_ns < 200'000'000) {
    }
    EXPECT_LT(stopped_ns(costs, began_ns), 100'000'000u);
    const std::uint64_t before_ns = probe::monotonic_ns();
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    costs.waited(probe::monotonic_ns() - before_ns);
    EXPECT_LT(stopped_ns(costs, began_ns), 100'000'000u);
}

// A message waits until somebody reads stderr.
TEST(StepCost, ToWaitForWhoReadsStderrIsNoStop) {
    int ends[2];
    ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    const int kept = ::dup(STDERR_FILENO);
    ASSERT_EQ(::fcntl(ends[1], F_SETFL, O_NONBLOCK), 0);
    char some[4096] = {};
    while (::write(ends[1], some, sizeof some) > 0) {  // until it is full
    }
    ASSERT_EQ(::fcntl(ends[1], F_SETFL, 0), 0);
    ::dup2(ends[1], STDERR_FILENO);
    std::thread reader([&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(200));
        for (int i = 0; i < 8; ++i) EXPECT_GT(::read(ends[0], some, sizeof some), 0);
    });
    StepCosts costs;
    const std::uint64_t began_ns = probe::monotonic_ns(), waited_before_ns = log_wait_ns();
    costs.works();
    log().warn("nobody reads this yet");
    const std::uint64_t found_ns = stopped_ns(costs, began_ns), waited_ns = log_wait_ns() - waited_before_ns;
    ::dup2(kept, STDERR_FILENO);
    reader.join();
    for (const int fd : {kept, ends[0], ends[1]}) ::close(fd);
    EXPECT_GT(waited_ns, 0u);
    EXPECT_LT(found_ns, 100'000'000u);
}

}  // namespace
}  // namespace coroscope::debug
