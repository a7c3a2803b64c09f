// A thread's registers and the memory of its stack at one moment, copied so that it can be unwound later, on another
// thread and without haste.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "runtime/src/probe/copy_memory.hpp"

namespace coroscope::debug {

// By their DWARF numbers.
struct Registers {
#if defined(__aarch64__)
    static constexpr std::size_t count = 32, stack = 31, frame = 29;
#else
    static constexpr std::size_t count = 16, stack = 7, frame = 6;
#endif
    std::array<std::optional<std::uint64_t>, count> values{};
    std::uint64_t pc = 0;
};

struct StackCopy {
    static constexpr std::size_t most_bytes = 256 * 1024;  // what lies above is not unwound

    Registers registers;
    std::uint64_t address = 0;      // of the first byte
    std::vector<std::byte> memory;  // from the stack pointer upwards

    bool empty() const noexcept { return registers.pc == 0; }
    std::optional<std::uint64_t> word(std::uint64_t at) const noexcept;
};

using probe::copy_memory;

// The stack of a blocked thread, of which the kernel says these two. Empty memory: it cannot be read.
StackCopy copy_stack(std::uint64_t sp, std::uint64_t pc);

}  // namespace coroscope::debug
