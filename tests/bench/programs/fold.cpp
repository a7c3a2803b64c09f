// How fast a model folds: batches as an app would send them, parsed beforehand, and parsed from bytes in the same loop.
// Acceptance: 5 million events/s on one core.
#include <benchmark/benchmark.h>
#include <malloc.h>

#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "agent/model/session.hpp"
#include "agent/trace/file_frames.hpp"
#include "agent/trace/indexed_writer.hpp"
#include "coroscope/v2/events.pb.h"
#include "coroscope/v2/keyframe.pb.h"
#include "coroscope/v2/session.pb.h"

namespace {

using namespace coroscope;

// Writes columns; the caller says what happens.
class Stream {
public:
    explicit Stream(std::size_t events_per_batch) : per_batch_(events_per_batch) { begin_batch(); }

    void event(vocabulary::EventKind kind) {
        if (lane_->kinds().size() >= per_batch_) begin_batch();
        lane_->mutable_kinds()->push_back(static_cast<char>(kind));
        lane_->add_time_deltas(80 + events_ % 50);
        now_ns_ += 80 + events_ % 50;
        ++events_;
    }
    void task(vocabulary::EventKind kind, std::uint64_t id) {
        event(kind);
        lane_->add_subject_deltas(static_cast<std::int64_t>(id - task_));
        task_ = id;
    }
    void task(vocabulary::EventKind kind, std::uint64_t id, std::uint64_t arg) {
        task(kind, id);
        lane_->add_arguments(arg);
    }
    void task(vocabulary::EventKind kind, std::uint64_t id, std::uint64_t arg, std::uint32_t stack) {
        task(kind, id, arg);
        lane_->add_stacks(stack);
    }
    void poll(std::uint64_t found) {
        event(vocabulary::EventKind::poll_begin);
        event(vocabulary::EventKind::poll_end);
        lane_->add_arguments(found);
    }
    void loop_started(std::uint64_t id) {
        event(vocabulary::EventKind::loop_started);
        lane_->add_subject_deltas(static_cast<std::int64_t>(id - task_));
        task_ = id;
    }
    std::uint64_t events() const { return events_; }
    const std::vector<v2::Batch>& batches() const { return batches_; }

private:
    void begin_batch() {
        batches_.emplace_back();
        batches_.back().set_sequence(batches_.size());
        lane_ = batches_.back().add_lanes();
        lane_->set_thread(1);
        lane_->set_start_ns(now_ns_);
        task_ = 0;
    }

    std::size_t per_batch_;
    std::vector<v2::Batch> batches_;
    v2::Lane* lane_ = nullptr;
    std::uint64_t now_ns_ = 1'000'000, events_ = 0, task_ = 0;
};

constexpr std::size_t per_batch = 8192;
constexpr std::uint64_t wanted_events = 2'000'000;

// Tasks that are created, run once and end: what spawning costs.
const Stream& spawn_and_join() {
    static const Stream stream = [] {
        Stream s(per_batch);
        s.loop_started(1);
        s.task(vocabulary::EventKind::task_created, 1, 0, 1);
        for (std::uint64_t id = 2; s.events() < wanted_events; ++id) {
            s.task(vocabulary::EventKind::step_begin, 1);
            s.task(vocabulary::EventKind::task_created, id, 1, 3);
            s.task(vocabulary::EventKind::step_end, 1, vocabulary::pack_wait(vocabulary::Verb::join, id), 4);
            s.task(vocabulary::EventKind::step_begin, id);
            s.task(vocabulary::EventKind::task_done, id, 1);
            s.task(vocabulary::EventKind::task_ready, 1, id);
            s.task(vocabulary::EventKind::step_end, id, vocabulary::pack_wait(vocabulary::Verb::finished), 0);
            if (id % 30 == 0) s.poll(0);
        }
        return s;
    }();
    return stream;
}

// `tasks` live tasks that wake each other, in no order that a cache would like.
const Stream& ping_pong(std::uint64_t tasks) {
    static std::vector<std::pair<std::uint64_t, Stream>> made;
    for (const auto& [count, stream] : made)
        if (count == tasks) return stream;
    Stream s(per_batch);
    s.loop_started(1);
    for (std::uint64_t id = 1; id <= tasks; ++id) {
        s.task(vocabulary::EventKind::task_created, id, 0, 1);
        s.task(vocabulary::EventKind::step_begin, id);
        s.task(vocabulary::EventKind::step_end, id, vocabulary::pack_wait(vocabulary::Verb::get), 4);
    }
    std::uint64_t state = 88172645463325252u;
    for (std::uint64_t i = 0; s.events() < wanted_events + 3 * tasks; ++i) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        const std::uint64_t id = 1 + state % tasks;
        s.task(vocabulary::EventKind::task_ready, id, 0);
        s.task(vocabulary::EventKind::step_begin, id);
        s.task(vocabulary::EventKind::step_end, id, vocabulary::pack_wait(vocabulary::Verb::get, 5), 4);
        if (i % 30 == 0) s.poll(1);
    }
    made.emplace_back(tasks, std::move(s));
    return made.back().second;
}

void fold_parsed(benchmark::State& state, const Stream& stream) {
    for (auto _ : state) {
        model::Model model;
        for (const v2::Batch& batch : stream.batches()) model.apply(batch);
        if (model.anomalies() != 0 || model.events() != stream.events())
            state.SkipWithError("the stream makes no sense");
    }
    state.SetItemsProcessed(static_cast<std::int64_t>(stream.events()) * state.iterations());
}

void fold_bytes(benchmark::State& state, const Stream& stream) {
    std::vector<v2::Frame> frames(1);
    frames[0].set_app(1);
    frames[0].mutable_hello()->set_name("bench");
    std::size_t bytes = 0;
    for (const v2::Batch& batch : stream.batches()) {
        frames.emplace_back().set_app(1);
        frames.back().set_batch(batch.SerializeAsString());
        bytes += frames.back().batch().size();
    }
    for (auto _ : state) {
        model::Session session;
        for (const v2::Frame& frame : frames) session.apply(frame);
        if (session.app(1)->model.events() != stream.events()) state.SkipWithError("the stream makes no sense");
    }
    state.SetItemsProcessed(static_cast<std::int64_t>(stream.events()) * state.iterations());
    state.counters["bytes_per_event"] = static_cast<double>(bytes) / static_cast<double>(stream.events());
}

void parse_only(benchmark::State& state, const Stream& stream) {
    std::vector<std::string> all;
    for (const v2::Batch& batch : stream.batches()) all.push_back(batch.SerializeAsString());
    v2::Batch parsed;
    for (auto _ : state)
        for (const std::string& bytes : all) benchmark::DoNotOptimize(parsed.ParseFromString(bytes));
    state.SetItemsProcessed(static_cast<std::int64_t>(stream.events()) * state.iterations());
}

void BM_fold_spawn_and_join(benchmark::State& state) { fold_parsed(state, spawn_and_join()); }
void BM_fold_ping_pong(benchmark::State& state) {
    fold_parsed(state, ping_pong(static_cast<std::uint64_t>(state.range(0))));
}
void BM_parse_only(benchmark::State& state) { parse_only(state, ping_pong(1000)); }
void BM_parse_and_fold_spawn_and_join(benchmark::State& state) { fold_bytes(state, spawn_and_join()); }
void BM_parse_and_fold_ping_pong(benchmark::State& state) {
    fold_bytes(state, ping_pong(static_cast<std::uint64_t>(state.range(0))));
}

// A keyframe of 100,000 tasks and 200,000 slices, as the agent makes one for a late subscriber.
model::Model big_model() {
    model::Limits limits;
    limits.slices = limits.iterations = 200'000;
    model::Model model(limits);
    for (const v2::Batch& batch : ping_pong(100'000).batches()) model.apply(batch);
    return model;
}
void BM_save_keyframe(benchmark::State& state) {
    const model::Model model = big_model();
    std::size_t bytes = 0;
    for (auto _ : state) {
        v2::Keyframe keyframe;
        model.save_keyframe(keyframe);
        bytes = keyframe.SerializeAsString().size();
    }
    state.counters["bytes"] = static_cast<double>(bytes);
}
void BM_load_keyframe(benchmark::State& state) {
    v2::Keyframe saved;
    big_model().save_keyframe(saved);
    const std::string bytes = saved.SerializeAsString();
    for (auto _ : state) {
        v2::Keyframe keyframe;
        model::Model model;
        if (!keyframe.ParseFromString(bytes) || !model.load_keyframe(keyframe)) state.SkipWithError("refused");
    }
}

// A recording of 10 million events of a thousand tasks, as the agent's recorder writes it.
class RecordedFile {
public:
    RecordedFile() : path_(std::filesystem::temp_directory_path() / ("coroscope-bench-" + std::to_string(::getpid()))) {
        trace::IndexedWriter writer(path_.string());
        v2::Frame frame;
        frame.set_app(1);
        frame.mutable_hello()->set_name("bench");
        writer.append(frame);
        const std::vector<v2::Batch>& batches = ping_pong(1'000).batches();
        const std::uint64_t length_ns = batches.back().lanes(0).start_ns();
        std::uint64_t sequence = 0;
        for (std::uint64_t round = 0; round < 5; ++round) {
            for (const v2::Batch& original : batches) {
                if (round > 0 && &original == &batches.front()) continue;  // it creates the tasks
                v2::Batch batch = original;
                batch.set_sequence(++sequence);
                batch.mutable_lanes(0)->set_start_ns(original.lanes(0).start_ns() + round * length_ns);
                last_ns = batch.lanes(0).start_ns();
                frame.set_batch(batch.SerializeAsString());
                writer.append(frame);
            }
        }
        writer.finish();
        bytes = writer.bytes();
        keyframe_bytes = writer.keyframe_bytes();
        keyframes = writer.keyframe_blocks();
    }
    ~RecordedFile() { std::filesystem::remove(path_); }
    std::string path() const { return path_.string(); }

    std::uint64_t last_ns = 0, bytes = 0, keyframe_bytes = 0, keyframes = 0;

private:
    std::filesystem::path path_;
};

const RecordedFile& recorded_file() {
    static const RecordedFile file;
    return file;
}

// The first look at a file: its index, its keyframes' times, and the state at some moment.
void BM_history_open(benchmark::State& state) {
    const RecordedFile& file = recorded_file();
    for (auto _ : state) {
        trace::Reader reader(file.path());
        trace::FileFrames frames(reader);
        model::History history(frames);
        if (history.at(1, file.last_ns / 3) == nullptr) state.SkipWithError("the file makes no sense");
    }
    state.counters["file_bytes"] = static_cast<double>(file.bytes);
    state.counters["keyframes"] = static_cast<double>(file.keyframes);
    state.counters["keyframe_percent"] =
        100 * static_cast<double>(file.keyframe_bytes) / static_cast<double>(file.bytes);
}

// From anywhere to anywhere.
void BM_history_seek(benchmark::State& state) {
    const RecordedFile& file = recorded_file();
    trace::Reader reader(file.path());
    trace::FileFrames frames(reader);
    model::History history(frames);
    std::uint64_t random = 88172645463325252u;
    for (auto _ : state) {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        benchmark::DoNotOptimize(history.at(1, random % file.last_ns));
    }
}

// Ten milliseconds on, as a cursor that is dragged.
void BM_history_forwards(benchmark::State& state) {
    const RecordedFile& file = recorded_file();
    trace::Reader reader(file.path());
    trace::FileFrames frames(reader);
    model::History history(frames);
    std::uint64_t t_ns = 0;
    for (auto _ : state) {
        t_ns = (t_ns + 10'000'000) % file.last_ns;
        benchmark::DoNotOptimize(history.at(1, t_ns));
    }
}

BENCHMARK(BM_fold_spawn_and_join)->Unit(benchmark::kMillisecond);
BENCHMARK(BM_fold_ping_pong)->Arg(10)->Arg(1'000)->Arg(100'000)->Arg(1'000'000)->Unit(benchmark::kMillisecond);
BENCHMARK(BM_parse_only)->Unit(benchmark::kMillisecond);
BENCHMARK(BM_parse_and_fold_spawn_and_join)->Unit(benchmark::kMillisecond);
BENCHMARK(BM_parse_and_fold_ping_pong)->Arg(1'000)->Unit(benchmark::kMillisecond);
BENCHMARK(BM_save_keyframe)->Unit(benchmark::kMillisecond);
BENCHMARK(BM_load_keyframe)->Unit(benchmark::kMillisecond);
BENCHMARK(BM_history_open)->Unit(benchmark::kMillisecond);
BENCHMARK(BM_history_seek)->Unit(benchmark::kMillisecond);
BENCHMARK(BM_history_forwards)->Unit(benchmark::kMillisecond);

}  // namespace

int main(int argc, char** argv) {
    // Memory that one iteration frees is the next one's: whether the top of the heap goes back to the kernel in between
    // depends on the sizes of unrelated blocks, and changes a row by a factor of four.
    mallopt(M_TRIM_THRESHOLD, 1 << 30);
    mallopt(M_MMAP_THRESHOLD, 1 << 30);
    benchmark::Initialize(&argc, argv);
    benchmark::RunSpecifiedBenchmarks();
    return 0;
}
