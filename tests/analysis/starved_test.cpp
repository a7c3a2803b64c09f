// starved: a task that is ready for long while its loop runs others.
#include <gtest/gtest.h>

#include "app_under_test.hpp"

namespace coroscope::analysis::test {
namespace {

// Task 2 is ready at 2000 and gets its turn after `count` steps of task 1, each of `each_ns`.
void others_first(AppUnderTest& app, std::uint64_t count, std::uint64_t each_ns, std::uint64_t between_ns = 0) {
    BatchBuilder b = app.next();
    b.ready(2000, 2);
    std::uint64_t t = 3000;
    for (std::uint64_t i = 0; i < count; ++i, t += each_ns + between_ns)
        b.ready(t, 1).begin(t, 1).end(t + each_ns, 1, vocabulary::Verb::get, 3, 4);
    app.apply(b.begin(t, 2).end(t + 1000, 2, vocabulary::Verb::timer, 0, 7));
}

TEST(Starved, ATaskThatWaitsForManyShortSteps) {
    AppUnderTest app;
    others_first(app, 1'000, 1 * ms);
    const auto found = app.problems("starved");
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].task, 2u);
    EXPECT_EQ(found[0].duration_ns / ms, 1'000u);
    EXPECT_TRUE(contains(found[0].evidence, "1000 steps")) << found[0].evidence;
}

TEST(Starved, WhileItStillWaits) {
    AppUnderTest app;
    BatchBuilder b = app.next();
    b.ready(2000, 2);
    std::uint64_t t = 3000;
    for (int i = 0; i < 1'000; ++i, t += ms) b.ready(t, 1).begin(t, 1).end(t + ms, 1, vocabulary::Verb::get, 3, 4);
    app.apply(b);
    EXPECT_EQ(app.problems("starved").size(), 1u);
}

TEST(Starved, SilentBelowTheLimit) {
    AppUnderTest app;
    others_first(app, 400, 1 * ms);
    EXPECT_TRUE(app.problems("starved").empty());
}

TEST(Starved, SilentWhereOneStepHeldTheLoop) {
    AppUnderTest app;
    others_first(app, 1, 1 * s);
    EXPECT_TRUE(app.problems("starved").empty());
    EXPECT_EQ(app.problems("slow_step").size(), 1u);
}

TEST(Starved, SilentWhereTheLoopDidNotRun) {
    AppUnderTest app;
    others_first(app, 10, 1 * ms, 100 * ms);
    EXPECT_TRUE(app.problems("starved").empty());
}

TEST(Starved, SilentWhereEventsWereLost) {
    AppUnderTest app;
    BatchBuilder b = app.next();
    std::uint64_t t = 3000;
    b.ready(2000, 2).gap(1, 3, 2500, 2600);
    for (int i = 0; i < 1'000; ++i, t += ms) b.ready(t, 1).begin(t, 1).end(t + ms, 1, vocabulary::Verb::get, 3, 4);
    app.apply(b);
    EXPECT_TRUE(app.problems("starved").empty());
}

}  // namespace
}  // namespace coroscope::analysis::test
