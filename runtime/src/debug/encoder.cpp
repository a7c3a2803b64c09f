#include "encoder.hpp"

#include <algorithm>
#include <array>

#include "coroscope/v2/events.pb.h"

namespace coroscope::debug {

namespace {

using probe::EventKind;

constexpr std::uint8_t task_bit = 1, arg_bit = 2, stack_bit = 4;

constexpr std::array<std::uint8_t, 256> make_columns() {
    std::array<std::uint8_t, 256> columns{};
    const auto set = [&](EventKind kind, int bits) {
        columns[static_cast<std::uint8_t>(kind)] = static_cast<std::uint8_t>(bits);
    };
    set(EventKind::task_created, task_bit | arg_bit | stack_bit);
    set(EventKind::task_named, task_bit | arg_bit);
    set(EventKind::task_ready, task_bit | arg_bit);
    set(EventKind::step_begin, task_bit);
    set(EventKind::step_end, task_bit | arg_bit | stack_bit);
    set(EventKind::task_done, task_bit | arg_bit);
    set(EventKind::cancel_requested, task_bit | arg_bit | stack_bit);
    set(EventKind::loop_started, arg_bit);
    set(EventKind::loop_stopped, arg_bit);
    set(EventKind::poll_end, arg_bit);
    set(EventKind::callback_begin, stack_bit);
    set(EventKind::job_begin, task_bit);
    set(EventKind::job_end, task_bit);
    set(EventKind::snapshot_begin, arg_bit);
    set(EventKind::snapshot_task, task_bit | arg_bit | stack_bit);
    set(EventKind::snapshot_state, task_bit | arg_bit | stack_bit);
    set(EventKind::snapshot_end, arg_bit);
    return columns;
}

constexpr std::array<std::uint8_t, 256> columns = make_columns();

// Room for `more` at the end of a column, as a bare pointer: checking each append for room costs more than the append.
template <class T>
T* grow(google::protobuf::RepeatedField<T>& column, int more) {
    const int size = column.size();
    if (column.Capacity() < size + more) column.Reserve(std::max(size + more, 2 * size));
    column.AddNAlreadyReserved(more);
    return column.mutable_data() + size;
}

template <class T>
void cut(google::protobuf::RepeatedField<T>& column, const T* end) {
    column.Truncate(static_cast<int>(end - column.data()));
}

}  // namespace

Columns columns_of(EventKind kind) noexcept {
    const std::uint8_t bits = columns[static_cast<std::uint8_t>(kind)];
    return {(bits & task_bit) != 0, (bits & arg_bit) != 0, (bits & stack_bit) != 0};
}

void LaneEncoder::append(std::span<const probe::Record> records) {
    while (!records.empty()) {
        const auto gap = std::find_if(records.begin(), records.end(),
                                      [](const probe::Record& record) { return record.kind == EventKind::gap; });
        const auto count = static_cast<std::size_t>(gap - records.begin());
        if (count != 0) append_run(records.first(count));
        records = records.subspan(count);
        if (records.empty()) break;
        append_gap(records.front());
        records = records.subspan(1);
    }
}

void LaneEncoder::append_gap(const probe::Record& record) {
    v2::Gap& gap = *batch_.add_gaps();
    gap.set_thread(thread_);
    gap.set_count(record.arg);
    gap.set_first_ns(clock_.ns(record.task));
    gap.set_last_ns(clock_.ns(record.stamp));
}

void LaneEncoder::append_run(std::span<const probe::Record> records) {
    if (lane_ == nullptr) {
        lane_ = batch_.add_lanes();
        lane_->set_thread(thread_);
        last_ns_ = std::max(last_ns_, clock_.ns(records.front().stamp));
        lane_->set_start_ns(last_ns_);
    }
    const auto count = static_cast<int>(records.size());
    std::string& kinds = *lane_->mutable_kinds();
    const std::size_t before = kinds.size();
    kinds.resize(before + records.size());
    char* kind = kinds.data() + before;
    std::uint64_t* delta = grow(*lane_->mutable_time_deltas(), count);
    std::int64_t* task = grow(*lane_->mutable_task_deltas(), count);
    std::uint64_t* arg = grow(*lane_->mutable_args(), count);
    std::uint32_t* stack = grow(*lane_->mutable_stacks(), count);
    std::uint64_t last_ns = last_ns_;
    std::uint64_t last_task = last_task_;
    for (const probe::Record& record : records) {
        const std::uint8_t bits = columns[static_cast<std::uint8_t>(record.kind)];
        *kind++ = static_cast<char>(record.kind);
        const std::uint64_t now = std::max(last_ns, clock_.ns(record.stamp));
        *delta++ = now - last_ns;
        last_ns = now;
        // Written always, kept if the kind has the column: cheaper than a branch that nobody can predict.
        *task = static_cast<std::int64_t>(record.task - last_task);
        if ((bits & task_bit) != 0) {
            last_task = record.task;
            ++task;
        }
        *arg = record.arg;
        arg += (bits & arg_bit) != 0 ? 1 : 0;
        *stack = record.stack;
        stack += (bits & stack_bit) != 0 ? 1 : 0;
    }
    last_ns_ = last_ns;
    last_task_ = last_task;
    events_ += records.size();
    cut<std::int64_t>(*lane_->mutable_task_deltas(), task);
    cut<std::uint64_t>(*lane_->mutable_args(), arg);
    cut<std::uint32_t>(*lane_->mutable_stacks(), stack);
}

}  // namespace coroscope::debug
