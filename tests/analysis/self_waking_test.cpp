// self_waking: a task that polls by yielding.
#include <gtest/gtest.h>

#include "app_under_test.hpp"

namespace coroscope::analysis::test {
namespace {

// `turns` steps of task 2, each `step_ns` long, `every_ns` apart, after each of which it waits as `verb` says.
void turns(AppUnderTest& app, std::uint64_t turns, std::uint64_t step_ns, std::uint64_t every_ns,
           vocabulary::Verb verb) {
    BatchBuilder b = app.next();
    std::uint64_t t = 10'000;
    for (std::uint64_t i = 0; i < turns; ++i, t += every_ns)
        b.ready(t, 2, 2).begin(t, 2).end(t + step_ns, 2, verb, 0, 7);
    app.apply(b);
}

TEST(SelfWaking, ATaskThatYieldsInALoopPolls) {
    AppUnderTest app;
    turns(app, 6'000, 500, 200'000, vocabulary::Verb::turn);
    const auto found = app.problems("self_waking");
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].task, 2u);
    EXPECT_EQ(at(found[0].site), "helper worker.cpp:33");
    EXPECT_TRUE(contains(found[0].evidence, "6000 times") || contains(found[0].evidence, "6 000 times"))
        << found[0].evidence;
    EXPECT_TRUE(contains(found[0].advice, "Event")) << found[0].advice;
}

TEST(SelfWaking, FoundThoughStepsWereLost) {
    AppUnderTest app;
    turns(app, 6'000, 500, 200'000, vocabulary::Verb::turn);
    app.apply(app.next().gap(1, 1'000'000, 2 * s, 3 * s));
    EXPECT_EQ(app.problems("self_waking").size(), 1u);
}

TEST(SelfWaking, SilentBelowTheLimits) {
    AppUnderTest few, quick;
    turns(few, 1'000, 500, 2 * ms, vocabulary::Verb::turn);
    EXPECT_TRUE(few.problems("self_waking").empty()) << "too few";
    turns(quick, 6'000, 500, 1'000, vocabulary::Verb::turn);
    EXPECT_TRUE(quick.problems("self_waking").empty()) << "within 6 ms";
}

TEST(SelfWaking, SilentOfATaskThatWorksBetweenItsTurns) {
    AppUnderTest app;
    turns(app, 6'000, 150'000, 200'000, vocabulary::Verb::turn);
    EXPECT_TRUE(app.problems("self_waking").empty());
}

TEST(SelfWaking, SilentOfATaskThatWaits) {
    AppUnderTest app;
    turns(app, 6'000, 500, 200'000, vocabulary::Verb::timer);
    EXPECT_TRUE(app.problems("self_waking").empty());
}

TEST(SelfWaking, SilentOfAMinorPartOfABusyLoop) {
    AppUnderTest app;
    BatchBuilder b = app.next();
    std::uint64_t t = 10'000;
    for (int i = 0; i < 6'000; ++i, t += 200'000) {
        b.ready(t, 2, 2).begin(t, 2).end(t + 500, 2, vocabulary::Verb::turn, 0, 7);
        for (std::uint64_t j = 1; j <= 3; ++j)
            b.ready(t + j * 1'000, 1).begin(t + j * 1'000, 1).end(t + j * 1'000 + 500, 1, vocabulary::Verb::get, 3, 4);
    }
    app.apply(b);
    EXPECT_TRUE(app.problems("self_waking").empty());
}

}  // namespace
}  // namespace coroscope::analysis::test
