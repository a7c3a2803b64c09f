// Reads the columns of a batch's lanes and hands their events to the fold, in order of time over all lanes.
//
// Lanes that overlap in time are merged: a task that one thread creates and another wakes is then seen in that order.
// With one lane, the usual case, nothing is compared. A gap of a thread takes effect between its lane's events.
#include <algorithm>
#include <array>

#include "fold.hpp"

namespace coroscope::model {

namespace {

enum Column : std::uint8_t { task_column = 1, arg_column = 2, stack_column = 4, unknown_kind = 128 };

// Which columns an event of a kind takes an entry from: the table of EventKind in events.proto.
constexpr std::array<std::uint8_t, 256> columns_of_kinds() {
    std::array<std::uint8_t, 256> columns{};
    for (auto& each : columns) each = unknown_kind;
    for (const int kind : {v2::TASK_CREATED, v2::STEP_END, v2::CANCEL_REQUESTED, v2::SNAPSHOT_TASK, v2::SNAPSHOT_STATE})
        columns[static_cast<std::size_t>(kind)] = task_column | arg_column | stack_column;
    for (const int kind : {v2::TASK_NAMED, v2::TASK_READY, v2::TASK_DONE})
        columns[static_cast<std::size_t>(kind)] = task_column | arg_column;
    for (const int kind : {v2::STEP_BEGIN, v2::JOB_BEGIN, v2::JOB_END})
        columns[static_cast<std::size_t>(kind)] = task_column;
    for (const int kind : {v2::LOOP_STARTED, v2::LOOP_STOPPED, v2::POLL_END, v2::SNAPSHOT_BEGIN, v2::SNAPSHOT_END})
        columns[static_cast<std::size_t>(kind)] = arg_column;
    for (const int kind : {v2::POLL_BEGIN, v2::CALLBACK_END}) columns[static_cast<std::size_t>(kind)] = 0;
    columns[v2::CALLBACK_BEGIN] = stack_column;
    return columns;
}
constexpr std::array<std::uint8_t, 256> kind_columns = columns_of_kinds();

template <typename T>
struct Reader {
    const T* at = nullptr;
    const T* end = nullptr;

    explicit Reader(const google::protobuf::RepeatedField<T>& column)
        : at(column.data()), end(column.data() + column.size()) {}
    // A column shorter than the kinds say gives zeros and is told by `short_column`.
    T next(bool& short_column) {
        if (at == end) [[unlikely]] {
            short_column = true;
            return 0;
        }
        return *at++;
    }
};

}  // namespace

class Model::Fold::Lane {
public:
    Lane(const v2::Lane& lane, ThreadEntry& thread)
        : on(&thread),
          kinds_(lane.kinds().data()),
          kinds_end_(kinds_ + lane.kinds().size()),
          time_deltas_(lane.time_deltas()),
          task_deltas_(lane.task_deltas()),
          args_(lane.args()),
          stacks_(lane.stacks()),
          time_ns_(lane.start_ns()) {
        advance();
    }

    bool at_end() const { return ended_; }
    std::uint64_t time_ns() const { return time_ns_; }
    std::uint8_t kind() const { return static_cast<std::uint8_t>(*kinds_); }
    // The columns of the event that stands next; in this order, each once, if its kind takes it.
    TaskId task() { return task_ += static_cast<std::uint64_t>(task_deltas_.next(short_column_)); }
    std::uint64_t arg() { return args_.next(short_column_); }
    NodeId stack() { return stacks_.next(short_column_); }
    bool short_column() const { return short_column_; }
    // On to the next event.
    void next() {
        ++kinds_;
        advance();
    }

    ThreadEntry* on;
    std::vector<const v2::Gap*> gaps;  // of its thread, the next one last

private:
    void advance() {
        ended_ = kinds_ == kinds_end_ || short_column_;
        if (ended_) return;
        const std::uint64_t delta_ns = time_deltas_.next(short_column_);
        time_ns_ += std::min(delta_ns, ~time_ns_);  // saturates
        ended_ = short_column_;
    }

    const char* kinds_;
    const char* kinds_end_;
    Reader<std::uint64_t> time_deltas_;
    Reader<std::int64_t> task_deltas_;
    Reader<std::uint64_t> args_;
    Reader<std::uint32_t> stacks_;
    std::uint64_t time_ns_;
    TaskId task_ = 0;
    bool short_column_ = false;
    bool ended_ = false;
};

void Model::Fold::apply_lanes(const v2::Batch& batch) {
    std::vector<Lane> lanes;
    lanes.reserve(static_cast<std::size_t>(batch.lanes_size()));
    std::unordered_map<std::uint32_t, std::size_t> lane_of_thread;
    for (const v2::Lane& lane : batch.lanes()) {
        if (batch.gaps_size() != 0) lane_of_thread.try_emplace(lane.thread(), lanes.size());
        lanes.emplace_back(lane, thread(lane.thread()));
    }
    std::vector<const v2::Gap*> other_gaps;
    for (int i = batch.gaps_size(); i-- > 0;) {
        const auto lane = lane_of_thread.find(batch.gaps(i).thread());
        (lane == lane_of_thread.end() ? other_gaps : lanes[lane->second].gaps).push_back(&batch.gaps(i));
    }

    // Runs the lane that is behind until it has passed the one that is behind next.
    const auto later = [&](std::size_t a, std::size_t b) {
        return lanes[a].time_ns() != lanes[b].time_ns() ? lanes[a].time_ns() > lanes[b].time_ns() : a > b;
    };
    std::vector<std::size_t> waiting(lanes.size());
    for (std::size_t i = 0; i < waiting.size(); ++i) waiting[i] = i;
    std::make_heap(waiting.begin(), waiting.end(), later);
    while (!waiting.empty()) {
        std::pop_heap(waiting.begin(), waiting.end(), later);
        Lane& lane = lanes[waiting.back()];
        const std::uint64_t until_ns = waiting.size() > 1 ? lanes[waiting.front()].time_ns() : ~std::uint64_t{0};
        if (run(lane, until_ns)) {
            std::push_heap(waiting.begin(), waiting.end(), later);
            continue;
        }
        waiting.pop_back();
        for (; !lane.gaps.empty(); lane.gaps.pop_back()) apply_gap(*lane.on, *lane.gaps.back());
        if (lane.short_column()) ++anomalies;
    }
    for (; !other_gaps.empty(); other_gaps.pop_back())
        apply_gap(thread(other_gaps.back()->thread()), *other_gaps.back());
}

// Events up to and including `until_ns`. False: the lane has no more.
bool Model::Fold::run(Lane& lane, std::uint64_t until_ns) {
    ThreadEntry& on = *lane.on;
    while (!lane.at_end()) {
        if (lane.time_ns() > until_ns) return true;
        if (!lane.gaps.empty() && lane.time_ns() > lane.gaps.back()->first_ns()) [[unlikely]] {
            apply_gap(on, *lane.gaps.back());
            lane.gaps.pop_back();
            continue;
        }
        on.last_ns = std::max(on.last_ns, lane.time_ns());
        saw(on.last_ns);
        const std::uint8_t kind = lane.kind();
        const std::uint8_t columns = kind_columns[kind];
        // An unknown kind takes unknown columns: nothing after it can be read.
        if (columns == unknown_kind) [[unlikely]] {
            ++anomalies;
            return false;
        }
        Event event;
        if ((columns & task_column) != 0) event.task = lane.task();
        if ((columns & arg_column) != 0) event.arg = lane.arg();
        if ((columns & stack_column) != 0) event.stack = lane.stack();
        if (lane.short_column()) [[unlikely]]
            return false;
        ++events;
        apply_event(on, on.last_ns, kind, event);
        lane.next();
    }
    return false;
}

void Model::Fold::apply_event(ThreadEntry& on, std::uint64_t time_ns, std::uint8_t kind, const Event& event) {
    switch (kind) {
        case v2::TASK_CREATED: return created(on, time_ns, event.task, event.arg, event.stack);
        case v2::TASK_NAMED: return named(on, time_ns, event.task, event.arg);
        case v2::TASK_READY: return ready(on, time_ns, event.task, event.arg);
        case v2::STEP_BEGIN: return step_begin(on, time_ns, event.task);
        case v2::STEP_END: return step_end(on, time_ns, event.task, event.arg, event.stack);
        case v2::TASK_DONE: return done(on, time_ns, event.task, event.arg);
        case v2::CANCEL_REQUESTED: return cancel_requested(on, time_ns, event.task, event.arg, event.stack);
        case v2::LOOP_STARTED: return loop_started(on, time_ns, event.arg);
        case v2::LOOP_STOPPED: return loop_stopped(on, time_ns, event.arg);
        case v2::POLL_BEGIN: return poll_begin(on, time_ns);
        case v2::POLL_END: return poll_end(on, time_ns, event.arg);
        case v2::CALLBACK_BEGIN: return callback_begin(on, time_ns, event.stack);
        case v2::CALLBACK_END: return callback_end(on, time_ns);
        case v2::SNAPSHOT_BEGIN: return snapshot_begin(on, event.arg);
        case v2::SNAPSHOT_TASK: return snapshot_task(on, time_ns, event.task, event.arg, event.stack);
        case v2::SNAPSHOT_STATE: return snapshot_state(on, time_ns, event.task, event.arg, event.stack);
        case v2::SNAPSHOT_END: return snapshot_end(on, time_ns, event.arg);
        default: return;  // jobs: the task that waits says so itself
    }
}

}  // namespace coroscope::model
