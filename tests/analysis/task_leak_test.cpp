// task_leak: tasks of one creation whose number only grows.
#include <gtest/gtest.h>

#include "app_under_test.hpp"

namespace coroscope::analysis::test {
namespace {

constexpr std::uint64_t first_id = 100;

// `count` tasks made at main.cpp:11, `every_ns` apart. Each waits after its first step, as `verb` says.
void make(AppUnderTest& app, std::uint64_t count, std::uint64_t every_ns,
          vocabulary::Verb verb = vocabulary::Verb::until_set) {
    BatchBuilder b = app.next();
    std::uint64_t t = 10'000;
    for (std::uint64_t i = 0; i < count; ++i, t += every_ns)
        b.created(t, first_id + i, 1, 3).begin(t + 1, first_id + i).end(t + 2, first_id + i, verb, 9, 5);
    app.apply(b);
}

// The same tasks end, from the first on.
void end(AppUnderTest& app, std::uint64_t count, std::uint64_t t, vocabulary::Outcome outcome) {
    BatchBuilder b = app.next();
    for (std::uint64_t i = 0; i < count; ++i, t += 10)
        b.ready(t, first_id + i)
            .begin(t + 1, first_id + i)
            .done(t + 2, first_id + i, outcome)
            .finish(t + 3, first_id + i);
    app.apply(b);
}

TEST(TaskLeak, ManyAreMadeAndNoneEnds) {
    AppUnderTest app;
    make(app, 3'000, ms);
    const auto found = app.problems("task_leak");
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(at(found[0].site), "app_main main.cpp:11");
    EXPECT_TRUE(contains(found[0].summary, "3 001 tasks of worker")) << found[0].summary;
    EXPECT_TRUE(contains(found[0].evidence, "none of them had ended")) << found[0].evidence;
    EXPECT_TRUE(contains(found[0].evidence, "of 3 000 of them each waits for")) << found[0].evidence;
    EXPECT_TRUE(contains(found[0].evidence, "worker.cpp:22")) << found[0].evidence;
}

TEST(TaskLeak, FoundAfterTheEndOfTheProgramToo) {
    AppUnderTest app;
    make(app, 3'000, ms);
    end(app, 3'000, 5 * s, vocabulary::Outcome::cancelled);
    EXPECT_EQ(app.problems("task_leak").size(), 1u);
}

TEST(TaskLeak, SilentWhereTheyEnd) {
    AppUnderTest app;
    for (int round = 0; round < 4; ++round) {
        BatchBuilder b = app.next();
        std::uint64_t t = 10'000 + static_cast<std::uint64_t>(round) * s;
        for (std::uint64_t i = 0; i < 1'000; ++i, t += ms) {
            const std::uint64_t id = first_id + static_cast<std::uint64_t>(round) * 1'000 + i;
            b.created(t, id, 1, 3).begin(t + 1, id).done(t + 2, id).finish(t + 3, id);
        }
        app.apply(b);
    }
    EXPECT_TRUE(app.problems("task_leak").empty());
}

TEST(TaskLeak, SilentOfFewAndOfManyMadeAtOnce) {
    AppUnderTest few, at_once;
    make(few, 900, 10 * ms);
    EXPECT_TRUE(few.problems("task_leak").empty());
    make(at_once, 5'000, 1'000);
    EXPECT_TRUE(at_once.problems("task_leak").empty());
}

TEST(TaskLeak, SilentOfConnectionsThatAreOpen) {
    AppUnderTest app;
    make(app, 3'000, ms, vocabulary::Verb::read);
    EXPECT_TRUE(app.problems("task_leak").empty());
}

}  // namespace
}  // namespace coroscope::analysis::test
