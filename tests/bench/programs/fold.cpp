// Events a second of the fold, on one core: batches as an app's emitter makes them, parsed before or parsed as well.
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "agent/model/model.hpp"
#include "coroscope/v1/events.pb.h"

namespace {

using namespace coroscope;

constexpr std::size_t events_per_batch = 8192;
constexpr std::size_t batches_made = 256;

// Writes events of one thread in columns, as the wire has them.
class LaneWriter {
public:
    explicit LaneWriter(v1::Lane& lane, std::uint64_t start_ns) : lane_(lane) {
        lane.set_thread(1);
        lane.set_start_ns(start_ns);
    }
    void add(v1::EventKind kind, std::uint64_t delta_ns) {
        lane_.mutable_kinds()->push_back(static_cast<char>(kind));
        lane_.add_time_deltas(delta_ns);
    }
    void task(std::uint64_t id) {
        lane_.add_task_deltas(static_cast<std::int64_t>(id - last_task_));
        last_task_ = id;
    }
    void arg(std::uint64_t value) { lane_.add_args(value); }
    void stack(std::uint32_t node) { lane_.add_stacks(node); }
    std::size_t size() const { return lane_.kinds().size(); }

private:
    v1::Lane& lane_;
    std::uint64_t last_task_ = 0;
};

void define(v1::Batch& batch) {
    for (std::uint32_t id = 1; id <= 3; ++id) {
        v1::Site& site = *batch.add_sites();
        site.set_id(id);
        site.set_function("work");
        site.set_file("work.cpp");
        site.set_line(10 * id);
    }
    const auto node = [&](std::uint32_t id, std::uint32_t parent, std::uint32_t site, v1::StackNode::Kind kind) {
        v1::StackNode& stack = *batch.add_stacks();
        stack.set_id(id);
        stack.set_parent(parent);
        stack.set_site(site);
        stack.set_kind(kind);
    };
    node(1, 0, 1, v1::StackNode::CALL);
    node(2, 1, 2, v1::StackNode::TASK);
    node(3, 2, 3, v1::StackNode::CALL);
    v1::Thread& thread = *batch.add_threads();
    thread.set_id(1);
    thread.set_tid(1);
}

// A server's stream: tasks that are woken, run and wait again, in iterations of 16 steps; `lifetime` steps after which
// a task is done and another one made (0: never).
class Stream {
public:
    explicit Stream(std::uint64_t lifetime) : lifetime_(lifetime) {}

    v1::Batch next() {
        v1::Batch batch;
        batch.set_sequence(++sequence_);
        if (sequence_ == 1) define(batch);
        LaneWriter lane(*batch.add_lanes(), now_ns_);
        if (sequence_ == 1) begin(lane);
        while (lane.size() < events_per_batch) iteration(lane);
        for (const std::uint64_t delta : batch.lanes(0).time_deltas()) now_ns_ += delta;
        events_ += lane.size();
        return batch;
    }
    std::uint64_t events() const { return events_; }

private:
    static constexpr std::size_t tasks = 1000;

    void begin(LaneWriter& lane) {
        lane.add(v1::LOOP_STARTED, 10);
        lane.arg(1);
        for (std::size_t i = 0; i < tasks; ++i) create(lane, i);
    }
    void create(LaneWriter& lane, std::size_t at) {
        live_[at] = {++last_task_, 0};
        lane.add(v1::TASK_CREATED, 40);
        lane.task(last_task_);
        lane.arg(0);
        lane.stack(2);
    }
    void iteration(LaneWriter& lane) {
        lane.add(v1::POLL_BEGIN, 20);
        lane.add(v1::POLL_END, 3000);
        lane.arg(16);
        for (int i = 0; i < 16; ++i) {
            lane.add(v1::TASK_READY, 50);
            lane.task(live_[(next_ + static_cast<std::size_t>(i)) % tasks].id);
            lane.arg(0);
        }
        for (int i = 0; i < 16; ++i) step(lane);
    }
    void step(LaneWriter& lane) {
        const std::size_t at = next_++ % tasks;
        Live& task = live_[at];
        lane.add(v1::STEP_BEGIN, 30);
        lane.task(task.id);
        const bool ends = lifetime_ != 0 && ++task.steps == lifetime_;
        if (ends) {
            lane.add(v1::TASK_DONE, 900);
            lane.task(task.id);
            lane.arg(v1::OUTCOME_OK);
        }
        lane.add(v1::STEP_END, 150);
        lane.task(task.id);
        lane.arg(ends ? 0 : (at << 4 | v1::WAIT_READ));
        lane.stack(ends ? 0 : 3);
        if (ends) create(lane, at);
    }

    struct Live {
        std::uint64_t id = 0, steps = 0;
    };
    std::uint64_t lifetime_;
    std::uint64_t sequence_ = 0, now_ns_ = 1'000'000'000, last_task_ = 0, events_ = 0;
    std::size_t next_ = 0;
    std::vector<Live> live_ = std::vector<Live>(tasks);
};

struct Made {
    std::vector<v1::Batch> batches;
    std::vector<std::string> bytes;
    std::uint64_t events = 0;
};

Made make(std::uint64_t lifetime) {
    Stream stream(lifetime);
    Made made;
    for (std::size_t i = 0; i < batches_made; ++i) {
        made.batches.push_back(stream.next());
        made.bytes.push_back(made.batches.back().SerializeAsString());
    }
    made.events = stream.events();
    return made;
}

void count(benchmark::State& state, const Made& made) {
    const double events = static_cast<double>(made.events) * static_cast<double>(state.iterations());
    state.counters["events"] = benchmark::Counter(events, benchmark::Counter::kIsRate);
    std::size_t bytes = 0;
    for (const std::string& each : made.bytes) bytes += each.size();
    state.counters["bytes_per_event"] = static_cast<double>(bytes) / static_cast<double>(made.events);
}

// All of the stream, into a new model.
void apply(benchmark::State& state, std::uint64_t lifetime) {
    const Made made = make(lifetime);
    for (auto _ : state) {
        model::Model model;
        for (const v1::Batch& batch : made.batches) model.apply(batch);
        if (model.events() != made.events || model.anomalies() != 0) return state.SkipWithError("a wrong fold");
    }
    count(state, made);
}

void parse_and_apply(benchmark::State& state, std::uint64_t lifetime) {
    const Made made = make(lifetime);
    v1::Batch batch;  // reused, as Session does
    for (auto _ : state) {
        model::Model model;
        for (const std::string& bytes : made.bytes) {
            if (!batch.ParseFromString(bytes)) return state.SkipWithError("a batch does not parse");
            model.apply(batch);
        }
        if (model.events() != made.events) return state.SkipWithError("a wrong fold");
    }
    count(state, made);
}

BENCHMARK_CAPTURE(apply, steps, 0);
BENCHMARK_CAPTURE(apply, short_lived, 2);
BENCHMARK_CAPTURE(parse_and_apply, steps, 0);
BENCHMARK_CAPTURE(parse_and_apply, short_lived, 2);

}  // namespace

BENCHMARK_MAIN();
