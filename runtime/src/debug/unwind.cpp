#include "unwind.hpp"

#include <dwarf.h>
#include <elfutils/libdw.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <span>

namespace coroscope::debug {

namespace {

constexpr std::size_t most_unwound = 128;
constexpr std::uint64_t deepest_frame = 64 * 1024;  // in which a saved pair is searched

using Value = std::optional<std::uint64_t>;

struct FreeFrame {
    void operator()(Dwarf_Frame* frame) const noexcept { std::free(frame); }
};
using FramePointer = std::unique_ptr<Dwarf_Frame, FreeFrame>;

// Evaluates what libdw makes of a rule: few operations, without branches.
class Evaluator {
public:
    Evaluator(const StackCopy& stack, const Registers& registers, Value cfa)
        : stack_(stack), registers_(registers), cfa_(cfa) {}

    // The value, which is an address unless `is_value`.
    Value run(std::span<const Dwarf_Op> operations, bool& is_value) {
        is_value = false;
        for (const Dwarf_Op& each : operations) {
            if (each.atom == DW_OP_stack_value) {
                is_value = true;
            } else if (!step(each)) {
                return std::nullopt;
            }
        }
        return values_.empty() ? std::nullopt : Value(values_.back());
    }

private:
    bool push(Value value) {
        if (value) values_.push_back(*value);
        return value.has_value();
    }
    Value register_value(std::uint64_t number) const {
        return number < Registers::count ? registers_.values[static_cast<std::size_t>(number)] : std::nullopt;
    }
    Value pop() {
        if (values_.empty()) return std::nullopt;
        const std::uint64_t value = values_.back();
        values_.pop_back();
        return value;
    }
    bool step(const Dwarf_Op& op) {
        if (op.atom >= DW_OP_breg0 && op.atom <= DW_OP_breg31) {
            const Value base = register_value(op.atom - DW_OP_breg0);
            return base && push(*base + op.number);
        }
        if (op.atom >= DW_OP_lit0 && op.atom <= DW_OP_lit31) return push(op.atom - DW_OP_lit0);
        switch (op.atom) {
            case DW_OP_bregx: {
                const Value base = register_value(op.number);
                return base && push(*base + op.number2);
            }
            case DW_OP_regx: return push(register_value(op.number));
            case DW_OP_call_frame_cfa: return push(cfa_);
            case DW_OP_plus_uconst: {
                const Value value = pop();
                return value && push(*value + op.number);
            }
            case DW_OP_deref: {
                const Value address = pop();
                return address && push(stack_.word(*address));
            }
            case DW_OP_nop: return true;
            default: return binary(op.atom);
        }
    }
    bool binary(unsigned atom) {
        const Value right = pop(), left = pop();
        if (!left || !right) return false;
        switch (atom) {
            case DW_OP_plus: return push(*left + *right);
            case DW_OP_minus: return push(*left - *right);
            case DW_OP_and: return push(*left & *right);
            case DW_OP_shl: return push(*right < 64 ? *left << *right : 0);
            case DW_OP_ge: return push(static_cast<std::int64_t>(*left) >= static_cast<std::int64_t>(*right));
            default: return false;
        }
    }

    const StackCopy& stack_;
    const Registers& registers_;
    Value cfa_;
    std::vector<std::uint64_t> values_;
};

std::uint64_t word_of_code(std::uint64_t address, std::size_t size) {
    std::uint64_t value = 0;
    return copy_memory(&value, address, size) == size ? value : 0;
}

class Unwinder {
public:
    Unwinder(Dwfl* dwfl, const StackCopy& stack) : dwfl_(dwfl), stack_(stack), at_(stack.registers) {}

    std::vector<void*> run() {
        std::vector<void*> addresses;
        for (bool first = true; at_.pc != 0 && addresses.size() < most_unwound; first = false) {
            addresses.push_back(reinterpret_cast<void*>(at_.pc));
            if (!to_caller(first)) break;
        }
        return addresses;
    }

private:
    FramePointer frame_at(std::uint64_t address) const {
        Dwfl_Module* module = dwfl_addrmodule(dwfl_, address);
        if (module == nullptr) return nullptr;
        Dwarf_Addr bias = 0;
        Dwarf_Frame* frame = nullptr;
        if (Dwarf_CFI* cfi = dwfl_module_eh_cfi(module, &bias))
            if (dwarf_cfi_addrframe(cfi, address - bias, &frame) == 0) return FramePointer(frame);
        if (Dwarf_CFI* cfi = dwfl_module_dwarf_cfi(module, &bias))
            if (dwarf_cfi_addrframe(cfi, address - bias, &frame) == 0) return FramePointer(frame);
        return nullptr;
    }

    // The registers as they were at the call of the function in which they are now. False: this is the outermost
    // function, or nobody knows.
    bool to_caller(bool first) {
        // A return address may lie behind the end of its function: the call is before it.
        const FramePointer frame = frame_at(at_.pc - (first ? 0 : 1));
        if (!frame) return to_caller_by_frame_pointer();
        Dwarf_Addr start = 0, end = 0;
        bool is_signal = false;
        const int return_column = dwarf_frame_info(frame.get(), &start, &end, &is_signal);
        if (return_column < 0) return false;
        Value cfa = cfa_of(*frame);
        if (!cfa && find_frame_pointer(*frame, first)) cfa = cfa_of(*frame);
        if (!cfa) return false;
        Registers caller;
        for (std::size_t i = 0; i < Registers::count; ++i) caller.values[i] = rule(*frame, static_cast<int>(i), cfa);
        const Value pc = static_cast<std::size_t>(return_column) < Registers::count
                             ? caller.values[static_cast<std::size_t>(return_column)]
                             : rule(*frame, return_column, cfa);
        caller.values[Registers::stack] = cfa;
        if (!pc || (!first && !is_signal && *cfa <= at_.values[Registers::stack].value_or(0))) return false;
        caller.pc = *pc;
        at_ = caller;
        return true;
    }

    Value cfa_of(Dwarf_Frame& frame) const {
        Dwarf_Op* operations = nullptr;
        std::size_t count = 0;
        bool is_value = false;
        if (dwarf_frame_cfa(&frame, &operations, &count) != 0) return std::nullopt;
        return Evaluator(stack_, at_, std::nullopt).run({operations, count}, is_value);
    }

    // What a register was in the caller.
    Value rule(Dwarf_Frame& frame, int number, Value cfa) const {
        Dwarf_Op memory[3];
        Dwarf_Op* operations = nullptr;
        std::size_t count = 0;
        if (dwarf_frame_register(&frame, number, memory, &operations, &count) != 0) return std::nullopt;
        const auto index = static_cast<std::size_t>(number);
        if (count == 0) {  // none: it has the same value; else it is lost
            if (operations == nullptr && index < Registers::count) return at_.values[index];
            return std::nullopt;
        }
        bool is_value = false;
        const bool is_register = count == 1 && operations[0].atom == DW_OP_regx;
        const Value value = Evaluator(stack_, at_, cfa).run({operations, count}, is_value);
        if (!value || is_value || is_register) return value;
        return stack_.word(*value);
    }

    // Code without call frame information, of a just-in-time compiler say, often keeps frame pointers.
    bool to_caller_by_frame_pointer() {
        const Value frame = at_.values[Registers::frame];
        if (!frame || *frame < at_.values[Registers::stack].value_or(0)) return false;
        const Value saved = stack_.word(*frame), back = stack_.word(*frame + 8);
        if (!saved || !back || dwfl_addrmodule(dwfl_, *back - 1) == nullptr) return false;
        Registers caller;
        caller.values[Registers::frame] = saved;
        caller.values[Registers::stack] = *frame + 16;
        caller.pc = *back;
        at_ = caller;
        return true;
    }

    // Where the function of `address` begins; 0: its module has no symbols.
    std::uint64_t function_start(std::uint64_t address) const {
        Dwfl_Module* module = dwfl_addrmodule(dwfl_, address);
        GElf_Off offset = 0;
        GElf_Sym symbol;
        if (module == nullptr ||
            dwfl_module_addrinfo(module, address, &offset, &symbol, nullptr, nullptr, nullptr) == nullptr)
            return 0;
        return address - offset;
    }

    bool find_frame_pointer(Dwarf_Frame& frame, bool first);
    Value by_prologue(Dwarf_Frame& frame, std::uint64_t start, std::uint64_t sp) const;
    enum class Call : std::uint8_t { none, other, indirect, ours };
    Call call_before(std::uint64_t back, std::uint64_t callee) const;
    bool chain_goes_on(std::uint64_t frame) const;

    Dwfl* dwfl_;
    const StackCopy& stack_;
    Registers at_;
};

#if defined(__x86_64__)

// What kind of call ends at `back`: of `callee`, of another function, of whatever a register or a word says.
Unwinder::Call Unwinder::call_before(std::uint64_t back, std::uint64_t callee) const {
    if (back < 16 || dwfl_addrmodule(dwfl_, back - 1) == nullptr) return Call::none;
    unsigned char code[8];
    if (copy_memory(code + 1, back - 7, 7) != 7) return Call::none;
    const auto byte = [&](std::size_t before) { return code[8 - before]; };
    if (byte(5) == 0xe8) {
        std::int32_t offset = 0;
        std::memcpy(&offset, code + 4, sizeof offset);
        std::uint64_t target = back + static_cast<std::uint64_t>(std::int64_t{offset});
        if (callee == 0) return Call::other;
        if (target == callee) return Call::ours;
        // Through the linkage table: [endbr64] [bnd] jmp *word(%rip).
        if (word_of_code(target, 4) == 0xfa1e0ff3) target += 4;
        if (word_of_code(target, 1) == 0xf2) ++target;
        if (word_of_code(target, 2) != 0x25ff) return Call::other;
        const auto distance = static_cast<std::int32_t>(word_of_code(target + 2, 4));
        return word_of_code(target + 6 + static_cast<std::uint64_t>(std::int64_t{distance}), 8) == callee ? Call::ours
                                                                                                          : Call::other;
    }
    // ff /2: by a register, by a word at a register, with a displacement of none, one or four bytes.
    const auto is_call = [&](std::size_t length) { return byte(length) == 0xff && (byte(length - 1) & 0x38) == 0x10; };
    const auto mode = [&](std::size_t length) { return byte(length - 1) >> 6; };
    const auto has_index = [&](std::size_t length) { return (byte(length - 1) & 7) == 4 && mode(length) != 3; };
    if (is_call(2) && (mode(2) == 3 || (mode(2) == 0 && !has_index(2)))) return Call::indirect;
    if (is_call(3) && (has_index(3) ? mode(3) == 0 : mode(3) == 1)) return Call::indirect;
    if (is_call(4) && has_index(4) && mode(4) == 1) return Call::indirect;
    if (is_call(6) && !has_index(6) && (mode(6) == 2 || (mode(6) == 0 && (byte(5) & 7) == 5))) return Call::indirect;
    if (is_call(7) && has_index(7) && mode(7) == 2) return Call::indirect;
    return Call::none;
}

// How far a function with a frame pointer has moved the stack pointer: the registers that it saved, which the call
// frame information lists, and what its prologue takes for itself. Not for one that calls alloca().
Value Unwinder::by_prologue(Dwarf_Frame& frame, std::uint64_t start, std::uint64_t sp) const {
    std::uint64_t saved = 16;  // the return address and the frame pointer
    for (const int number : {3, 12, 13, 14, 15}) {
        Dwarf_Op memory[3];
        Dwarf_Op* operations = nullptr;
        std::size_t count = 0;
        if (dwarf_frame_register(&frame, number, memory, &operations, &count) != 0 || count == 0) continue;
        bool is_value = false;
        const Value at = Evaluator(stack_, at_, std::uint64_t{0}).run({operations, count}, is_value);
        if (at) saved = std::max(saved, std::uint64_t{0} - *at);
    }
    unsigned char code[96];
    const std::size_t length = copy_memory(
        code, start,
        static_cast<std::size_t>(std::min<std::uint64_t>(sizeof code, at_.pc > start ? at_.pc - start : 0)));
    std::uint64_t room = 0;
    for (std::size_t i = 0; i + 7 <= length; ++i) {
        if (code[i] != 0x48 || code[i + 2] != 0xec || (code[i + 1] != 0x83 && code[i + 1] != 0x81)) continue;
        std::uint32_t wide = 0;
        std::memcpy(&wide, code + i + 3, sizeof wide);
        room = code[i + 1] == 0x83 ? code[i + 3] : wide;
        break;
    }
    return sp + room + saved - 16;
}

// The pair at `frame` is one of a chain of frame pointers.
bool Unwinder::chain_goes_on(std::uint64_t frame) const {
    const Value next = stack_.word(frame);
    if (!next || *next <= frame) return false;
    const Value back = stack_.word(*next + 8);
    return back && call_before(*back, 0) != Call::none;
}

bool Unwinder::find_frame_pointer(Dwarf_Frame& frame, bool first) {
    const Value sp = at_.values[Registers::stack];
    if (!sp || at_.values[Registers::frame] || first) return false;
    const std::uint64_t start = function_start(at_.pc - 1);
    const auto call_at = [&](std::uint64_t pair) {
        const Value back = stack_.word(pair + 8);
        return back ? call_before(*back, start) : Call::none;
    };
    if (start != 0) {
        const Value pair = by_prologue(frame, start, *sp);
        const Call call = call_at(*pair);
        if (call == Call::ours || (call != Call::none && chain_goes_on(*pair))) {
            at_.values[Registers::frame] = pair;
            return true;
        }
    }
    // Old pairs may lie in the part of the frame that the function has not written. Only one whose call is of this very
    // function counts, and only if there is no second.
    std::optional<std::uint64_t> only;
    for (std::uint64_t pair = *sp; pair < *sp + deepest_frame && stack_.word(pair + 8); pair += 8) {
        if (call_at(pair) != Call::ours || stack_.word(pair).value_or(0) == 0) continue;
        if (only) return false;
        only = pair;
    }
    if (only) at_.values[Registers::frame] = only;
    return only.has_value();
}

#else

// Elsewhere only what the call frame information alone says is known.
Unwinder::Call Unwinder::call_before(std::uint64_t, std::uint64_t) const { return Call::none; }
Value Unwinder::by_prologue(Dwarf_Frame&, std::uint64_t, std::uint64_t) const { return std::nullopt; }
bool Unwinder::chain_goes_on(std::uint64_t) const { return false; }
bool Unwinder::find_frame_pointer(Dwarf_Frame&, bool) { return false; }

#endif

}  // namespace

std::vector<void*> unwind(Dwfl* dwfl, const StackCopy& stack) { return Unwinder(dwfl, stack).run(); }

}  // namespace coroscope::debug
