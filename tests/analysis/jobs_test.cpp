// Jobs on pool threads, subprocesses, and wake-ups from other threads: what keeps a task that no task keeps.
#include <gtest/gtest.h>

#include "app_under_test.hpp"

namespace coroscope::analysis::test {
namespace {

using vocabulary::EventKind;
using vocabulary::ResourceType;
using vocabulary::Verb;

v2::Resource& add_resource(BatchBuilder& b, std::uint64_t id, ResourceType type, std::uint64_t parent = 0) {
    v2::Resource& made = *b.batch().add_resources();
    made.set_id(id);
    made.set_type(static_cast<std::uint32_t>(type));
    made.set_parent(parent);
    made.set_created_ns(10 * ms);
    made.set_created_at(7);
    made.set_created_by(2);
    return made;
}

void now(AppUnderTest& app, std::uint64_t time_ns) {
    BatchBuilder b = app.next();
    b.batch().set_time_ns(time_ns);
    app.apply(b);
}

// A pool of two threads, and `jobs` jobs of which two have begun.
void fill_pool(AppUnderTest& app, std::uint64_t jobs) {
    BatchBuilder b = app.next();
    add_resource(b, 1, ResourceType::thread_pool).set_capacity(2);
    for (std::uint64_t i = 0; i < jobs; ++i) add_resource(b, 10 + i, ResourceType::job, 1);
    b.thread(2);
    for (std::uint64_t i = 0; i < 2; ++i) b.event(11 * ms, EventKind::job_begin).subject(10 + i).argument(2);
    app.apply(b);
}

TEST(ThreadPoolExhausted, SaysWhichJobsRunAndWhichWait) {
    AppUnderTest app;
    fill_pool(app, 5);
    now(app, 1 * s);
    const auto found = app.problems("thread_pool_exhausted");
    ASSERT_EQ(found.size(), 1u);
    EXPECT_TRUE(contains(found[0].summary, "all 2 threads of thread pool 1 are busy: 3 jobs wait")) << found[0].summary;
    EXPECT_TRUE(contains(found[0].evidence, "begun at worker.cpp:33")) << found[0].evidence;
    EXPECT_TRUE(contains(found[0].evidence, "by task 'first'")) << found[0].evidence;
    ASSERT_EQ(found[0].parts.size(), 2u) << "jobs of one place are told together";
    EXPECT_EQ(found[0].parts[0].count, 2u);
    EXPECT_EQ(found[0].parts[1].count, 3u);
}

TEST(ThreadPoolExhausted, SilentWhileNoJobWaitsForLong) {
    AppUnderTest app;
    fill_pool(app, 2);
    now(app, 1 * s);
    EXPECT_TRUE(app.problems().empty());
    AppUnderTest busy;
    fill_pool(busy, 5);
    now(busy, 100 * ms);
    EXPECT_TRUE(busy.problems().empty());
}

TEST(EndWaitsForJobs, WhileItDoesAndAfterwards) {
    AppUnderTest app;
    fill_pool(app, 2);
    app.apply(app.next().poll_begin(20 * ms).event(20 * ms, EventKind::loop_closing).subject(7));
    now(app, 100 * ms);
    EXPECT_TRUE(app.problems("end_waits_for_jobs").empty());
    now(app, 2 * s);
    auto found = app.problems("end_waits_for_jobs");
    ASSERT_EQ(found.size(), 1u);
    EXPECT_TRUE(found[0].ongoing);
    EXPECT_TRUE(contains(found[0].summary, "waits for 2 jobs")) << found[0].summary;
    EXPECT_TRUE(contains(found[0].evidence, "worker.cpp:33")) << found[0].evidence;
    EXPECT_EQ(app.problems().size(), 1u) << "the wait is no iteration of the loop";
    app.apply(app.next().loop_stopped(3 * s, 7));
    found = app.problems("end_waits_for_jobs");
    ASSERT_EQ(found.size(), 1u);
    EXPECT_FALSE(found[0].ongoing);
    EXPECT_EQ(found[0].duration_ns, 3 * s - 20 * ms);
}

TEST(LostWakeup, ATaskIsReadyAndItsLoopSleeps) {
    AppUnderTest app;
    app.apply(app.next().poll_begin(20 * ms).thread(2).ready(30 * ms, 2));
    now(app, 100 * ms);
    EXPECT_TRUE(app.problems().empty());
    now(app, 1 * s);
    const auto found = app.problems("lost_wakeup");
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].task, 2u);
    EXPECT_EQ(at(found[0].site), "helper worker.cpp:33");
    app.apply(app.next().poll_end(2 * s, 0));
    now(app, 3 * s);
    EXPECT_TRUE(app.problems("lost_wakeup").empty()) << "the loop runs";
}

// Task 2 waits for the end of subprocess 1, whose stdout is resource 2.
void run_subprocess(AppUnderTest& app, std::uint64_t unread) {
    BatchBuilder b = app.next();
    add_resource(b, 1, ResourceType::subprocess).set_system_id(4711);
    v2::Resource& out = add_resource(b, 2, ResourceType::stream, 1);
    out.set_name("stdout");
    out.set_capacity(65'536);
    b.ready(20 * ms, 2).begin(20 * ms, 2).end(20 * ms, 2, Verb::exit, 1, 7);
    b.event(30 * ms, EventKind::resource_level).subject(2).argument(unread);
    app.apply(b);
    now(app, 1 * s);
}

TEST(UnreadOutput, OfASubprocessThatATaskWaitsFor) {
    AppUnderTest app;
    run_subprocess(app, 65'536);
    const auto found = app.problems("unread_output");
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].task, 2u);
    EXPECT_TRUE(contains(found[0].evidence, "process 4711")) << found[0].evidence;
    EXPECT_TRUE(contains(found[0].evidence, "65536 bytes of its stdout are unread")) << found[0].evidence;
}

TEST(UnreadOutput, SilentWhileThereIsRoom) {
    AppUnderTest app;
    run_subprocess(app, 100);
    EXPECT_TRUE(app.problems().empty());
}

}  // namespace
}  // namespace coroscope::analysis::test
