// crashed: what the app could still say of a fatal signal.
#include <gtest/gtest.h>

#include "app_under_test.hpp"

namespace coroscope::analysis::test {
namespace {

// In a step of task 2 that began at worker.cpp:33.
v2::Report& crash(BatchBuilder& b) {
    b.site(50, "worker", "worker.cpp", 40).site(51, "raise", "/usr/lib/raise.c", 7);
    b.ready(2000, 2).begin(3000, 2);
    v2::Report& report = b.report(vocabulary::ReportKind::crashed, 4000, 2);
    report.set_text("SIGSEGV: there is no memory at address 0x0");
    report.set_thread(1);
    report.set_stack(7);
    report.set_duration_ns(1000);
    return report;
}

TEST(Crashed, IsToldWithTaskLineAndStack) {
    AppUnderTest app;
    BatchBuilder b = app.next();
    v2::Report& report = crash(b);
    report.add_frames(50);
    report.add_frames(51);
    app.apply(b);
    const auto found = app.problems("crashed");
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].severity, Severity::error);
    EXPECT_EQ(found[0].task, 2u);
    EXPECT_EQ(at(found[0].site), "worker worker.cpp:40");
    EXPECT_TRUE(contains(found[0].summary, "SIGSEGV")) << found[0].summary;
    EXPECT_TRUE(contains(found[0].summary, "in a step of task 'first'")) << found[0].summary;
    EXPECT_TRUE(contains(found[0].evidence, "the step began at worker.cpp:33")) << found[0].evidence;
    EXPECT_EQ(found[0].native_stack.size(), 2u);
}

TEST(Crashed, WithoutNativeFramesTheSiteIsWhereTheStepBegan) {
    AppUnderTest app;
    BatchBuilder b = app.next();
    crash(b);
    app.apply(b);
    ASSERT_EQ(app.problems("crashed").size(), 1u);
    EXPECT_EQ(at(app.problems("crashed")[0].site), "helper worker.cpp:33");
}

TEST(Crashed, TheStepThatCrashedIsNoHang) {
    AppUnderTest app;
    BatchBuilder b = app.next();
    crash(b);
    app.apply(b);
    app.apply(app.next().thread(2).job(5000, 10 * s, 0));
    EXPECT_TRUE(app.problems("stalled_loop").empty());
}

}  // namespace
}  // namespace coroscope::analysis::test
