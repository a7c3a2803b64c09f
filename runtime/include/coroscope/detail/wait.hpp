// What a suspended task waits on, as one integer for the debugger: (operand << 4) | kind. Kinds are those of the wire.
#pragma once

#include <cstdint>

namespace coroscope::detail {

enum class WaitKind : std::uint8_t {
    unknown = 0,
    timer = 1,
    task = 2,   // operand: task id; 0: several
    read = 3,   // operand: file descriptor
    write = 4,  // operand: file descriptor
    thread = 5,
    future = 6,
    queue_get = 7,  // operand: resource id, here and below
    queue_put = 8,
    lock = 9,
    semaphore = 10,
    event = 11,
    yield = 12,
};

constexpr std::uint64_t wait_bits(WaitKind kind, std::uint64_t operand = 0) noexcept {
    return operand << 4 | static_cast<std::uint8_t>(kind);
}

// Dense id of a queue, lock, ... for the debugger: taken when it is first asked for, so that unobserved resources pay
// nothing.
std::uint64_t next_resource_id() noexcept;

class ResourceId {
public:
    std::uint64_t get() const noexcept {
        if (id_ == 0) id_ = next_resource_id();
        return id_;
    }

private:
    mutable std::uint64_t id_ = 0;
};

}  // namespace coroscope::detail
