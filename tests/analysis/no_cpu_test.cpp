// no_cpu: a step that was long because the process was stopped or its thread got no CPU blames no line.
#include <gtest/gtest.h>

#include "app_under_test.hpp"

namespace coroscope::analysis::test {
namespace {

constexpr std::uint64_t begin_ns = 3000;

// Task 2 runs a step of `took_ns`, of which the app measured this.
void step(AppUnderTest& app, std::uint64_t took_ns, std::uint64_t cpu_least_ns, std::uint64_t cpu_most_ns,
          std::uint64_t no_cpu_ns) {
    BatchBuilder b = app.next();
    b.ready(2000, 2).begin(begin_ns, 2).end(begin_ns + took_ns, 2, vocabulary::Verb::timer, 0, 5);
    v2::Report& report = b.report(vocabulary::ReportKind::step_cost, begin_ns + took_ns, 2);
    report.set_thread(1);
    report.set_duration_ns(took_ns);
    report.mutable_cost()->set_cpu_least_ns(cpu_least_ns);
    report.mutable_cost()->set_cpu_most_ns(cpu_most_ns);
    report.mutable_cost()->set_no_cpu_ns(no_cpu_ns);
    app.apply(b);
}

TEST(NoCpu, AStoppedProcessIsNotASlowStep) {
    AppUnderTest app;
    step(app, 1200 * ms, 0, 100'000, 1190 * ms);
    const auto found = app.problems();
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].kind, "no_cpu");
    EXPECT_EQ(found[0].task, 2u);
    EXPECT_EQ(found[0].site.line, 0u) << "no line is to blame";
    EXPECT_TRUE(contains(found[0].evidence, "1.20 s by the clock")) << found[0].evidence;
    EXPECT_TRUE(contains(found[0].evidence, "at most 100 us of CPU time")) << found[0].evidence;
    EXPECT_TRUE(contains(found[0].evidence, "1.19 s")) << found[0].evidence;
}

TEST(NoCpu, AStepThatIsSlowWithoutThatTimeIsSlow) {
    AppUnderTest app;
    step(app, 1200 * ms, 190 * ms, 200 * ms, 1000 * ms);
    const auto found = app.problems();
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].kind, "slow_step");
    EXPECT_TRUE(contains(found[0].evidence, "for at least 1.00 s the process was stopped or got no CPU"))
        << found[0].evidence;
}

TEST(NoCpu, SilentOfAStepThatComputedOrWaited) {
    AppUnderTest app;
    step(app, 250 * ms, 249 * ms, 250 * ms, 0);
    ASSERT_EQ(app.problems().size(), 1u);
    EXPECT_EQ(app.problems()[0].kind, "slow_step");
    EXPECT_TRUE(contains(app.problems()[0].evidence, "it computed for 250 ms")) << app.problems()[0].evidence;
    AppUnderTest waiting;
    step(waiting, 250 * ms, 0, 90'000, 0);
    ASSERT_EQ(waiting.problems().size(), 1u);
    EXPECT_EQ(waiting.problems()[0].kind, "slow_step");
    EXPECT_TRUE(contains(waiting.problems()[0].evidence, "it had at most 90.0 us of CPU time"))
        << waiting.problems()[0].evidence;
}

TEST(NoCpu, SilentWhereNothingWasMeasured) {
    AppUnderTest app;
    BatchBuilder b = app.next();
    app.apply(b.ready(2000, 2).begin(begin_ns, 2).end(begin_ns + 1200 * ms, 2, vocabulary::Verb::timer, 0, 5));
    EXPECT_TRUE(app.problems("no_cpu").empty());
    EXPECT_EQ(app.problems("slow_step").size(), 1u);
}

TEST(NoCpu, SilentWhereTheStepWasLost) {
    AppUnderTest app;
    BatchBuilder b = app.next();
    b.gap(1, 3, 2500, 4000).end(begin_ns + 1200 * ms, 2, vocabulary::Verb::timer, 0, 5);
    v2::Report& report = b.report(vocabulary::ReportKind::step_cost, begin_ns + 1200 * ms, 2);
    report.set_thread(1);
    report.mutable_cost()->set_no_cpu_ns(1190 * ms);
    app.apply(b);
    EXPECT_TRUE(app.problems().empty());
}

}  // namespace
}  // namespace coroscope::analysis::test
