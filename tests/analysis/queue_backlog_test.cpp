// queue_backlog: an unbounded queue that only grows.
#include <gtest/gtest.h>

#include <functional>

#include "app_under_test.hpp"

namespace coroscope::analysis::test {
namespace {

// Queue 9, with `level(i)` items after i tenths of a second.
void queue(AppUnderTest& app, std::int64_t capacity, int tenths, const std::function<std::uint64_t(int)>& level) {
    BatchBuilder b = app.next();
    v2::Resource& queue = *b.batch().add_resources();
    queue.set_id(9);
    queue.set_type(static_cast<std::uint32_t>(vocabulary::ResourceType::queue));
    queue.set_name("jobs");
    queue.set_created_at(2);
    queue.set_created_ns(1000);
    queue.set_capacity(capacity);
    b.event(2000, vocabulary::EventKind::resource_used)
        .subject(9)
        .argument(vocabulary::pack_use(vocabulary::Role::put, 1))
        .stack(4);
    b.event(2001, vocabulary::EventKind::resource_used)
        .subject(9)
        .argument(vocabulary::pack_use(vocabulary::Role::get, 2))
        .stack(7);
    for (int i = 1; i <= tenths; ++i)
        b.event(static_cast<std::uint64_t>(i) * 100 * ms, vocabulary::EventKind::resource_level)
            .subject(9)
            .argument(level(i));
    app.apply(b);
}

TEST(QueueBacklog, ItGrowsForLong) {
    AppUnderTest app;
    queue(app, 0, 50, [](int i) { return static_cast<std::uint64_t>(i) * 20; });
    const auto found = app.problems("queue_backlog");
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(at(found[0].site), "app_main main.cpp:11");
    EXPECT_TRUE(contains(found[0].summary, "queue 'jobs' grows")) << found[0].summary;
    EXPECT_TRUE(contains(found[0].evidence, "put by task")) << found[0].evidence;
    EXPECT_TRUE(contains(found[0].evidence, "taken by task 'first'")) << found[0].evidence;
    EXPECT_TRUE(contains(found[0].evidence, "worker.cpp:33")) << found[0].evidence;
}

TEST(QueueBacklog, SilentOfABoundedQueue) {
    AppUnderTest app;
    queue(app, 1'000, 50, [](int i) { return static_cast<std::uint64_t>(i) * 20; });
    EXPECT_TRUE(app.problems().empty());
}

TEST(QueueBacklog, SilentOfABurstThatIsWorkedOff) {
    AppUnderTest app;
    queue(app, 0, 50, [](int i) { return i < 5 ? 1u : static_cast<std::uint64_t>(5'000 - i * 20); });
    EXPECT_TRUE(app.problems().empty());
}

TEST(QueueBacklog, SilentOfAQueueThatRoseOnceAndStands) {
    AppUnderTest app;
    queue(app, 0, 50, [](int i) { return i < 5 ? 1u : i < 10 ? 500u : 501u; });
    EXPECT_TRUE(app.problems().empty());
}

TEST(QueueBacklog, SilentOfWavesAndOfAFewItems) {
    AppUnderTest waves, few;
    queue(waves, 0, 50,
          [](int i) { return static_cast<std::uint64_t>(i % 10) * (100 + static_cast<std::uint64_t>(i)); });
    EXPECT_TRUE(waves.problems().empty());
    queue(few, 0, 50, [](int i) { return static_cast<std::uint64_t>(i); });
    EXPECT_TRUE(few.problems().empty());
}

}  // namespace
}  // namespace coroscope::analysis::test
