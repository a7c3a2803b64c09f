// Records become columns, and nothing is lost on the way.
#include "runtime/src/debug/encoder.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "coroscope/v2/events.pb.h"

namespace coroscope::debug {
namespace {

using probe::EventKind;
using probe::Record;

Record record(EventKind kind, std::uint64_t stamp, std::uint64_t task, std::uint64_t arg = 0, std::uint32_t stack = 0) {
    Record made;
    made.kind = kind;
    made.stamp = stamp;
    made.subject = task;
    made.argument = arg;
    made.stack = stack;
    return made;
}

// What a reader of events.proto makes of a lane.
std::vector<Record> decode(const v2::Lane& lane) {
    std::vector<Record> records;
    std::uint64_t time = lane.start_ns(), task = 0;
    int tasks = 0, args = 0, stacks = 0;
    for (int i = 0; i < static_cast<int>(lane.kinds().size()); ++i) {
        Record each;
        each.kind = static_cast<EventKind>(static_cast<unsigned char>(lane.kinds()[static_cast<std::size_t>(i)]));
        each.stamp = time += lane.time_deltas(i);
        const std::uint8_t columns = vocabulary::columns_of(vocabulary::row(each.kind));
        if ((columns & vocabulary::subject_column) != 0)
            each.subject = task += static_cast<std::uint64_t>(lane.subject_deltas(tasks++));
        if ((columns & vocabulary::argument_column) != 0) each.argument = lane.arguments(args++);
        if ((columns & vocabulary::stack_column) != 0) each.stack = lane.stacks(stacks++);
        records.push_back(each);
    }
    EXPECT_EQ(tasks, lane.subject_deltas_size());
    EXPECT_EQ(args, lane.arguments_size());
    EXPECT_EQ(stacks, lane.stacks_size());
    return records;
}

TEST(Encoder, RoundTrip) {
    const ClockMap clock(false);  // stamps are nanoseconds
    v2::Batch batch;
    LaneEncoder lane(batch, 3, clock, 0);
    const std::vector<Record> records = {
        record(EventKind::loop_started, 1000, 1),
        record(EventKind::task_created, 1010, 7, 0, 4),
        record(EventKind::poll_begin, 1020, 0),
        record(EventKind::poll_end, 1030, 0, 2),
        record(EventKind::step_begin, 1040, 7),
        record(EventKind::step_end, 1050, 7, 1, 9),
        record(EventKind::task_ready, 1060, 2, 7),
        record(EventKind::callback_begin, 1070, 0, 0, 11),
        record(EventKind::callback_end, 5'000'001'070, 0),
        record(EventKind::task_done, 5'000'001'080, 7, 3),
    };
    lane.append(std::span(records).first(4));
    lane.append(std::span(records).subspan(4));
    ASSERT_EQ(batch.lanes_size(), 1);
    EXPECT_EQ(batch.lanes(0).thread(), 3u);
    const std::vector<Record> decoded = decode(batch.lanes(0));
    ASSERT_EQ(decoded.size(), records.size());
    for (std::size_t i = 0; i < records.size(); ++i) {
        EXPECT_EQ(decoded[i].kind, records[i].kind) << i;
        EXPECT_EQ(decoded[i].stamp, records[i].stamp) << i;
        EXPECT_EQ(decoded[i].subject, records[i].subject) << i;
        EXPECT_EQ(decoded[i].argument, records[i].argument) << i;
        EXPECT_EQ(decoded[i].stack, records[i].stack) << i;
    }
    EXPECT_EQ(lane.events(), records.size());
}

TEST(Encoder, TimesNeverGoBack) {
    const ClockMap clock(false);
    v2::Batch batch;
    LaneEncoder lane(batch, 1, clock, 2000);
    const std::vector<Record> records = {record(EventKind::poll_begin, 1990, 0), record(EventKind::poll_begin, 2100, 0),
                                         record(EventKind::poll_begin, 2050, 0)};
    lane.append(records);
    EXPECT_EQ(batch.lanes(0).start_ns(), 2000u);
    const auto decoded = decode(batch.lanes(0));
    EXPECT_EQ(decoded[0].stamp, 2000u);
    EXPECT_EQ(decoded[2].stamp, 2100u);
    EXPECT_EQ(lane.last_ns(), 2100u);
}

TEST(Encoder, GapsAreToldApart) {
    const ClockMap clock(false);
    v2::Batch batch;
    LaneEncoder lane(batch, 5, clock, 0);
    Record gap = record(EventKind::gap, 300, 100, 42);
    const std::vector<Record> records = {record(EventKind::poll_begin, 90, 0), gap,
                                         record(EventKind::poll_begin, 310, 0)};
    lane.append(records);
    ASSERT_EQ(batch.gaps_size(), 1);
    EXPECT_EQ(batch.gaps(0).count(), 42u);
    EXPECT_EQ(batch.gaps(0).first_ns(), 100u);
    EXPECT_EQ(batch.gaps(0).last_ns(), 300u);
    EXPECT_EQ(batch.gaps(0).thread(), 5u);
    EXPECT_EQ(decode(batch.lanes(0)).size(), 2u);
}

}  // namespace
}  // namespace coroscope::debug
