// The 32-byte record of one event. std only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "coroscope/emit.h"
#include "coroscope/vocabulary.hpp"

namespace coroscope::probe {

using vocabulary::EventKind;

// `subject` and `argument` mean what the kind's row of the vocabulary says.
// EventKind::gap, in rings only: subject = stamp of the first lost event, argument = how many, stamp = of the last.
// The slots of a ring are cs_records, so a Record may alias them.
struct [[gnu::may_alias]] Record {
    std::uint64_t stamp = 0;  // raw clock, see clock.hpp
    std::uint64_t subject = 0;
    std::uint64_t argument = 0;
    std::uint32_t stack = 0;  // node id
    EventKind kind = EventKind::none;
    std::uint8_t reserved[3] = {};
};
static_assert(sizeof(Record) == 32 && std::is_trivially_copyable_v<Record>);
static_assert(sizeof(cs_record) == sizeof(Record) && alignof(cs_record) == alignof(Record));
static_assert(offsetof(cs_record, stamp) == offsetof(Record, stamp));
static_assert(offsetof(cs_record, subject) == offsetof(Record, subject));
static_assert(offsetof(cs_record, argument) == offsetof(Record, argument));
static_assert(offsetof(cs_record, stack) == offsetof(Record, stack));
static_assert(offsetof(cs_record, kind) == offsetof(Record, kind));

}  // namespace coroscope::probe
