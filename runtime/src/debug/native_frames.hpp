// Native return addresses as places in the source, in this process: by libdw, inlined calls expanded. Slow
// (milliseconds for the first address of a module): the emitter's thread only, for rare things.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "stack_copy.hpp"

namespace coroscope::debug {

struct NativeFrame {
    std::string function;  // readable
    std::string file;      // "" if the module has no debug information
    std::uint32_t line = 0;
    bool library = false;  // of a module that is a library of the system or ours, whatever its sources are called
};

class NativeFrames {
public:
    NativeFrames();
    ~NativeFrames();
    // Innermost first, as the addresses. `first_is_exact`: the first is a program counter, not a return address.
    std::vector<NativeFrame> resolve(std::span<void* const> addresses, bool first_is_exact);
    std::vector<NativeFrame> resolve(const StackCopy& stack);

private:
    struct State;
    std::unique_ptr<State> state_;
};

// Inside this library's runtime: never where the user has to look.
bool is_runtime_frame(const NativeFrame& frame);
// Not in the user's own code.
bool is_library_frame(const NativeFrame& frame);

// Of the stack of a coroutine's creation, innermost first: without the runtime's frames and the coroutine's own start,
// so that the first one left is the call that made the coroutine object.
std::vector<NativeFrame> creation_call(std::vector<NativeFrame> frames, const std::string& coroutine);
// Of the stack of a thread that hangs: without what is above the event loop (main, run) and without the signal's own
// frames.
std::vector<NativeFrame> stalled_call(std::vector<NativeFrame> frames);

}  // namespace coroscope::debug
