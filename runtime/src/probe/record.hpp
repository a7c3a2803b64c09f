// The 32-byte record of one event. std only.
#pragma once

#include <cstdint>
#include <type_traits>

#include "coroscope/vocabulary.hpp"

namespace coroscope::probe {

using vocabulary::EventKind;

// `subject` and `argument` mean what the kind's row of the vocabulary says.
// EventKind::gap, in rings only: subject = stamp of the first lost event, argument = how many, stamp = of the last.
struct Record {
    std::uint64_t stamp = 0;  // raw clock, see clock.hpp
    std::uint64_t subject = 0;
    std::uint64_t argument = 0;
    std::uint32_t stack = 0;  // node id
    EventKind kind = EventKind::none;
    std::uint8_t reserved[3] = {};
};
static_assert(sizeof(Record) == 32 && std::is_trivially_copyable_v<Record>);

}  // namespace coroscope::probe
