// A thread's registers and the memory of its stack at one moment, copied so that it can be unwound later, on another
// thread and without haste.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

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

// Copies memory of this process that may be gone or changing: what cannot be read ends the copy. Returns how much there
// was. Async-signal-safe; a system call each, about 0.1 us a page.
std::size_t copy_memory(void* to, std::uint64_t from, std::size_t size) noexcept;

// The stack of a blocked thread, of which the kernel says these two. Empty memory: it cannot be read.
StackCopy copy_stack(std::uint64_t sp, std::uint64_t pc);

}  // namespace coroscope::debug
