// The list of problems as a whole: the worst comes first, nothing crashes on odd models.
#include <gtest/gtest.h>

#include "agent/analysis/coverage.hpp"
#include "agent/analysis/evidence.hpp"
#include "app_under_test.hpp"
#include "coroscope/v2/session.pb.h"
#include "tests/model/history.hpp"

namespace coroscope::analysis::test {
namespace {

TEST(Problems, OfOneKindTheLongestIsFirst) {
    AppUnderTest app;
    app.apply(app.next()
                  .callback_begin(3000, 2)
                  .callback_end(3000 + 150 * ms)
                  .ready(1 * s, 2)
                  .begin(1 * s, 2)
                  .end(2 * s, 2, vocabulary::Verb::timer, 0, 5));
    const auto found = app.problems("slow_step");
    ASSERT_EQ(found.size(), 2u);
    EXPECT_EQ(found[0].duration_ns, 1 * s);
    EXPECT_EQ(found[1].duration_ns, 150 * ms);
}

TEST(Problems, TheWorstAreFirst) {
    AppUnderTest app;
    BatchBuilder b = app.next();
    b.callback_begin(3000, 2).callback_end(3000 + 150 * ms);
    b.callback_begin(1 * s, 3).callback_end(3 * s);
    b.ready(4 * s, 2).begin(4 * s, 2);
    b.report(vocabulary::ReportKind::callback_exception, 4 * s, 0);
    b.report(vocabulary::ReportKind::stall, 4 * s + 120 * ms, 2);
    app.apply(b);
    const auto found = app.problems();
    ASSERT_EQ(found.size(), 4u);
    EXPECT_EQ(found[0].kind, "stalled_loop") << "what lasts is before what is over";
    EXPECT_EQ(found[1].kind, "callback_exception") << "errors are before warnings";
    EXPECT_EQ(found[2].duration_ns, 2 * s) << "long before short";
    EXPECT_EQ(found[3].duration_ns, 150 * ms);
    EXPECT_EQ(found[0].severity, Severity::error);
    EXPECT_TRUE(found[0].ongoing);
    EXPECT_EQ(found[3].severity, Severity::warning);
    EXPECT_FALSE(found[3].ongoing);
}

TEST(Problems, OfAllAppsOfASession) {
    model::Session session;
    for (const std::uint64_t key : {3u, 8u}) {
        v2::Frame frame;
        frame.set_app(key);
        frame.mutable_hello()->set_name("app");
        session.apply(frame);
        BatchBuilder b(1);
        b.report(vocabulary::ReportKind::callback_exception, 5000, 0).set_text("std::bad_alloc");
        frame.set_batch(static_cast<const v2::Batch&>(b).SerializeAsString());
        session.apply(frame);
    }
    const auto found = find_problems(session);
    ASSERT_EQ(found.size(), 2u);
    EXPECT_EQ(found[0].app, 3u);
    EXPECT_EQ(found[1].app, 8u);
}

TEST(Problems, EachHasEvidenceAndAdviceWhateverTheModelIs) {
    for (std::uint64_t seed = 1; seed <= 60; ++seed) {
        SCOPED_TRACE(seed);
        model::App app;
        v2::Hello hello;
        hello.set_slow_step_ns(60);
        app.model.set_hello(hello);
        model::test::HistoryOptions options;
        options.losses = seed % 2 == 0;
        for (const v2::Batch& batch : model::test::random_history(seed, options)) {
            app.model.apply(batch);
            for (const Problem& problem : find_problems(1, app)) {
                EXPECT_FALSE(problem.kind.empty());
                EXPECT_FALSE(problem.summary.empty()) << problem.kind;
                EXPECT_FALSE(problem.evidence.empty()) << problem.kind;
                EXPECT_FALSE(problem.advice.empty()) << problem.kind;
                EXPECT_GE(problem.count, 1u);
            }
        }
    }
}

TEST(Evidence, TheInnermostPlaceIsTheUsers) {
    const Place user{"worker", "worker.cpp", 22}, unresolved{"?", "", 0}, ours{"coroscope::run", "run.cpp", 3, true};
    EXPECT_EQ(at(innermost({ours, user, ours, unresolved})), "worker worker.cpp:22");
    EXPECT_EQ(at(innermost({ours})), "coroscope::run run.cpp:3") << "better than nothing";
    EXPECT_EQ(innermost({}).line, 0u);
}

// Task 2's future fails at worker.cpp:33.
void fails(BatchBuilder& b, std::uint64_t time_ns, const std::string& text) {
    v2::Report& report = b.report(vocabulary::ReportKind::future_exception_never_retrieved, time_ns, 2);
    report.set_stack(7);
    report.set_text(text);
}

TEST(Problems, OfOneSiteFoldAndKeepTheirCauses) {
    AppUnderTest app;
    BatchBuilder b = app.next();
    for (int i = 0; i < 10; ++i) fails(b, 5 * s, "connection refused");
    fails(b, 6 * s, "negative balance");
    app.apply(b);
    const auto found = app.problems();
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].count, 11u);
    ASSERT_EQ(found[0].parts.size(), 2u);
    EXPECT_EQ(found[0].parts[0].count, 10u);
    EXPECT_TRUE(contains(found[0].parts[0].text, "connection refused")) << found[0].parts[0].text;
    EXPECT_EQ(found[0].parts[1].count, 1u);
    EXPECT_TRUE(contains(found[0].parts[1].text, "negative balance")) << found[0].parts[1].text;
}

TEST(Problems, OfOneSiteFoldAndKeepTheirCallers) {
    AppUnderTest app;
    BatchBuilder b = app.next();
    b.site(60, "upload", "upload.cpp", 7).site(61, "upload", "upload.cpp", 9);
    b.node(60, 0, 60, vocabulary::NodeKind::task).node(61, 60, 61, vocabulary::NodeKind::call);
    b.node(62, 61, 6, vocabulary::NodeKind::frame).node(63, 62, 7, vocabulary::NodeKind::call);
    fails(b, 5 * s, "");
    v2::Report& other = b.report(vocabulary::ReportKind::future_exception_never_retrieved, 6 * s, 2);
    other.set_stack(63);
    app.apply(b);
    const auto found = app.problems();
    ASSERT_EQ(found.size(), 1u);
    ASSERT_EQ(found[0].parts.size(), 2u);
    EXPECT_EQ(found[0].parts[0].text, "called at upload.cpp:9 in upload");
    EXPECT_EQ(found[0].parts[1].text, "called at worker.cpp:22 in worker");
}

TEST(Coverage, SaysWhatWasLost) {
    model::Session none;
    EXPECT_EQ(coverage_of(none).lost.size(), 1u) << "there is no app";

    model::Session session;
    v2::Frame hello;
    hello.set_app(5);
    hello.mutable_hello()->set_name("shop");
    hello.mutable_hello()->set_pid(7);
    ASSERT_TRUE(session.apply(hello));
    const auto batch = [&](const v2::Batch& content) {
        v2::Frame frame;
        frame.set_app(5);
        frame.set_batch(content.SerializeAsString());
        ASSERT_TRUE(session.apply(frame));
    };
    BatchBuilder b(1);
    batch(b.loop_started(1000, 7).created(1000, 1));
    EXPECT_TRUE(coverage_of(session).lost.empty());
    EXPECT_EQ(coverage_of(session).events, 2u);
    BatchBuilder lossy(2);
    lossy.batch().set_dropped_total(42);
    batch(lossy);
    const Coverage coverage = coverage_of(session);
    ASSERT_EQ(coverage.lost.size(), 1u);
    EXPECT_TRUE(contains(coverage.lost[0], "shop")) << coverage.lost[0];
    EXPECT_TRUE(contains(coverage.lost[0], "42 events were lost")) << coverage.lost[0];
}

}  // namespace
}  // namespace coroscope::analysis::test
