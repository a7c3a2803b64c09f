// Packs records into the columns of a Batch. About 10 ns an event, before serialisation.
#pragma once

#include <cstdint>
#include <span>

#include "clock_map.hpp"
#include "runtime/src/probe/record.hpp"

namespace coroscope::v2 {
class Batch;
class Lane;
}  // namespace coroscope::v2

namespace coroscope::debug {

// Appends records of one thread to a batch. Times within a lane never go back.
class LaneEncoder {
public:
    LaneEncoder(v2::Batch& batch, std::uint32_t thread, const ClockMap& clock, std::uint64_t not_before_ns) noexcept
        : batch_(batch), thread_(thread), clock_(clock), last_ns_(not_before_ns) {}

    void append(std::span<const probe::Record> records);
    std::uint64_t last_ns() const noexcept { return last_ns_; }
    std::size_t events() const noexcept { return events_; }

private:
    void append_run(std::span<const probe::Record> records);
    void append_gap(const probe::Record& record);

    v2::Batch& batch_;
    std::uint32_t thread_;
    const ClockMap& clock_;
    v2::Lane* lane_ = nullptr;
    std::uint64_t last_ns_;
    std::uint64_t last_subject_ = 0;
    std::size_t events_ = 0;
};

}  // namespace coroscope::debug
