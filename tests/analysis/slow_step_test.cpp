// slow_step: found at the blocking place, with what it cost; silent where it cannot know.
#include <gtest/gtest.h>

#include "app_under_test.hpp"

namespace coroscope::analysis::test {
namespace {

BatchBuilder& slow_step_of_task_2(BatchBuilder& b) {
    return b.ready(2000, 2).begin(3000, 2).end(3000 + 250 * ms, 2, vocabulary::Verb::timer, 0, 5);
}

TEST(SlowStep, IsFoundWhereItBegan) {
    AppUnderTest app;
    BatchBuilder b = app.next();
    app.apply(slow_step_of_task_2(b));
    const auto found = app.problems("slow_step");
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].task, 2u);
    EXPECT_EQ(found[0].app, 5u);
    EXPECT_EQ(found[0].time_ns, 3000u);
    EXPECT_EQ(found[0].duration_ns, 250 * ms);
    EXPECT_EQ(at(found[0].site), "helper worker.cpp:33");
    ASSERT_EQ(found[0].stack.size(), 2u);
    EXPECT_EQ(at(found[0].stack[0]), "worker worker.cpp:22");
    EXPECT_TRUE(contains(found[0].summary, "'first'")) << found[0].summary;
    EXPECT_TRUE(contains(found[0].summary, "250 ms")) << found[0].summary;
    EXPECT_TRUE(contains(found[0].evidence, "threshold 100 ms")) << found[0].evidence;
    EXPECT_TRUE(contains(found[0].evidence, "began at worker.cpp:33 in helper")) << found[0].evidence;
    EXPECT_TRUE(contains(found[0].evidence, "ended at worker.cpp:22 in worker")) << found[0].evidence;
    EXPECT_TRUE(contains(found[0].advice, "to_thread")) << found[0].advice;
}

TEST(SlowStep, WithAStackCapturedMeanwhileTheSiteIsTheBlockingCall) {
    AppUnderTest app;
    BatchBuilder b = app.next();
    b.site(50, "main", "main.cpp", 99).site(51, "helper", "worker.cpp", 31);
    b.site(52, "std::this_thread::sleep_for", "/usr/include/c++/12/bits/this_thread_sleep.h", 80);
    b.site(53, "__GI___nanosleep", "../sysdeps/unix/sysv/linux/nanosleep.c", 25).site(54, "?", "", 0);
    slow_step_of_task_2(b);
    v2::Report& stall = b.report(vocabulary::ReportKind::stall, 3000 + 120 * ms, 2);
    for (const std::uint32_t frame : {50u, 51u, 52u, 53u, 54u}) stall.add_frames(frame);
    app.apply(b);
    const auto found = app.problems("slow_step");
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(at(found[0].site), "helper worker.cpp:31");
    EXPECT_EQ(found[0].native_stack.size(), 5u);
    EXPECT_TRUE(contains(found[0].evidence, "the thread was at worker.cpp:31 in helper")) << found[0].evidence;
}

TEST(SlowStep, AStackOfAnotherStepIsNotItsStack) {
    AppUnderTest app;
    BatchBuilder b = app.next();
    b.site(51, "helper", "worker.cpp", 31);
    slow_step_of_task_2(b);
    b.report(vocabulary::ReportKind::stall, 2900, 2).add_frames(51);
    b.report(vocabulary::ReportKind::stall, 3000 + 120 * ms, 1).add_frames(51);
    app.apply(b);
    ASSERT_EQ(app.problems("slow_step").size(), 1u);
    EXPECT_TRUE(app.problems("slow_step")[0].native_stack.empty());
    EXPECT_EQ(at(app.problems("slow_step")[0].site), "helper worker.cpp:33");
}

TEST(SlowStep, NamesWhoHadToWait) {
    AppUnderTest app;
    BatchBuilder b = app.next();
    b.created(1500, 3, 1, 3).created(1501, 4, 1, 3);
    b.ready(2000, 2).begin(3000, 2).end(3000 + 250 * ms, 2, vocabulary::Verb::timer, 0, 5);
    b.begin(4000 + 250 * ms, 3).end(4100 + 250 * ms, 3, vocabulary::Verb::timer, 0, 5);
    b.begin(4200 + 250 * ms, 4)
        .created(4250 + 250 * ms, 6, 4, 3)
        .end(4300 + 250 * ms, 4, vocabulary::Verb::timer, 0, 5);
    b.begin(4400 + 250 * ms, 6).end(4500 + 250 * ms, 6, vocabulary::Verb::timer, 0, 5);
    app.apply(b);
    const auto found = app.problems("slow_step");
    ASSERT_EQ(found.size(), 1u);
    EXPECT_TRUE(contains(found[0].evidence, "2 tasks were ready meanwhile")) << found[0].evidence;
}

TEST(SlowStep, NamesThoseWhoseTimersFellDueMeanwhile) {
    AppUnderTest app;
    BatchBuilder b = app.next();
    b.created(1500, 3, 1, 3).begin(1600, 3);
    b.end(1700, 3, vocabulary::Verb::timer, vocabulary::pack_due(50 * ms), 7).poll_begin(1800).poll_end(1900, 1);
    b.ready(2000, 2).begin(3000, 2).end(3000 + 250 * ms, 2, vocabulary::Verb::timer, 0, 5);
    const std::uint64_t t = 251 * ms;
    b.poll_begin(t).poll_end(t + 1, 1).ready(t + 2, 3).begin(t + 3, 3).end(t + 4, 3, vocabulary::Verb::timer, 0, 7);
    app.apply(b.poll_begin(t + 5));
    const auto found = app.problems("slow_step");
    ASSERT_EQ(found.size(), 1u);
    EXPECT_TRUE(contains(found[0].evidence, "1 task was ready meanwhile")) << found[0].evidence;
    EXPECT_TRUE(contains(found[0].evidence, "for 200 ms")) << found[0].evidence;
}

TEST(SlowStep, TellsTheCallInWhichItWasBlocked) {
    AppUnderTest app;
    BatchBuilder b = app.next();
    b.site(51, "helper", "worker.cpp", 31);
    slow_step_of_task_2(b);
    v2::Report& stall = b.report(vocabulary::ReportKind::stall, 3000 + 120 * ms, 2);
    stall.add_frames(51);
    stall.set_text("clock_nanosleep");
    app.apply(b);
    ASSERT_EQ(app.problems("slow_step").size(), 1u);
    EXPECT_TRUE(contains(app.problems("slow_step")[0].evidence,
                         "the thread was blocked in clock_nanosleep, at worker.cpp:31 in helper"))
        << app.problems("slow_step")[0].evidence;
}

TEST(SlowStep, AStallOfACallbackIsThatOfItsThread) {
    AppUnderTest app;
    BatchBuilder b = app.next();
    b.site(51, "helper", "worker.cpp", 31).callback_begin(3000, 2).callback_end(3000 + 150 * ms);
    v2::Report& elsewhere = b.report(vocabulary::ReportKind::stall, 3000 + 120 * ms, 0);
    elsewhere.set_thread(2);
    elsewhere.add_frames(51);
    app.apply(b);
    ASSERT_EQ(app.problems("slow_step").size(), 1u);
    EXPECT_TRUE(app.problems("slow_step")[0].native_stack.empty());
}

TEST(SlowStep, OfACallback) {
    AppUnderTest app;
    app.apply(app.next().callback_begin(3000, 2).callback_end(3000 + 150 * ms));
    const auto found = app.problems("slow_step");
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].task, 0u);
    EXPECT_EQ(at(found[0].site), "app_main main.cpp:11");
    EXPECT_TRUE(contains(found[0].summary, "a callback")) << found[0].summary;
}

TEST(SlowStep, EqualOnesAreOneWithACount) {
    AppUnderTest app;
    BatchBuilder b = app.next();
    std::uint64_t t = 3000;
    for (const std::uint64_t took : {150 * ms, 350 * ms, 250 * ms}) {
        b.ready(t, 2).begin(t, 2).end(t + took, 2, vocabulary::Verb::timer, 0, 7);
        t += took;
    }
    app.apply(b);
    const auto found = app.problems("slow_step");
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].count, 3u);
    EXPECT_EQ(found[0].duration_ns, 350 * ms) << "the worst of them speaks for all";
}

TEST(SlowStep, SilentBelowTheThreshold) {
    AppUnderTest app;
    app.apply(app.next().ready(2000, 2).begin(3000, 2).end(3000 + 99 * ms, 2, vocabulary::Verb::timer, 0, 5));
    EXPECT_TRUE(app.problems().empty());
}

TEST(SlowStep, SilentWhereEventsWereLost) {
    AppUnderTest app;
    BatchBuilder b = app.next();
    app.apply(slow_step_of_task_2(b).gap(1, 3, 4000, 5000));
    EXPECT_TRUE(app.problems().empty());
}

TEST(SlowStep, TellsWhatAnotherThreadsLossDoesNotConcern) {
    AppUnderTest app;
    BatchBuilder b = app.next();
    app.apply(slow_step_of_task_2(b).gap(2, 3, 4000, 5000));
    EXPECT_EQ(app.problems("slow_step").size(), 1u);
}

}  // namespace
}  // namespace coroscope::analysis::test
