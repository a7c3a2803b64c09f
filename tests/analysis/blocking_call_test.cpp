// blocking_call: a line that blocks its loop below the threshold.
#include <gtest/gtest.h>

#include "app_under_test.hpp"

namespace coroscope::analysis::test {
namespace {

struct Call {
    std::uint32_t id = 1;
    std::uint64_t count = 10, total_ns = 101 * ms, longest_ns = 11 * ms, slow_ns = 0, quick = 0;
    std::uint32_t line = 40;
    const char* function = "usleep";
};

// Calls in steps of task 2, from helper() in the file worker.cpp.
void add(BatchBuilder& b, const Call& call) {
    const std::uint32_t site = 100 + call.line;
    b.site(site, "helper", "worker.cpp", call.line);
    v2::Report& report = b.report(vocabulary::ReportKind::blocked_calls, 5000, 2);
    report.set_text(call.function);
    report.set_stack(7);
    report.add_frames(site);
    v2::Sums& sums = *report.mutable_sums();
    sums.set_id(call.id);
    sums.set_count(call.count);
    sums.set_total_ns(call.total_ns);
    sums.set_longest_ns(call.longest_ns);
    sums.set_slow_ns(call.slow_ns);
    sums.set_quick(call.quick);
}

std::vector<Problem> problems_of(const std::vector<Call>& calls) {
    AppUnderTest app;
    BatchBuilder b = app.next();
    for (const Call& call : calls) add(b, call);
    app.apply(b);
    return app.problems("blocking_call");
}

TEST(BlockingCall, ManyShortOnesAddUp) {
    const auto found = problems_of({{.quick = 990}});
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(at(found[0].site), "helper worker.cpp:40");
    EXPECT_EQ(found[0].task, 2u);
    EXPECT_EQ(found[0].duration_ns, 101 * ms);
    EXPECT_TRUE(contains(found[0].summary, "usleep blocked the loop for 101 ms in 10 calls")) << found[0].summary;
    EXPECT_TRUE(contains(found[0].evidence, "the longest 11")) << found[0].evidence;
    EXPECT_TRUE(contains(found[0].evidence, "990 calls of that line did not block")) << found[0].evidence;
    EXPECT_TRUE(contains(found[0].advice, "co_await sleep")) << found[0].advice;
    EXPECT_FALSE(found[0].native_stack.empty());
    EXPECT_FALSE(found[0].stack.empty());
}

TEST(BlockingCall, OneLineIsOneProblemWhateverStackItHad) {
    const auto found = problems_of({{.id = 1, .count = 1, .total_ns = 6 * ms, .longest_ns = 6 * ms},
                                    {.id = 2, .count = 2, .total_ns = 7 * ms, .longest_ns = 5 * ms},
                                    {.id = 3, .line = 41, .function = "fsync"}});
    ASSERT_EQ(found.size(), 2u);
    const Problem& sum = found[0].duration_ns < found[1].duration_ns ? found[0] : found[1];
    EXPECT_EQ(sum.duration_ns, 13 * ms);
    EXPECT_TRUE(contains(sum.summary, "3 calls")) << sum.summary;
}

TEST(BlockingCall, SilentBelowTheLimit) {
    EXPECT_TRUE(problems_of({{.total_ns = 9 * ms, .longest_ns = 1 * ms}}).empty());
}

TEST(BlockingCall, SilentAboutStepsThatSlowStepTells) {
    EXPECT_TRUE(problems_of({{.total_ns = 300 * ms, .longest_ns = 150 * ms, .slow_ns = 295 * ms}}).empty());
    const auto found = problems_of({{.total_ns = 300 * ms, .longest_ns = 150 * ms, .slow_ns = 200 * ms}});
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].duration_ns, 100 * ms);
    EXPECT_TRUE(contains(found[0].evidence, "200 ms of that was in steps longer than the threshold"))
        << found[0].evidence;
}

TEST(BlockingCall, SilentAboutPlacesForWhichTheAppHadNoRoom) {
    AppUnderTest app;
    BatchBuilder b = app.next();
    v2::Report& report = b.report(vocabulary::ReportKind::blocked_calls, 5000, 0);
    report.set_text("(places for which there was no room)");
    report.mutable_sums()->set_id(1);
    report.mutable_sums()->set_count(5);
    report.mutable_sums()->set_total_ns(50 * ms);
    app.apply(b);
    EXPECT_TRUE(app.problems().empty());
}

}  // namespace
}  // namespace coroscope::analysis::test
