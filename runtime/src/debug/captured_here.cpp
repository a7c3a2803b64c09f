#include "captured_here.hpp"

namespace coroscope::debug {

void CapturedHere::capture(const ucontext_t& context) noexcept {
    const mcontext_t& machine = context.uc_mcontext;
#if defined(__x86_64__)
    // In the order of the DWARF numbers.
    static constexpr int by_number[Registers::count] = {REG_RAX, REG_RDX, REG_RCX, REG_RBX, REG_RSI, REG_RDI,
                                                        REG_RBP, REG_RSP, REG_R8,  REG_R9,  REG_R10, REG_R11,
                                                        REG_R12, REG_R13, REG_R14, REG_R15};
    for (std::size_t i = 0; i < Registers::count; ++i)
        registers_[i] = static_cast<std::uint64_t>(machine.gregs[by_number[i]]);
    pc_ = static_cast<std::uint64_t>(machine.gregs[REG_RIP]);
#elif defined(__aarch64__)
    for (std::size_t i = 0; i < Registers::stack; ++i) registers_[i] = machine.regs[i];
    registers_[Registers::stack] = machine.sp;
    pc_ = machine.pc;
#else
    (void)machine;
    pc_ = 0;
#endif
    size_ = pc_ == 0 ? 0 : copy_memory(memory_, registers_[Registers::stack], sizeof memory_);
}

StackCopy CapturedHere::take() const {
    StackCopy copy;
    copy.registers.pc = pc_;
    for (std::size_t i = 0; i < Registers::count; ++i) copy.registers.values[i] = registers_[i];
    copy.address = registers_[Registers::stack];
    copy.memory.assign(memory_, memory_ + size_);
    return copy;
}

}  // namespace coroscope::debug
