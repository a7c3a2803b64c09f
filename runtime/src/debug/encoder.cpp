#include "encoder.hpp"

#include <algorithm>

#include "coroscope/v2/events.pb.h"

namespace coroscope::debug {

namespace {

using probe::EventKind;
using namespace vocabulary;

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
    gap.set_count(record.argument);
    gap.set_first_ns(clock_.ns(record.subject));
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
    std::int64_t* subject = grow(*lane_->mutable_subject_deltas(), count);
    std::uint64_t* argument = grow(*lane_->mutable_arguments(), count);
    std::uint32_t* stack = grow(*lane_->mutable_stacks(), count);
    std::uint64_t last_ns = last_ns_;
    std::uint64_t last_subject = last_subject_;
    for (const probe::Record& record : records) {
        const std::uint8_t bits = columns_by_kind[static_cast<std::uint8_t>(record.kind)];
        *kind++ = static_cast<char>(record.kind);
        const std::uint64_t now = std::max(last_ns, clock_.ns(record.stamp));
        *delta++ = now - last_ns;
        last_ns = now;
        // Written always, kept if the kind has the column: cheaper than a branch that nobody can predict.
        *subject = static_cast<std::int64_t>(record.subject - last_subject);
        if ((bits & subject_column) != 0) {
            last_subject = record.subject;
            ++subject;
        }
        *argument = record.argument;
        argument += (bits & argument_column) != 0 ? 1 : 0;
        *stack = record.stack;
        stack += (bits & stack_column) != 0 ? 1 : 0;
    }
    last_ns_ = last_ns;
    last_subject_ = last_subject;
    events_ += records.size();
    cut<std::int64_t>(*lane_->mutable_subject_deltas(), subject);
    cut<std::uint64_t>(*lane_->mutable_arguments(), argument);
    cut<std::uint32_t>(*lane_->mutable_stacks(), stack);
}

}  // namespace coroscope::debug
