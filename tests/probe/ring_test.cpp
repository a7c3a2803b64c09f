// The ring: order, bound, what is shed first, exact counts of what was lost, two threads.
#include "runtime/src/probe/ring.hpp"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace coroscope::probe {
namespace {

Record record(EventKind kind, std::uint64_t number) {
    Record made;
    made.kind = kind;
    made.subject = made.stamp = number;
    return made;
}

std::vector<Record> drain(Ring& ring) {
    std::vector<Record> all;
    for (auto span = ring.readable(); !span.empty(); span = ring.readable()) {
        all.insert(all.end(), span.begin(), span.end());
        ring.consume(span.size());
    }
    return all;
}

TEST(Ring, KeepsOrderOverTheWrap) {
    Ring ring(16);
    std::uint64_t next = 0, expected = 0;
    for (int round = 0; round < 10; ++round) {
        for (int i = 0; i < 7; ++i) ring.push(record(EventKind::step_begin, next++));
        for (const Record& each : drain(ring)) EXPECT_EQ(each.subject, expected++);
    }
    EXPECT_EQ(expected, next);
    EXPECT_EQ(ring.lost(), 0u);
}

TEST(Ring, ShedsDetailBeforeLifecycle) {
    Ring ring(16);  // detail may fill three quarters
    for (std::uint64_t i = 0; i < 20; ++i) ring.push(record(EventKind::step_begin, i));
    EXPECT_EQ(ring.lost(), 8u);
    for (std::uint64_t i = 0; i < 3; ++i) ring.push(record(EventKind::task_done, 100 + i));
    const auto all = drain(ring);
    ASSERT_EQ(all.size(), 16u);
    EXPECT_EQ(all[11].subject, 11u);
    // The gap stands before the next record that fits: how many, and from when to when.
    EXPECT_EQ(all[12].kind, EventKind::gap);
    EXPECT_EQ(all[12].argument, 8u);
    EXPECT_EQ(all[12].subject, 12u);
    EXPECT_EQ(all[12].stamp, 19u);
    EXPECT_EQ(all[13].kind, EventKind::task_done);
    EXPECT_EQ(ring.lost(), 8u);
}

TEST(Ring, CountsWhatItLosesWhenFull) {
    Ring ring(16);
    for (std::uint64_t i = 0; i < 100; ++i) ring.push(record(EventKind::task_created, i));
    EXPECT_EQ(ring.lost(), 84u);
    EXPECT_EQ(drain(ring).size(), 16u);
    ring.push(record(EventKind::task_created, 200));
    const auto after = drain(ring);
    ASSERT_EQ(after.size(), 2u);
    EXPECT_EQ(after[0].kind, EventKind::gap);
    EXPECT_EQ(after[0].argument, 84u);
    EXPECT_EQ(after[1].subject, 200u);
}

// Every record arrives in order, or is counted in a gap.
TEST(Ring, TwoThreadsLoseNothingUncounted) {
    Ring ring(256);
    constexpr std::uint64_t count = 300'000;
    std::thread producer([&] {
        for (std::uint64_t i = 0; i < count; ++i)
            ring.push(record(i % 5 == 0 ? EventKind::task_done : EventKind::step_end, i));
        ring.retired.store(true, std::memory_order_release);
    });
    std::uint64_t seen = 0, lost = 0, last = 0;
    for (bool last_round = false;;) {
        last_round = ring.retired.load(std::memory_order_acquire);
        for (const Record& each : drain(ring)) {
            if (each.kind == EventKind::gap) {
                lost += each.argument;
                continue;
            }
            EXPECT_TRUE(seen == 0 || each.subject > last);
            last = each.subject;
            ++seen;
        }
        if (last_round) break;
        std::this_thread::yield();
    }
    producer.join();
    EXPECT_LE(seen + lost, count);
    EXPECT_EQ(seen + ring.lost(), count);
}

}  // namespace
}  // namespace coroscope::probe
