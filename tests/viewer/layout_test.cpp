// Layout as plain code: axes, texts, bars, maxima, lanes.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "tests/trace/app_builder.hpp"
#include "viewer/layout/contains.hpp"
#include "viewer/layout/iterations.hpp"
#include "viewer/layout/panes.hpp"
#include "viewer/layout/said.hpp"
#include "viewer/layout/slices.hpp"
#include "viewer/layout/time_axis.hpp"

namespace coroscope::viewer {
namespace {

TimeAxis axis(double begin, double end, float width = 1000) { return {{begin, end}, 100, width}; }

TEST(TimeAxis, MapsBothWays) {
    const TimeAxis a = axis(1e9, 2e9);
    EXPECT_FLOAT_EQ(a.x(1e9), 100);
    EXPECT_FLOAT_EQ(a.x(2e9), 1100);
    EXPECT_DOUBLE_EQ(a.time_ns(600), 1.5e9);
    EXPECT_DOUBLE_EQ(a.ns_per_px(), 1e6);
}

TEST(TimeAxis, ZoomKeepsTheTimeUnderTheCursor) {
    const TimeRange range{1e9, 2e9};
    for (const double at : {1.0e9, 1.25e9, 1.9e9}) {
        for (const double factor : {0.5, 0.8, 1.7}) {
            const TimeRange zoom = zoomed(range, at, factor);
            EXPECT_NEAR((at - range.begin_ns) / range.span_ns(), (at - zoom.begin_ns) / zoom.span_ns(), 1e-9);
            EXPECT_NEAR(zoom.span_ns(), range.span_ns() * factor, 1);
        }
    }
    EXPECT_DOUBLE_EQ(zoomed(range, 1.5e9, 1e-12).span_ns(), shortest_span_ns);
    EXPECT_DOUBLE_EQ(zoomed(range, 1.5e9, 1e12).span_ns(), longest_span_ns);
}

TEST(TimeAxis, TicksAreRoundAndApart) {
    for (double span = 2e3; span < 1e13; span *= 3.7) {
        const TimeAxis a = axis(5e12, 5e12 + span);
        const std::vector<Tick> all = ticks(a, 5e12, 100);
        ASSERT_FALSE(all.empty()) << span;
        double before = -1e9;
        int labelled = 0;
        for (const Tick& tick : all) {
            EXPECT_TRUE(a.range.contains(tick.time_ns) || tick.time_ns == a.range.end_ns);
            if (!tick.labelled) continue;
            ++labelled;
            EXPECT_GE(static_cast<double>(a.x(tick.time_ns)) - before, 99) << span;
            before = static_cast<double>(a.x(tick.time_ns));
        }
        EXPECT_GE(labelled, 2) << span;
        EXPECT_LE(labelled, 11) << span;
    }
}

TEST(TimeAxis, LabelsSayTheirUnit) {
    const std::vector<Tick> all = ticks(axis(0, 1e9), 0, 100);
    std::vector<std::string> labels;
    for (const Tick& tick : all) {
        if (tick.labelled) labels.push_back(tick.label);
    }
    ASSERT_EQ(labels.size(), 11u);
    EXPECT_EQ(labels[2], "200 ms");
    EXPECT_EQ(labels[10], "1.0 s");
}

TEST(EasedRange, ArrivesAndStops) {
    EasedRange range;
    range.jump({0, 100});
    range.move({1000, 3000});
    int steps = 0;
    while (range.step(1.0 / 60)) ASSERT_LT(++steps, 200);
    EXPECT_EQ(range.shown(), (TimeRange{1000, 3000}));
    EXPECT_GT(steps, 3);
    EXPECT_FALSE(range.step(1.0));
}

TEST(Text, IsFoundInAnyCase) {
    EXPECT_TRUE(contains_text("Producer-1", "DUCER"));
    EXPECT_FALSE(contains_text("a", "ab"));
}

std::deque<model::Slice> random_slices(std::size_t count, unsigned seed) {
    std::mt19937 random(seed);
    std::deque<model::Slice> slices;
    std::uint64_t at = 1'000'000;
    for (std::size_t i = 0; i < count; ++i) {
        at += random() % 3000;
        model::Slice slice;
        slice.begin_ns = at;
        at += 1 + (random() % 50 == 0 ? random() % 400'000 : random() % 900);
        slice.end_ns = at;
        slices.push_back(slice);
    }
    return slices;
}

// Every slice in the range is in exactly one bar, bars are in order, and what is wide is never merged.
TEST(Bars, CoverEverySliceOnce) {
    for (unsigned seed = 0; seed < 20; ++seed) {
        const auto slices = random_slices(5'000, seed);
        const double end = static_cast<double>(slices.back().end_ns);
        for (const double part : {1.0, 0.3, 0.01, 0.0005}) {
            const TimeAxis a = axis(1e6 + (1 - part) * end * 0.4, 1e6 + (1 - part) * end * 0.4 + end * part);
            const std::vector<Bar> all = bars(slices, a);
            std::size_t next = all.empty() ? 0 : all.front().first;
            for (const Bar& bar : all) {
                ASSERT_EQ(bar.first, next);
                next += bar.count;
                EXPECT_LE(bar.x0, bar.x1);
                if (!bar.merged()) continue;
                for (std::size_t i = bar.first; i < bar.first + bar.count; ++i) {
                    const double px = static_cast<double>(slices[i].end_ns - slices[i].begin_ns) / a.ns_per_px();
                    ASSERT_LT(px, static_cast<double>(narrowest_bar_px) + 0.01);
                }
            }
            for (std::size_t i = 0; i < slices.size(); ++i) {
                const bool inside = static_cast<double>(slices[i].end_ns) >= a.range.begin_ns &&
                                    static_cast<double>(slices[i].begin_ns) < a.range.end_ns;
                const bool drawn = !all.empty() && i >= all.front().first && i < next;
                ASSERT_TRUE(drawn || !inside) << i;
            }
            EXPECT_LE(all.size(), static_cast<std::size_t>(a.width_px / narrowest_bar_px) * 2 + 2);
        }
    }
}

TEST(Bars, HitTest) {
    std::deque<model::Slice> slices(2);
    slices[0].begin_ns = 0, slices[0].end_ns = 100;
    slices[1].begin_ns = 500, slices[1].end_ns = 900;
    const std::vector<Bar> all = bars(slices, axis(0, 1000));
    ASSERT_EQ(all.size(), 2u);
    EXPECT_EQ(bar_at(all, 150)->first, 0u);
    EXPECT_EQ(bar_at(all, 700)->first, 1u);
    EXPECT_EQ(bar_at(all, 400), nullptr);
    EXPECT_EQ(bar_at(all, 1050), nullptr);
}

TEST(Bars, NothingToDraw) {
    EXPECT_TRUE(bars(std::deque<model::Slice>{}, axis(0, 1)).empty());
    EXPECT_TRUE(bars(random_slices(10, 1), axis(9e9, 10e9)).empty());
}

model::Loop random_loop(std::size_t count, unsigned seed) {
    std::mt19937 random(seed);
    model::Loop loop;
    loop.id = 1;
    std::uint64_t at = 1000;
    for (std::size_t i = 0; i < count; ++i) {
        model::Iteration one;
        at += random() % 2000;
        one.begin_ns = at;
        at += random() % 700;
        one.end_ns = at;
        loop.iterations.push_back(one);
    }
    return loop;
}

std::uint64_t length(const model::Iteration& one) { return one.end_ns - one.begin_ns; }

// The index answers as a scan would, also after old iterations went and new ones came.
TEST(IterationIndex, LongestOfAnyRange) {
    std::mt19937 random(7);
    model::Loop loop = random_loop(5'000, 1);
    IterationIndex index;
    for (int round = 0; round < 30; ++round) {
        index.update(loop);
        for (int i = 0; i < 30; ++i) {
            std::size_t first = random() % loop.iterations.size(), last = random() % loop.iterations.size();
            if (first > last) std::swap(first, last);
            ++last;
            std::uint64_t expected = 0;
            for (std::size_t n = first; n < last; ++n) expected = std::max(expected, length(loop.iterations[n]));
            ASSERT_EQ(length(loop.iterations[index.longest(loop, first, last)]), expected);
        }
        const std::size_t retired = random() % 700;
        for (std::size_t i = 0; i < retired; ++i) loop.iterations.pop_front();
        loop.iterations_dropped += retired;
        const model::Loop more = random_loop(random() % 900, static_cast<unsigned>(round) + 50);
        const std::uint64_t shift = loop.iterations.back().end_ns;
        for (model::Iteration one : more.iterations) {
            one.begin_ns += shift, one.end_ns += shift;
            loop.iterations.push_back(one);
        }
    }
}

// No spike is lost: whatever the zoom, the longest of the range is the maximum over the columns.
TEST(LatencyColumns, NeverMissASpike) {
    model::Loop loop = random_loop(20'000, 3);
    loop.iterations[13'337].end_ns = loop.iterations[13'337].begin_ns + 699;
    IterationIndex index;
    index.update(loop);
    const double end = static_cast<double>(loop.iterations.back().end_ns);
    for (const float width : {50.0f, 333.0f, 1920.0f}) {
        const std::vector<LatencyColumn> columns = latency_columns(loop, index, axis(0, end * 1.001, width));
        ASSERT_EQ(columns.size(), static_cast<std::size_t>(width));
        std::uint64_t longest = 0, expected = 0;
        for (const LatencyColumn& column : columns) longest = std::max(longest, column.longest_ns);
        for (const model::Iteration& one : loop.iterations) expected = std::max(expected, length(one));
        EXPECT_EQ(longest, expected);
    }
}

TEST(LatencyColumns, ALongIterationCoversItsColumns) {
    model::Loop loop;
    loop.id = 1;
    loop.iterations.push_back({200, 700, 0, 1});
    IterationIndex index;
    index.update(loop);
    const auto columns = latency_columns(loop, index, axis(0, 1000, 10));
    for (std::size_t i = 0; i < 10; ++i) EXPECT_EQ(columns[i].longest_ns, i >= 2 && i < 7 ? 500u : 0u) << i;
}

TEST(Composition, SumsByTask) {
    model::Loop loop;
    for (std::uint64_t i = 0; i < 6; ++i) {
        model::Slice slice;
        slice.begin_ns = 100 + i * 100;
        slice.end_ns = slice.begin_ns + 10 * (i + 1);
        slice.task = i % 2;
        loop.slices.push_back(slice);
    }
    const std::vector<Share> shares = composition(loop, {100, 510, 0, 5});
    ASSERT_EQ(shares.size(), 2u);
    EXPECT_EQ(shares[0].task, 0u);
    EXPECT_EQ(shares[0].busy_ns, 10u + 30 + 50);
    EXPECT_EQ(shares[0].steps, 3u);
    EXPECT_EQ(shares[1].busy_ns, 20u + 40);
    EXPECT_EQ(shares[1].longest_ns, 40u);
}

TEST(Histogram, LogarithmicBins) {
    model::Newest<model::Iteration> all{{0, 500, 0, 0}, {0, 1'500, 0, 0}, {0, 15'000, 0, 0}, {0, 50'000'000'000, 0, 0}};
    const auto counts = length_histogram(all, 1, 4);
    EXPECT_EQ(counts, (std::vector<std::size_t>{2, 1, 0, 1}));
}

TEST(Panes, FillTheAreaWithoutOverlap) {
    for (const float width : {300.0f, 1600.0f, 5000.0f}) {
        for (const float height : {200.0f, 1000.0f}) {
            const Panes all = panes({10, 20, width, height}, {}, 110);
            EXPECT_FLOAT_EQ(all.tasks.x + all.tasks.width + splitter_px, all.timeline.x);
            EXPECT_NEAR(all.bottom.y + all.bottom.height, 20 + height, 1);
            EXPECT_GT(all.latency.height, 0);
            EXPECT_GT(all.timeline.height, 0);
            EXPECT_GT(all.bottom.width, 0);
            EXPECT_LE(all.latency.y + all.latency.height, all.timeline.y);
            EXPECT_LE(all.timeline.y + all.timeline.height, all.bottom.y);
        }
    }
}

TEST(Said, SpansOfATaskAreInRowsThatDoNotOverlap) {
    model::Session session;
    trace::test::fold(session, trace::test::telling_app());
    SaidIndex index;
    index.update(session.app(1)->model, {Lane{.task = 3}});
    EXPECT_EQ(index.find(2), nullptr);
    const SaidOfTask* said = index.find(3);
    ASSERT_NE(said, nullptr);
    std::vector<std::vector<std::uint64_t>> rows;
    for (const auto& row : said->rows) {
        rows.emplace_back();
        for (const model::Span& span : row) rows.back().push_back(span.id);
    }
    EXPECT_EQ(rows, (std::vector<std::vector<std::uint64_t>>{{1}, {2, 3}}));
    ASSERT_EQ(said->marks.size(), 1u);
    EXPECT_EQ(said->marks[0].begin_ns, 7600u);
    index.update(session.app(1)->model, {Lane{.task = 2}});
    EXPECT_EQ(index.find(3), nullptr) << "without a lane";
}

}  // namespace
}  // namespace coroscope::viewer
