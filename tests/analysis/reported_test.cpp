// What the app reports itself: never awaited, exception never retrieved, destroyed pending, exception in a callback.
#include <gtest/gtest.h>

#include "app_under_test.hpp"

namespace coroscope::analysis::test {
namespace {

TEST(NeverAwaited, IsFoundWhereTheObjectWasCreated) {
    AppUnderTest app;
    BatchBuilder b = app.next();
    b.site(50, "main", "main.cpp", 99).site(51, "helper", "worker.cpp", 25).site(52, "say_goodbye", "other.cpp", 5);
    v2::Report& report = b.report(vocabulary::ReportKind::never_awaited, 5000, 2);
    report.set_site(52);
    report.set_stack(6);
    report.add_frames(50);
    report.add_frames(51);
    app.apply(b);
    const auto found = app.problems();
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].kind, "never_awaited");
    EXPECT_EQ(found[0].task, 2u);
    EXPECT_EQ(at(found[0].site), "helper worker.cpp:25");
    EXPECT_EQ(found[0].native_stack.size(), 2u);
    EXPECT_EQ(found[0].stack.size(), 2u);
    EXPECT_TRUE(contains(found[0].summary, "say_goodbye")) << found[0].summary;
    EXPECT_TRUE(contains(found[0].evidence, "other.cpp:5")) << found[0].evidence;
    EXPECT_TRUE(contains(found[0].evidence, "worker.cpp:25")) << found[0].evidence;
    EXPECT_TRUE(contains(found[0].advice, "co_await")) << found[0].advice;
}

TEST(NeverAwaited, FramesOfTheLibraryAreNotTheSite) {
    AppUnderTest app;
    BatchBuilder b = app.next();
    b.site(50, "helper", "worker.cpp", 25).site(51, "coroscope::remember", "/opt/include/coroscope/coro.hpp", 70);
    v2::Report& report = b.report(vocabulary::ReportKind::never_awaited, 5000, 2);
    report.set_site(4);
    report.add_frames(50);
    report.add_frames(51);
    app.apply(b);
    EXPECT_EQ(at(app.problems().at(0).site), "helper worker.cpp:25");
}

TEST(NeverAwaited, WithoutFramesTheSiteIsTheCoroutineItself) {
    AppUnderTest app;
    BatchBuilder b = app.next();
    b.site(52, "say_goodbye", "other.cpp", 5).report(vocabulary::ReportKind::never_awaited, 5000, 0).set_site(52);
    b.site(53, "?", "", 0);
    app.apply(b);
    EXPECT_EQ(at(app.problems().at(0).site), "say_goodbye other.cpp:5");
    BatchBuilder unresolved = app.next();
    v2::Report& report = unresolved.report(vocabulary::ReportKind::never_awaited, 6000, 0);
    report.set_site(52);
    report.add_frames(53);
    app.apply(unresolved);
    ASSERT_EQ(app.problems().size(), 1u);
    EXPECT_EQ(app.problems()[0].count, 2u) << "equal ones are one";
}

TEST(NeverAwaited, OfUnknownSitesIsStillTold) {
    AppUnderTest app;
    BatchBuilder b = app.next();
    b.report(vocabulary::ReportKind::never_awaited, 5000, 0).set_site(99);
    app.apply(b);
    EXPECT_EQ(app.problems().size(), 1u);
}

TEST(ExceptionNeverRetrieved, IsFoundWhereTheTaskWasCreated) {
    AppUnderTest app;
    BatchBuilder b = app.next();
    b.ready(2000, 2).begin(3000, 2).done(3100, 2, vocabulary::Outcome::error).finish(3200, 2);
    v2::Report& report = b.report(vocabulary::ReportKind::exception_never_retrieved, 5000, 2);
    report.set_stack(3);
    report.set_text("std::runtime_error: no route");
    app.apply(b);
    const auto found = app.problems();
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].kind, "exception_never_retrieved");
    EXPECT_EQ(at(found[0].site), "app_main main.cpp:11");
    EXPECT_TRUE(contains(found[0].summary, "no route")) << found[0].summary;
    EXPECT_TRUE(contains(found[0].evidence, "'first'")) << found[0].evidence;
    EXPECT_TRUE(contains(found[0].evidence, "main.cpp:11")) << found[0].evidence;
}

TEST(ExceptionNeverRetrieved, OfATaskNoLongerRetainedIsFoundThereToo) {
    AppUnderTest app;
    BatchBuilder b = app.next();
    v2::Report& report = b.report(vocabulary::ReportKind::exception_never_retrieved, 5000, 77);
    report.set_stack(3);
    app.apply(b);
    ASSERT_EQ(app.problems().size(), 1u);
    EXPECT_EQ(at(app.problems()[0].site), "app_main main.cpp:11");
}

TEST(ExceptionNeverRetrieved, OfTheFirstTaskIsFoundAtItsCoroutine) {
    AppUnderTest app;
    BatchBuilder b = app.next();
    b.report(vocabulary::ReportKind::exception_never_retrieved, 5000, 1).set_stack(1);
    app.apply(b);
    EXPECT_EQ(at(app.problems().at(0).site), "app_main main.cpp:10");
}

TEST(TaskDestroyedPending, IsFoundWhereItWaited) {
    AppUnderTest app;
    BatchBuilder b = app.next();
    b.report(vocabulary::ReportKind::task_destroyed_pending, 5000, 2).set_stack(7);
    app.apply(b);
    const auto found = app.problems();
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].kind, "task_destroyed_pending");
    EXPECT_EQ(at(found[0].site), "helper worker.cpp:33");
    EXPECT_EQ(found[0].stack.size(), 2u);
    EXPECT_TRUE(contains(found[0].evidence, "created at main.cpp:11 in app_main")) << found[0].evidence;
}

TEST(CallbackException, IsTold) {
    AppUnderTest app;
    BatchBuilder b = app.next();
    b.report(vocabulary::ReportKind::callback_exception, 5000, 0).set_text("std::bad_alloc");
    app.apply(b);
    ASSERT_EQ(app.problems().size(), 1u);
    EXPECT_TRUE(contains(app.problems()[0].summary, "std::bad_alloc"));
}

TEST(FutureExceptionNeverRetrieved, IsFoundWhereTheAppSays) {
    AppUnderTest app;
    BatchBuilder b = app.next();
    v2::Report& report = b.report(vocabulary::ReportKind::future_exception_never_retrieved, 5000, 2);
    report.set_stack(7);
    report.set_text("std::runtime_error: no route");
    app.apply(b);
    const auto found = app.problems();
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].kind, "future_exception_never_retrieved");
    EXPECT_EQ(at(found[0].site), "helper worker.cpp:33");
    EXPECT_TRUE(contains(found[0].summary, "no route")) << found[0].summary;
    EXPECT_TRUE(contains(found[0].evidence, "'first'")) << found[0].evidence;
}

TEST(WrongThread, IsFoundWhereTheCallWas) {
    AppUnderTest app;
    BatchBuilder b = app.next();
    b.site(50, "main::lambda", "main.cpp", 99).site(51, "coroscope::Event::set", "/src/runtime/src/core/sync.cpp", 11);
    v2::Report& report = b.report(vocabulary::ReportKind::wrong_thread, 5000, 2);
    report.set_stack(7);
    report.set_text("a task was woken");
    report.add_frames(50);
    report.add_frames(51);
    app.apply(b);
    const auto found = app.problems();
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].kind, "wrong_thread");
    EXPECT_EQ(at(found[0].site), "main::lambda main.cpp:99");
    EXPECT_TRUE(contains(found[0].evidence, "worker.cpp:33")) << found[0].evidence;
    EXPECT_EQ(found[0].stack.size(), 2u) << "both stacks";
    EXPECT_EQ(found[0].native_stack.size(), 2u);
}

TEST(UnknownReport, IsShownUnderTheNameAndSeverityThatTheAppGave) {
    AppUnderTest app;
    BatchBuilder b = app.next();
    const std::uint32_t number = 700;
    v2::Term& term = *b.batch().add_terms();
    term.set_table(static_cast<std::uint32_t>(vocabulary::Table::report_kind));
    term.set_id(number);
    term.set_name("lease_expired");
    term.set_severity(static_cast<std::uint32_t>(Severity::error));
    b.report(static_cast<vocabulary::ReportKind>(number), 5000, 2).set_stack(7);
    b.report(static_cast<vocabulary::ReportKind>(number), 6000, 2).set_text("after 30 s");
    b.report(static_cast<vocabulary::ReportKind>(number + 1), 7000, 0);
    app.apply(b);
    const auto found = app.problems("lease_expired");
    ASSERT_EQ(found.size(), 2u) << "of two places";
    EXPECT_EQ(found[0].severity, Severity::error);
    EXPECT_EQ(at(found[0].site), "helper worker.cpp:33");
    EXPECT_EQ(found[1].summary, "lease expired: after 30 s");
    ASSERT_EQ(app.problems("unknown").size(), 1u) << "even the app did not say what it is";
    EXPECT_EQ(app.problems("unknown")[0].severity, Severity::warning);
}

// A kind that is in the vocabulary needs nothing more to be a problem of its name.
TEST(Reported, EveryKindOfTheVocabularyIsAProblemWithEvidenceAndAdvice) {
    for (const vocabulary::ReportKindRow& row : vocabulary::report_kinds) {
        if (row.kind == vocabulary::ReportKind::stall || row.kind == vocabulary::ReportKind::step_cost ||
            row.kind == vocabulary::ReportKind::blocked_calls || row.kind == vocabulary::ReportKind::cpu_samples)
            continue;
        SCOPED_TRACE(row.name);
        AppUnderTest app;
        BatchBuilder b = app.next();
        b.report(row.kind, 5000, 2).set_text("some text");
        app.apply(b);
        const auto found = app.problems();
        ASSERT_EQ(found.size(), 1u);
        EXPECT_EQ(found[0].kind, row.name);
        EXPECT_EQ(found[0].severity, row.severity);
        EXPECT_FALSE(found[0].summary.empty());
        EXPECT_FALSE(found[0].evidence.empty());
        EXPECT_FALSE(found[0].advice.empty());
    }
}

TEST(Reported, AStallIsNoProblemOfItsOwn) {
    AppUnderTest app;
    BatchBuilder b = app.next();
    b.report(vocabulary::ReportKind::stall, 5000, 2);
    app.apply(b);
    EXPECT_TRUE(app.problems().empty());
}

TEST(Reported, NothingIsFoundInAHealthyApp) {
    AppUnderTest app;
    app.apply(app.next().ready(2000, 2).begin(3000, 2).done(3100, 2).ready(3150, 1, 2).finish(3200, 2));
    app.apply(app.next().begin(3300, 1).done(3400, 1).finish(3500, 1).loop_stopped(3600, 7));
    EXPECT_TRUE(app.problems().empty());
}

// One report about a task of the app.
Problem only_problem(vocabulary::ReportKind kind, const char* text) {
    AppUnderTest app;
    BatchBuilder b = app.next();
    b.report(kind, 5000, 2).set_text(text);
    app.apply(b);
    const auto found = app.problems();
    EXPECT_EQ(found.size(), 1u);
    return found.empty() ? Problem() : found.front();
}

TEST(UnclosedTransport, IsToldWithWhatWasNotSent) {
    const Problem problem = only_problem(vocabulary::ReportKind::unclosed_transport,
                                         "9 bytes written to the connection to a:1 were not sent");
    EXPECT_EQ(problem.kind, "unclosed_transport");
    EXPECT_EQ(problem.severity, Severity::warning);
    EXPECT_EQ(problem.summary, "unclosed transport: 9 bytes written to the connection to a:1 were not sent");
    EXPECT_TRUE(contains(problem.advice, "wait_closed()")) << problem.advice;
}

TEST(WriteAfterLoss, IsToldWithTheConnection) {
    const Problem problem =
        only_problem(vocabulary::ReportKind::write_after_loss, "the connection to a:1, which was lost (reset)");
    EXPECT_EQ(problem.kind, "write_after_loss");
    EXPECT_EQ(problem.severity, Severity::warning);
    EXPECT_EQ(problem.summary, "writes go on to the connection to a:1, which was lost (reset)");
    EXPECT_TRUE(contains(problem.advice, "drain()")) << problem.advice;
}

}  // namespace
}  // namespace coroscope::analysis::test
