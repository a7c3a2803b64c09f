#include "stack_copy.hpp"

#include <cstring>

namespace coroscope::debug {

std::optional<std::uint64_t> StackCopy::word(std::uint64_t at) const noexcept {
    std::uint64_t value = 0;
    if (at < address || at - address > memory.size() || memory.size() - (at - address) < sizeof value)
        return std::nullopt;
    std::memcpy(&value, memory.data() + (at - address), sizeof value);
    return value;
}

StackCopy copy_stack(std::uint64_t sp, std::uint64_t pc) {
    StackCopy copy;
    copy.registers.pc = pc;
    copy.registers.values[Registers::stack] = sp;
    copy.address = sp;
    copy.memory.resize(StackCopy::most_bytes);
    copy.memory.resize(copy_memory(copy.memory.data(), sp, copy.memory.size()));
    copy.memory.shrink_to_fit();
    return copy;
}

}  // namespace coroscope::debug
