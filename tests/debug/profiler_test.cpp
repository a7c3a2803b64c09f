// Samples of a thread's CPU time name what it computes in, within steps only.
#include "runtime/src/debug/profiler.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "runtime/src/debug/hotspots.hpp"
#include "runtime/src/debug/native_frames.hpp"
#include "tests/support/sanitizers.hpp"

namespace coroscope::debug {
namespace {

[[gnu::noinline]] void compute(const std::atomic<bool>& enough) {
    volatile std::uint64_t value = 1;
    while (!enough) value = value * 3 + 1;
}

struct Seen {
    std::uint64_t task = 0;
    probe::NodeId node = 0;
    std::vector<void*> frames;
};

// Samples of a thread that runs `work` until there are `wanted` of them.
std::vector<Seen> sample(std::size_t wanted, const std::function<void(cs_producer&, std::atomic<bool>&)>& work) {
    probe::ThreadProbe probe(1024, nullptr);
    probe.id = 3;
    std::atomic<bool> there{false}, enough{false};
    std::thread thread([&] {
        probe.tid = static_cast<std::uint64_t>(::gettid());
        there = true;
        work(probe.ring.producer(), enough);
    });
    while (!there) std::this_thread::yield();
    std::vector<Seen> all;
    {
        Profiler profiler(250);
        profiler.watch(probe);
        profiler.watch(probe);
        while (all.size() < wanted && !enough)
            profiler.take_samples([&](std::uint32_t id, const CpuSample& sample) {
                EXPECT_EQ(id, 3u);
                all.push_back({sample.task, sample.node, {sample.frames, sample.frames + sample.frame_count}});
            });
        enough = true;
        profiler.forget(3);
        profiler.take_samples(
            [](std::uint32_t, const CpuSample&) { ADD_FAILURE() << "of a thread that is forgotten"; });
    }
    thread.join();
    return all;
}

TEST(Profiler, NamesWhatAStepComputesIn) {
    if (coroscope::test::has_thread_sanitizer) GTEST_SKIP() << "the sanitizer hands signals on late, and elsewhere";
    const auto seen = sample(20, [](cs_producer& producer, std::atomic<bool>& enough) {
        cs_enter_at(&producer, probe::stamp_now(), 9, 4);
        compute(enough);
        cs_leave(&producer, 9);
    });
    ASSERT_GE(seen.size(), 20u);
    NativeFrames native;
    for (const Seen& each : seen) {
        EXPECT_EQ(each.task, 9u);
        EXPECT_EQ(each.node, 4u);
        ASSERT_GE(each.frames.size(), 2u);
        bool named = false;
        for (const NativeFrame& frame : native.resolve(each.frames, true))
            named = named || frame.function.find("compute") != std::string::npos;
        EXPECT_TRUE(named);
    }
}

TEST(Profiler, TakesNoSamplesOutsideOfSteps) {
    const auto seen = sample(1, [](cs_producer&, std::atomic<bool>& enough) {
        // It computes for longer than several samples are apart.
        volatile std::uint64_t value = 1;
        for (int i = 0; i < 100'000'000; ++i) value = value * 3 + 1;
        enough = true;
    });
    EXPECT_TRUE(seen.empty());
}

TEST(Hotspots, StacksThatReadTheSameAreOnePlace) {
    Hotspots hotspots;
    std::vector<std::size_t> numbers;
    for (const std::uintptr_t address : {16, 32, 16}) {
        const auto stack = hotspots.stack(ReportKind::cpu_samples, "", 7, {reinterpret_cast<void*>(address)});
        ASSERT_TRUE(stack);
        if (stack->is_new) numbers.push_back(stack->number);
        PlaceSums one;
        one.count = 1;
        one.total_ns = 10;
        hotspots.add(stack->number, one);
    }
    ASSERT_EQ(numbers.size(), 2u);
    EXPECT_TRUE(hotspots.take(false).empty()) << "their lines are not known yet";
    for (const std::size_t number : numbers) hotspots.resolved(number, std::vector<probe::SiteId>{3, 2}, false);
    const auto taken = hotspots.take(false);
    ASSERT_EQ(taken.size(), 1u);
    EXPECT_EQ(taken[0].id, 1u);
    EXPECT_EQ(taken[0].sums.count, 3u);
    EXPECT_EQ(taken[0].sums.total_ns, 30u);
    EXPECT_TRUE(hotspots.take(false).empty()) << "nothing changed";
    EXPECT_EQ(hotspots.take(true).size(), 1u) << "for one who knows nothing yet";
}

TEST(Hotspots, WhatHasNoRoomIsCounted) {
    Hotspots hotspots;
    PlaceSums one;
    one.count = 1;
    for (std::uintptr_t i = 0; i < Hotspots::most_stacks + 10; ++i) {
        const auto stack = hotspots.stack(ReportKind::cpu_samples, "", 0, {reinterpret_cast<void*>(i)});
        if (!stack) {
            hotspots.add_without_room(ReportKind::cpu_samples, one);
            continue;
        }
        hotspots.add(stack->number, one);
        hotspots.resolved(stack->number, std::vector<probe::SiteId>{static_cast<probe::SiteId>(i)}, false);
    }
    std::uint64_t count = 0;
    const auto taken = hotspots.take(false);
    for (const Hotspot& each : taken) count += each.sums.count;
    EXPECT_EQ(count, Hotspots::most_stacks + 10);
    EXPECT_EQ(taken.size(), Hotspots::most_places + 1);
}

TEST(Hotspots, CallsOfTheLibraryItselfAreLeftOut) {
    const NativeFrame ours{"coroscope::Socket::read", "/x/runtime/src/net/socket.cpp", 7, false};
    const NativeFrame std_lock{"std::mutex::lock", "/usr/include/c++/12/mutex", 100, false};
    const NativeFrame users{"serve", "app.cpp", 12, false};
    EXPECT_FALSE(lines_of_call({ours, users}));
    EXPECT_FALSE(lines_of_call({std_lock, ours, users}));
    ASSERT_TRUE(lines_of_call({std_lock, users, ours}));
    EXPECT_EQ(lines_of_call({std_lock, users, ours})->size(), 2u);
}

}  // namespace
}  // namespace coroscope::debug
