// What the emitter pays an event: records out of a ring, packed into a batch's columns, serialised.
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "coroscope/v2/events.pb.h"
#include "runtime/src/debug/clock_map.hpp"
#include "runtime/src/debug/encoder.hpp"

namespace {

using namespace coroscope;
using probe::EventKind;
using probe::Record;

constexpr std::size_t records_per_batch = 8192;
constexpr std::uint64_t tasks = 1000;

Record record(EventKind kind, std::uint64_t task, std::uint64_t arg = 0, std::uint32_t stack = 0) {
    Record made;
    made.kind = kind;
    made.subject = task;
    made.argument = arg;
    made.stack = stack;
    return made;
}

// Iterations of 16 steps of tasks that are woken, run and wait again. `short_lived`: each step is a task's only one.
std::vector<Record> make_records(bool short_lived) {
    std::vector<Record> records;
    probe::Stamp stamp = probe::stamp_now();
    std::uint64_t next = 0;
    const auto add = [&](Record made, std::uint64_t later) {
        made.stamp = stamp += later;
        records.push_back(made);
    };
    while (records.size() + 100 < records_per_batch) {
        add(record(EventKind::poll_begin, 0), 60);
        add(record(EventKind::poll_end, 0, 16), 8000);
        for (std::uint64_t i = 0; i < 16; ++i) {
            const std::uint64_t task = short_lived ? next + i + 1 : (next + i) % tasks + 1;
            add(short_lived ? record(EventKind::task_created, task, 1, 2) : record(EventKind::task_ready, task), 120);
        }
        for (std::uint64_t i = 0; i < 16; ++i) {
            const std::uint64_t task = short_lived ? ++next : next++ % tasks + 1;
            const std::uint64_t waits = vocabulary::pack_wait(vocabulary::Verb::descriptor_read, task % 100);
            add(record(EventKind::step_begin, task), 90);
            if (short_lived) add(record(EventKind::task_done, task, 1), 2500);
            add(record(EventKind::step_end, task, short_lived ? 0 : waits, short_lived ? 0 : 3), 300);
        }
    }
    return records;
}

void encode(benchmark::State& state, bool short_lived) {
    probe::stamps_are_ticks = true;
    const debug::ClockMap clock(probe::stamps_are_ticks);
    const std::vector<Record> records = make_records(short_lived);
    v2::Batch batch;  // reused, as the emitter does
    std::size_t bytes = 0;
    for (auto _ : state) {
        batch.Clear();
        debug::LaneEncoder lane(batch, 1, clock, 0);
        lane.append(records);
        std::string serialised;
        batch.SerializeToString(&serialised);
        bytes = serialised.size();
        benchmark::DoNotOptimize(serialised.data());
    }
    const auto count = static_cast<double>(records.size());
    state.counters["events"] =
        benchmark::Counter(count * static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
    state.counters["bytes_per_event"] = static_cast<double>(bytes) / count;
}

BENCHMARK_CAPTURE(encode, steps, false);
BENCHMARK_CAPTURE(encode, short_lived, true);

}  // namespace

BENCHMARK_MAIN();
