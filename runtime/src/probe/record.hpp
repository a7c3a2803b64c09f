// The 32-byte record of one event, and the kinds there are. std only.
#pragma once

#include <cstdint>
#include <type_traits>

namespace coroscope::probe {

// Numbers and meanings are those of coroscope.v2.EventKind (proto/coroscope/v2/events.proto); a test compares them.
enum class EventKind : std::uint8_t {
    none = 0,
    task_created = 1,
    task_named = 2,
    task_ready = 3,
    step_begin = 4,
    step_end = 5,
    task_done = 6,
    cancel_requested = 7,
    loop_started = 8,
    loop_stopped = 9,
    poll_begin = 10,
    poll_end = 11,
    callback_begin = 12,
    callback_end = 13,
    job_begin = 14,
    job_end = 15,
    snapshot_begin = 16,
    snapshot_task = 17,
    snapshot_state = 18,
    snapshot_end = 19,
    gap = 255,  // ring only, becomes a Gap on the wire: task = stamp of the first lost event, arg = how many, stamp =
                // of the last
};

enum class Outcome : std::uint8_t { none = 0, ok = 1, error = 2, cancelled = 3 };

enum class WaitKind : std::uint8_t {
    unknown = 0,
    timer = 1,
    task = 2,
    read = 3,
    write = 4,
    thread = 5,
    future = 6,
    queue_get = 7,
    queue_put = 8,
    lock = 9,
    semaphore = 10,
    event = 11,
    yield = 12,
};

// What a suspended task waits on, as one integer: (operand << 4) | kind.
struct Wait {
    std::uint64_t bits = 0;

    constexpr Wait() = default;
    constexpr Wait(WaitKind kind, std::uint64_t operand = 0) : bits(operand << 4 | static_cast<std::uint8_t>(kind)) {}
    constexpr WaitKind kind() const { return static_cast<WaitKind>(bits & 15); }
    constexpr std::uint64_t operand() const { return bits >> 4; }
};

struct Record {
    std::uint64_t stamp = 0;  // raw clock, see clock.hpp
    std::uint64_t task = 0;
    std::uint64_t arg = 0;
    std::uint32_t stack = 0;  // node id
    EventKind kind = EventKind::none;
    std::uint8_t reserved[3] = {};
};
static_assert(sizeof(Record) == 32 && std::is_trivially_copyable_v<Record>);

// Events without which the set of live tasks would be wrong. When a ring gets full, the others are shed first.
constexpr bool is_lifecycle(EventKind kind) {
    switch (kind) {
        case EventKind::task_ready:
        case EventKind::step_begin:
        case EventKind::step_end:
        case EventKind::poll_begin:
        case EventKind::poll_end:
        case EventKind::callback_begin:
        case EventKind::callback_end:
        case EventKind::job_begin:
        case EventKind::job_end: return false;
        default: return true;
    }
}

}  // namespace coroscope::probe
