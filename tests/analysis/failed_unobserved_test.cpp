// failed_unobserved, and the two reports about errors that nobody got.
#include <gtest/gtest.h>

#include "app_under_test.hpp"

namespace coroscope::analysis::test {
namespace {

using vocabulary::ResourceType;

constexpr std::uint32_t text = 1;

// Task 2 fails at `t` with an error from worker.cpp:33.
BatchBuilder& fail(BatchBuilder& b, std::uint64_t t) {
    return b.value(text, "std::runtime_error: bad credentials")
        .ready(t - 2, 2)
        .begin(t - 1, 2)
        .fail(t, 2, text, 7)
        .poll_begin(t + 10);
}
// Task 1 waits for a timer, not for task 2, from `t` on.
BatchBuilder& main_goes_on(BatchBuilder& b, std::uint64_t t) {
    return b.ready(t, 1).begin(t + 1, 1).end(t + 2, 1, vocabulary::Verb::timer, 0, 4);
}

class FailedUnobserved : public ::testing::Test {
protected:
    // Task 2 fails, task 1 does something else.
    FailedUnobserved() {
        BatchBuilder b = app_.next();
        fail(main_goes_on(b, 2000), 3000);
        app_.apply(b);
    }
    void time_passes(std::uint64_t until) { app_.apply(app_.next().poll_end(until, 0)); }

    AppUnderTest app_;
};

TEST_F(FailedUnobserved, ATaskThatNobodyLooksAt) {
    time_passes(2 * s);
    const auto found = app_.problems();
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].kind, "failed_unobserved");
    EXPECT_EQ(found[0].severity, Severity::error);
    EXPECT_EQ(found[0].task, 2u);
    EXPECT_EQ(found[0].summary, "task 'first' (worker) failed and nobody looked: std::runtime_error: bad credentials");
    EXPECT_EQ(at(found[0].site), "helper worker.cpp:33");
    EXPECT_TRUE(contains(found[0].evidence, "thrown in helper, at or after its await at worker.cpp:33"));
    EXPECT_TRUE(contains(found[0].evidence, "created at main.cpp:11 in app_main by task 'Task-1' (app_main)"));
    EXPECT_TRUE(contains(found[0].evidence, "2.00 s ago")) << found[0].evidence;
}

TEST_F(FailedUnobserved, SilentForASecond) {
    time_passes(900 * ms);
    EXPECT_TRUE(app_.problems().empty());
}

TEST_F(FailedUnobserved, AtTheEndOfTheLoopAtOnce) {
    app_.apply(app_.next().loop_stopped(5000, 7));
    ASSERT_EQ(app_.problems("failed_unobserved").size(), 1u);
    EXPECT_TRUE(contains(app_.problems("failed_unobserved")[0].evidence, "before the end"));
}

TEST_F(FailedUnobserved, SilentOnceSomebodyHasLooked) {
    app_.apply(app_.next().error_retrieved(1500 * ms, 2, 1, 4));
    time_passes(5 * s);
    EXPECT_TRUE(app_.problems().empty());
}

TEST_F(FailedUnobserved, SilentWhenTheAppReportsIt) {
    BatchBuilder b = app_.next();
    b.report(vocabulary::ReportKind::exception_never_retrieved, 5000, 2)
        .set_text("std::runtime_error: bad credentials");
    app_.apply(b);
    time_passes(5 * s);
    const auto found = app_.problems();
    ASSERT_EQ(found.size(), 1u) << "one problem, told once";
    EXPECT_EQ(found[0].kind, "exception_never_retrieved");
    EXPECT_EQ(at(found[0].site), "helper worker.cpp:33");
}

TEST_F(FailedUnobserved, SilentWhereEventsWereLost) {
    app_.apply(app_.next().gap(1, 3, 4000, 5000));
    time_passes(5 * s);
    EXPECT_TRUE(app_.problems("failed_unobserved").empty()) << "somebody may have looked meanwhile";
}

TEST_F(FailedUnobserved, SilentWhereBatchesWereLost) {
    app_.next();
    time_passes(5 * s);
    EXPECT_TRUE(app_.problems("failed_unobserved").empty());
}

TEST(FailedUnobservedTasks, SilentWhileSomebodyWaitsForIt) {
    AppUnderTest app;  // task 1 waits for task 2
    BatchBuilder b = app.next();
    app.apply(fail(b, 3000));
    app.apply(app.next().poll_end(5 * s, 0));
    EXPECT_TRUE(app.problems("failed_unobserved").empty());
}

TEST(FailedUnobservedTasks, SilentWhereTheRuntimeDoesNotTell) {
    AppUnderTest app;
    BatchBuilder b = app.next();
    main_goes_on(b, 2000).ready(2500, 2).begin(2501, 2).done(3000, 2, vocabulary::Outcome::error).finish(3000, 2);
    app.apply(b.poll_begin(3010).poll_end(5 * s, 0));
    EXPECT_TRUE(app.problems().empty());
}

// Task 2 belongs to a group of `type` that task 1 made, and fails.
void fail_in_group(AppUnderTest& app, ResourceType type) {
    BatchBuilder b = app.next();
    b.resource(3, type, 1).member(1900, 3, 2);
    fail(main_goes_on(b, 2000), 3000);
    app.apply(b);
}
void close_group(AppUnderTest& app) {
    BatchBuilder b = app.next();
    v2::ClosedResource& closed = *b.batch().add_closed_resources();
    closed.set_id(3);
    closed.set_closed_ns(4000);
    app.apply(b);
    app.apply(app.next().poll_end(5 * s, 0));
}

TEST(FailedUnobservedTasks, SilentWhileItsGroupExists) {
    for (const ResourceType type : {ResourceType::task_group, ResourceType::gather, ResourceType::as_completed}) {
        AppUnderTest app;
        fail_in_group(app, type);
        app.apply(app.next().poll_end(5 * s, 0));
        EXPECT_TRUE(app.problems("failed_unobserved").empty());
    }
}

TEST(FailedUnobservedTasks, TheSecondErrorOfAGather) {
    AppUnderTest app;
    fail_in_group(app, ResourceType::gather);
    close_group(app);
    const auto found = app.problems("failed_unobserved");
    ASSERT_EQ(found.size(), 1u);
    EXPECT_TRUE(contains(found[0].evidence, "gather() that it belonged to threw something else")) << found[0].evidence;
    EXPECT_TRUE(contains(found[0].advice, "return_exceptions"));
}

TEST(FailedUnobservedTasks, TheErrorOfAGroupThatWasLeft) {
    AppUnderTest app;
    fail_in_group(app, ResourceType::task_group);
    close_group(app);
    const auto found = app.problems("failed_unobserved");
    ASSERT_EQ(found.size(), 1u);
    EXPECT_TRUE(contains(found[0].advice, "with_task_group()"));
}

TEST(ExceptionNeverRetrieved, OfAGroupThatWasLeftGivesTheGroupsAdvice) {
    AppUnderTest app;
    fail_in_group(app, ResourceType::task_group);
    BatchBuilder b = app.next();
    b.report(vocabulary::ReportKind::exception_never_retrieved, 4000, 2)
        .set_text("std::runtime_error: bad credentials");
    app.apply(b);
    close_group(app);
    const auto found = app.problems();
    ASSERT_EQ(found.size(), 1u);
    EXPECT_TRUE(contains(found[0].evidence, "left before a join()")) << found[0].evidence;
    EXPECT_TRUE(contains(found[0].advice, "with_task_group()"));
}

TEST(UncaughtException, OfTheMainTaskIsToldFromItsOrigin) {
    AppUnderTest app;
    BatchBuilder b = app.next();
    b.value(text, "std::invalid_argument: no dataset").ready(2000, 1).begin(2001, 1).fail(2002, 1, text, 4);
    b.error_retrieved(2003, 1, 0, 0);
    v2::Report& report = b.report(vocabulary::ReportKind::uncaught_exception, 2100, 1);
    report.set_text("std::invalid_argument: no dataset");
    app.apply(b);
    const auto found = app.problems();
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].kind, "uncaught_exception");
    EXPECT_EQ(found[0].severity, Severity::error);
    EXPECT_EQ(found[0].summary, "an exception that nobody caught ended the program: std::invalid_argument: no dataset");
    EXPECT_EQ(at(found[0].site), "app_main main.cpp:12");
    EXPECT_TRUE(contains(found[0].evidence, "ended task 'Task-1' (app_main) and left run(); it was thrown in app_main"))
        << found[0].evidence;
}

TEST(UncaughtException, OutsideOfTasksIsToldByItsText) {
    AppUnderTest app;
    BatchBuilder b = app.next();
    b.report(vocabulary::ReportKind::uncaught_exception, 2100, 0).set_text("std::bad_alloc");
    app.apply(b);
    ASSERT_EQ(app.problems().size(), 1u);
    EXPECT_TRUE(contains(app.problems()[0].summary, "std::bad_alloc"));
}

}  // namespace
}  // namespace coroscope::analysis::test
