// Histograms of latencies: their quantiles against exact ones, their sums, and what the fold puts into them.
#include "agent/model/histogram.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "agent/model/model.hpp"
#include "batches.hpp"
#include "coroscope/v2/keyframe.pb.h"

namespace coroscope::model::test {
namespace {

TEST(Histogram, EachLengthIsInOneBucketAndBucketsAreInOrder) {
    for (std::size_t bucket = 0; bucket + 1 < Histogram::most_buckets; ++bucket) {
        const std::uint64_t last = Histogram::last_of(bucket);
        EXPECT_EQ(Histogram::bucket_of(last), bucket);
        EXPECT_EQ(Histogram::bucket_of(last + 1), bucket + 1);
    }
    EXPECT_EQ(Histogram::bucket_of(~std::uint64_t{0}), Histogram::most_buckets - 1);
    EXPECT_EQ(Histogram::last_of(Histogram::most_buckets - 1), ~std::uint64_t{0});
}

// Lengths of all magnitudes, in several clumps, as those of real programs are.
std::vector<std::uint64_t> random_lengths(std::mt19937_64& random) {
    std::vector<std::uint64_t> lengths(1 + random() % 2000);
    const std::uint64_t magnitude = 1 + random() % 40;
    for (std::uint64_t& each : lengths) each = random() >> (63 - random() % magnitude);
    return lengths;
}

TEST(Histogram, QuantilesAreAtMostASixteenthTooLong) {
    std::mt19937_64 random(7);
    for (int round = 0; round < 200; ++round) {
        std::vector<std::uint64_t> lengths = random_lengths(random);
        Histogram histogram;
        for (const std::uint64_t each : lengths) histogram.add(each);
        std::ranges::sort(lengths);
        EXPECT_EQ(histogram.count(), lengths.size());
        EXPECT_EQ(histogram.max_ns(), lengths.back());
        for (const double share : {0.01, 0.5, 0.9, 0.99, 0.999, 1.0}) {
            const auto rank =
                static_cast<std::size_t>(std::max(std::ceil(share * static_cast<double>(lengths.size())) - 1, 0.0));
            const std::uint64_t exact = lengths[rank], told = histogram.quantile_ns(share);
            EXPECT_GE(told, exact) << share;
            EXPECT_LE(told - exact, exact / 16) << share;
        }
    }
}

TEST(Histogram, MergedIsThatOfBoth) {
    std::mt19937_64 random(8);
    for (int round = 0; round < 50; ++round) {
        Histogram one, other, both;
        for (const std::uint64_t each : random_lengths(random)) one.add(each), both.add(each);
        for (const std::uint64_t each : random_lengths(random)) other.add(each), both.add(each);
        one.merge(other);
        EXPECT_EQ(one.count(), both.count());
        EXPECT_EQ(one.max_ns(), both.max_ns());
        for (const double share : {0.1, 0.5, 0.99}) EXPECT_EQ(one.quantile_ns(share), both.quantile_ns(share));
    }
}

TEST(Histogram, OfNothingIsZero) {
    EXPECT_EQ(Histogram().quantile_ns(0.5), 0u);
    EXPECT_EQ(Histogram().max_ns(), 0u);
}

TEST(Latencies, ReadyToRunningAndIterationsAreCounted) {
    Model model;
    BatchBuilder b(1);
    define_program(b);
    b.loop_started(1000, 7).created(1000, 1, 0, 1).begin(1500, 1).end(2000, 1, vocabulary::Verb::turn, 0, 4);
    b.begin(10'000, 1).finish(11'000, 1).poll_begin(12'000);
    model.apply(b);
    const Loop& loop = *model.loops().at(0);
    EXPECT_EQ(loop.wake_to_run.count(), 2u);
    EXPECT_EQ(loop.wake_to_run.max_ns(), 8000u);
    EXPECT_EQ(loop.iteration_lengths.count(), 1u);
    EXPECT_EQ(loop.iteration_lengths.max_ns(), 11'000u);

    v2::Keyframe keyframe;
    model.save_keyframe(keyframe);
    Model again;
    ASSERT_TRUE(again.load_keyframe(keyframe));
    EXPECT_EQ(again.loops().at(0)->wake_to_run.counts(), loop.wake_to_run.counts());
    EXPECT_EQ(again.loops().at(0)->wake_to_run.max_ns(), 8000u);
    EXPECT_EQ(again.loops().at(0)->iteration_lengths.quantile_ns(0.99), 11'000u);
}

v2::Report& hotspot(BatchBuilder& b, std::uint64_t time_ns, std::uint32_t id, std::uint64_t total_ns) {
    v2::Report& report = b.report(vocabulary::ReportKind::blocked_calls, time_ns, 2);
    report.set_text("read");
    report.set_stack(7);
    report.add_frames(5);
    report.mutable_sums()->set_id(id);
    report.mutable_sums()->set_count(3);
    report.mutable_sums()->set_total_ns(total_ns);
    return report;
}

TEST(Hotspots, ALaterReportReplacesAnEarlierOne) {
    Model model;
    BatchBuilder b(1);
    define_program(b);
    hotspot(b, 2000, 1, 100);
    hotspot(b, 2000, 2, 150);
    hotspot(b, 3000, 1, 200);
    model.apply(b);
    const auto found = model.hotspots(ReportKind::blocked_calls);
    ASSERT_EQ(found.size(), 2u);
    EXPECT_EQ(found[0]->total_ns, 200u) << "most first";
    EXPECT_EQ(found[0]->function, "read");
    EXPECT_TRUE(model.hotspots(ReportKind::cpu_samples).empty());
    EXPECT_TRUE(model.reports().empty());
}

TEST(Hotspots, AreBounded) {
    Limits limits;
    limits.hotspots = 2;
    Model model(limits);
    BatchBuilder b(1);
    define_program(b);
    for (std::uint32_t id = 0; id < 5; ++id) hotspot(b, 2000, id, 100);
    hotspot(b, 3000, 2, 300);
    model.apply(b);
    const auto found = model.hotspots(ReportKind::blocked_calls);
    ASSERT_EQ(found.size(), 2u);
    EXPECT_EQ(found[0]->total_ns, 300u);
    EXPECT_EQ(model.anomalies(), 3u) << "one without an id, two for which there was no room";
}

}  // namespace
}  // namespace coroscope::model::test
