// What a signal handler notes of the thread that it interrupted: registers and stack, into memory that is there.
#pragma once

#include <ucontext.h>

#include <cstddef>
#include <cstdint>

#include "stack_copy.hpp"

namespace coroscope::debug {

// A variable of static storage: large, and touched only when it is used.
class CapturedHere {
public:
    // Async-signal-safe; the frame is small.
    void capture(const ucontext_t& context) noexcept;
    // On another thread, after capture() has returned there.
    StackCopy take() const;

private:
    std::uint64_t registers_[Registers::count] = {};
    std::uint64_t pc_ = 0;
    std::size_t size_ = 0;
    std::byte memory_[StackCopy::most_bytes] = {};
};

}  // namespace coroscope::debug
