// deadlock and cancellation_ignored.
#include <gtest/gtest.h>

#include "app_under_test.hpp"

namespace coroscope::analysis::test {
namespace {

// Task 2 waits for task 3, which waits for `last`.
void chain(AppUnderTest& app, std::uint64_t last) {
    app.apply(app.next()
                  .created(2000, 3, 1, 3)
                  .ready(2001, 2)
                  .begin(2002, 2)
                  .end(2003, 2, vocabulary::Verb::join, 3, 5)
                  .begin(2004, 3)
                  .end(2005, 3, vocabulary::Verb::join, last, 7));
}

TEST(Deadlock, ACircleOfTasks) {
    AppUnderTest app;
    chain(app, 2);
    const auto found = app.problems("deadlock");
    ASSERT_EQ(found.size(), 1u);
    EXPECT_TRUE(contains(found[0].summary, "2 tasks wait for each other")) << found[0].summary;
    EXPECT_TRUE(contains(found[0].evidence, "worker.cpp:22")) << found[0].evidence;
    EXPECT_TRUE(contains(found[0].evidence, "worker.cpp:33")) << found[0].evidence;
}

TEST(Deadlock, WithAllThatWaitForItIsOneProblem) {
    AppUnderTest app;  // task 1 waits for task 2
    chain(app, 1);
    ASSERT_EQ(app.problems("deadlock").size(), 1u);
    EXPECT_TRUE(contains(app.problems("deadlock")[0].summary, "3 tasks wait for each other"));
}

TEST(Deadlock, OfATaskWithItself) {
    AppUnderTest app;
    app.apply(app.next().ready(2001, 2).begin(2002, 2).end(2003, 2, vocabulary::Verb::join, 2, 5));
    ASSERT_EQ(app.problems("deadlock").size(), 1u);
}

TEST(Deadlock, SilentAboutAChainThatEnds) {
    AppUnderTest app;
    chain(app, 0);  // it waits for several
    EXPECT_TRUE(app.problems().empty());
    app.apply(app.next().ready(2006, 3).begin(2007, 3).end(2008, 3, vocabulary::Verb::timer, 0, 7));
    EXPECT_TRUE(app.problems().empty());
}

TEST(Deadlock, SilentAboutATaskThatIsReadyAgain) {
    AppUnderTest app;
    chain(app, 2);
    app.apply(app.next().cancel(2010, 3, 0, 2).ready(2011, 3));
    EXPECT_TRUE(app.problems("deadlock").empty());
}

TEST(Deadlock, SilentWhereEventsWereLost) {
    AppUnderTest app;
    chain(app, 2);
    app.apply(app.next().gap(1, 3, 4000, 5000));
    EXPECT_TRUE(app.problems().empty());
}

// Task 2 runs `steps` steps, one each `each_ns`, from `t` on.
std::uint64_t go_on(AppUnderTest& app, std::uint64_t t, int steps, std::uint64_t each_ns) {
    BatchBuilder b = app.next();
    for (int i = 0; i < steps; ++i, t += each_ns)
        b.poll_begin(t).poll_end(t + 1, 1).ready(t + 2, 2).begin(t + 3, 2).end(t + 4, 2, vocabulary::Verb::timer, 0, 7);
    app.apply(b.poll_begin(t));
    return t;
}

TEST(CancellationIgnored, ATaskThatRunsOnAndOn) {
    AppUnderTest app;
    app.apply(app.next().cancel(2000, 2, 1, 2));
    go_on(app, 3000, 12, s);
    const auto found = app.problems();
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].kind, "cancellation_ignored");
    EXPECT_EQ(found[0].task, 2u);
    EXPECT_EQ(at(found[0].site), "helper worker.cpp:33");
    EXPECT_TRUE(contains(found[0].evidence, "main.cpp:11")) << found[0].evidence;
    EXPECT_TRUE(contains(found[0].evidence, "12 steps")) << found[0].evidence;
}

using vocabulary::CancelOrigin;

// At 2 us task 2 was asked to end, by `origin`; at 3 us that arrived at worker.cpp:33, and was caught.
void swallow(AppUnderTest& app, CancelOrigin origin, std::uint64_t by, std::uint32_t at) {
    app.apply(app.next().cancel(2000, 2, by, at).cancel_origin(2000, 2, origin).ready(2001, 2).begin(2900, 2));
    app.apply(
        app.next().cancel_thrown(3000, 2, 7).cancel_swallowed(3001, 2, 7).end(3002, 2, vocabulary::Verb::timer, 0, 7));
}

TEST(CancellationIgnored, ATaskThatSwallowsAndWaitsThereAgain) {
    AppUnderTest app;
    swallow(app, CancelOrigin::user, 1, 2);
    go_on(app, 4000, 3, 300 * ms);
    EXPECT_TRUE(app.problems().empty()) << "a moment ago";
    go_on(app, 1 * s, 3, 300 * ms);
    const auto found = app.problems();
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].kind, "cancellation_ignored");
    EXPECT_EQ(at(found[0].site), "helper worker.cpp:33");
    EXPECT_TRUE(contains(found[0].evidence, "cancelled by task 'Task-1' (app_main) at main.cpp:11"))
        << found[0].evidence;
    EXPECT_TRUE(contains(found[0].evidence, "thrown into it at worker.cpp:33 in helper, was caught and not thrown on"))
        << found[0].evidence;
}

TEST(CancellationIgnored, WhateverAskedForIt) {
    for (const CancelOrigin origin : {CancelOrigin::run_end, CancelOrigin::timeout, CancelOrigin::task_group,
                                      CancelOrigin::awaiter, CancelOrigin::tool, CancelOrigin::library}) {
        AppUnderTest app;
        swallow(app, origin, 0, 0);
        go_on(app, 1 * s, 3, 300 * ms);
        ASSERT_EQ(app.problems("cancellation_ignored").size(), 1u) << to_string(origin);
        EXPECT_EQ(contains(app.problems()[0].evidence, "run() does not return"), origin == CancelOrigin::run_end);
    }
}

TEST(CancellationIgnored, WhileItSleepsToo) {
    AppUnderTest app;  // a heartbeat only
    swallow(app, CancelOrigin::user, 1, 2);
    app.apply(app.next().poll_begin(2 * s));
    EXPECT_EQ(app.problems("cancellation_ignored").size(), 1u);
}

TEST(CancellationIgnored, NamesWhoWaitsForIt) {
    AppUnderTest app;  // task 1 does
    swallow(app, CancelOrigin::awaiter, 1, 4);
    app.apply(app.next().poll_begin(2 * s));
    ASSERT_EQ(app.problems("cancellation_ignored").size(), 1u);
    EXPECT_TRUE(contains(app.problems()[0].evidence, "task 'Task-1' (app_main) waits for its end"));
}

TEST(CancellationIgnored, OneThatWaitsElsewhereMayCleanUpForAWhile) {
    AppUnderTest app;
    app.apply(app.next().cancel(2000, 2, 1, 2).cancel_origin(2000, 2, CancelOrigin::user).begin(2900, 2));
    app.apply(
        app.next().cancel_thrown(3000, 2, 7).cancel_swallowed(3001, 2, 7).end(3002, 2, vocabulary::Verb::timer, 0, 5));
    app.apply(app.next().poll_begin(4 * s));
    EXPECT_TRUE(app.problems().empty());
    app.apply(app.next().poll_end(6 * s, 0));
    EXPECT_EQ(app.problems("cancellation_ignored").size(), 1u);
}

TEST(CancellationIgnored, SilentAboutARequestThatWasTakenBack) {
    AppUnderTest app;
    swallow(app, CancelOrigin::timeout, 2, 2);
    app.apply(app.next().uncancelled(3500, 2, 0));
    go_on(app, 1 * s, 30, s);
    EXPECT_TRUE(app.problems().empty());
}

TEST(CancellationIgnored, SilentAboutATaskThatKeepsWhatWasThrownWhileItCleansUp) {
    AppUnderTest app;
    app.apply(app.next().cancel(2000, 2, 1, 2).cancel_origin(2000, 2, CancelOrigin::run_end).begin(2900, 2));
    app.apply(app.next().cancel_thrown(3000, 2, 7).end(3002, 2, vocabulary::Verb::timer, 0, 5));
    app.apply(app.next().poll_begin(60 * s));
    EXPECT_TRUE(app.problems().empty());
}

TEST(CancellationIgnored, SilentWhileItMayCleanUp) {
    AppUnderTest app;
    app.apply(app.next().cancel(2000, 2, 1, 2));
    go_on(app, 3000, 5, 2 * s);
    EXPECT_TRUE(app.problems().empty()) << "few steps";
    AppUnderTest quick;
    quick.apply(quick.next().cancel(2000, 2, 1, 2));
    go_on(quick, 3000, 50, ms);
    EXPECT_TRUE(quick.problems().empty()) << "a moment ago";
}

TEST(CancellationIgnored, SilentAboutWhatTheLibraryMayTakeBack) {
    AppUnderTest app;
    app.apply(app.next()
                  .site(60, "coroscope::Timeout::Timeout", "/src/runtime/src/core/timeout.cpp", 22)
                  .node(60, 0, 60, vocabulary::NodeKind::call)
                  .cancel(1500, 2, 1, 2)
                  .cancel(2000, 2, 0, 60));
    go_on(app, 3000, 20, s);
    EXPECT_TRUE(app.problems().empty());
}

TEST(CancellationIgnored, SilentWhereEventsWereLost) {
    AppUnderTest app;
    app.apply(app.next().cancel(2000, 2, 1, 2).gap(1, 1, 2100, 2200));
    go_on(app, 3000, 20, s);
    EXPECT_TRUE(app.problems().empty());
}

TEST(CancellationIgnored, SilentOnceItIsDone) {
    AppUnderTest app;
    app.apply(app.next().cancel(2000, 2, 1, 2));
    const std::uint64_t t = go_on(app, 3000, 20, s);
    app.apply(app.next()
                  .poll_end(t + 1, 1)
                  .ready(t + 2, 2)
                  .begin(t + 3, 2)
                  .done(t + 4, 2, vocabulary::Outcome::cancelled)
                  .finish(t + 5, 2));
    EXPECT_TRUE(app.problems().empty());
}

}  // namespace
}  // namespace coroscope::analysis::test
