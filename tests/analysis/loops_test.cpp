// stalled_loop and loop_lag.
#include <gtest/gtest.h>

#include "app_under_test.hpp"

namespace coroscope::analysis::test {
namespace {

TEST(StalledLoop, IsFoundWhileItLasts) {
    AppUnderTest app;
    BatchBuilder b = app.next();
    b.site(51, "helper", "worker.cpp", 31).created(1500, 3, 1, 3).ready(2000, 2).begin(3000, 2);
    b.report(vocabulary::ReportKind::stall, 3000 + 105 * ms, 2).add_frames(51);
    app.apply(b);
    const auto found = app.problems("stalled_loop");
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].task, 2u);
    EXPECT_EQ(found[0].duration_ns, 105 * ms);
    EXPECT_EQ(at(found[0].site), "helper worker.cpp:31");
    EXPECT_TRUE(contains(found[0].evidence, "1 task is ready and must wait")) << found[0].evidence;
    EXPECT_TRUE(app.problems("slow_step").empty());
    app.apply(app.next().end(3000 + 300 * ms, 2, vocabulary::Verb::timer, 0, 5));
    EXPECT_TRUE(app.problems("stalled_loop").empty());
    EXPECT_EQ(app.problems("slow_step").size(), 1u) << "now that it is over";
}

TEST(StalledLoop, TellsTheCallAndTheTimersThatFellDue) {
    AppUnderTest app;
    BatchBuilder b = app.next();
    b.site(51, "helper", "worker.cpp", 31).created(1500, 3, 1, 3).begin(1600, 3);
    b.end(1700, 3, vocabulary::Verb::timer, vocabulary::pack_due(50 * ms), 7).created(1800, 4, 1, 3).begin(1900, 4);
    b.end(1950, 4, vocabulary::Verb::timer, vocabulary::pack_due(900 * ms), 7).ready(2000, 2).begin(3000, 2);
    v2::Report& stall = b.report(vocabulary::ReportKind::stall, 3000 + 150 * ms, 2);
    stall.add_frames(51);
    stall.set_text("read on fd 5 (a pipe)");
    app.apply(b);
    const auto found = app.problems("stalled_loop");
    ASSERT_EQ(found.size(), 1u);
    const std::string& evidence = found[0].evidence;
    EXPECT_TRUE(contains(evidence, "the thread is blocked in read on fd 5 (a pipe), at worker.cpp:31 in helper"))
        << evidence;
    EXPECT_TRUE(contains(evidence, "1 task is ready and must wait")) << evidence;
    EXPECT_TRUE(contains(evidence, "for 100 ms so far")) << evidence;
}

TEST(StalledLoop, AnotherThreadTellsThatTimeWentOn) {
    AppUnderTest app;
    app.apply(app.next().ready(2000, 2).begin(3000, 2));
    app.apply(app.next().thread(2).job(4000, 3000 + 2 * s, 0));
    ASSERT_EQ(app.problems("stalled_loop").size(), 1u);
    EXPECT_EQ(at(app.problems("stalled_loop")[0].site), "helper worker.cpp:33");
}

TEST(StalledLoop, OfAnAppThatIsGoneSaysSo) {
    AppUnderTest app;
    BatchBuilder b = app.next();
    b.ready(2000, 2).begin(3000, 2);
    b.report(vocabulary::ReportKind::stall, 3000 + 105 * ms, 2);
    app.apply(b);
    app.app().connected = false;
    ASSERT_EQ(app.problems("stalled_loop").size(), 1u);
    EXPECT_TRUE(contains(app.problems("stalled_loop")[0].summary, "gone"));
}

TEST(StalledLoop, SilentAboutAShortStepAndAnIdleLoop) {
    AppUnderTest app;
    app.apply(app.next().ready(2000, 2).begin(3000, 2));
    app.apply(app.next().thread(2).job(3500, 3000 + 99 * ms, 0));
    EXPECT_TRUE(app.problems().empty());
    app.apply(app.next().end(3000 + 99 * ms, 2, vocabulary::Verb::timer, 0, 5).poll_begin(4000 + 99 * ms));
    app.apply(app.next().thread(2).job(3000 + 99 * ms, 100 * s, 0));
    EXPECT_TRUE(app.problems().empty());
}

TEST(StalledLoop, SilentAfterALoss) {
    AppUnderTest app;
    app.apply(app.next().ready(2000, 2).begin(3000, 2).gap(1, 3, 4000, 5000));
    app.apply(app.next().thread(2).job(6000, 100 * s, 0));
    EXPECT_TRUE(app.problems().empty());
}

// One iteration of `count` steps of `each_ns`.
void iteration(AppUnderTest& app, int count, std::uint64_t each_ns) {
    BatchBuilder b = app.next();
    std::uint64_t t = 10'000;
    b.poll_begin(t).poll_end(t, 1);
    for (int i = 0; i < count; ++i, t += each_ns)
        b.ready(t, 2).begin(t, 2).end(t + each_ns, 2, vocabulary::Verb::turn, 0, 7);
    app.apply(b.poll_begin(t));
}

TEST(LoopLag, ManySmallStepsAddUp) {
    AppUnderTest app;
    iteration(app, 10, 15 * ms);
    const auto found = app.problems("loop_lag");
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].duration_ns, 150 * ms);
    EXPECT_EQ(at(found[0].site), "helper worker.cpp:33");
    EXPECT_TRUE(contains(found[0].evidence, "10 steps")) << found[0].evidence;
    EXPECT_TRUE(contains(found[0].evidence, "15.0 ms")) << found[0].evidence;
}

TEST(LoopLag, SilentIfAStepWasSlowByItself) {
    AppUnderTest app;
    iteration(app, 2, 120 * ms);
    EXPECT_TRUE(app.problems("loop_lag").empty());
    EXPECT_EQ(app.problems("slow_step").size(), 1u);
}

TEST(LoopLag, SilentWhereTheTimeWasNotInTheSteps) {
    AppUnderTest app;
    BatchBuilder b = app.next();
    b.poll_begin(10'000).poll_end(10'000, 1);
    for (std::uint64_t t = 10'000; t < 40'000; t += 10'000)
        b.ready(t, 2).begin(t, 2).end(t + 5'000, 2, vocabulary::Verb::turn, 0, 7);
    app.apply(b.loop_stopped(3 * s, 7));
    EXPECT_TRUE(app.problems().empty());
}

TEST(LoopLag, SilentBelowTheThreshold) {
    AppUnderTest app;
    iteration(app, 9, 10 * ms);
    EXPECT_TRUE(app.problems().empty());
}

}  // namespace
}  // namespace coroscope::analysis::test
