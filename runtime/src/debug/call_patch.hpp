// Lets calls of the C library, made by the objects of this process, go through functions of our own: by their entries
// in the global offset tables (ELF's JUMP_SLOT and GLOB_DAT relocations).
//
// Why this way. A library that is preloaded would have to be there when the program starts, and debug mode is switched
// on later, too. Context-switch samples of perf_event_open() need a system that permits them (most containers do not),
// give no arguments, and stacks by frame pointers alone, which the C library does not have. A table entry costs one
// indirect call more, works however the program was started, and can be tried and left alone object by object.
//
// What is not seen: calls within the C library itself (the poll() of getaddrinfo() is part of getaddrinfo()), system
// calls without the C library, and objects whose tables cannot be written or have other values than expected (another
// version of a function, say).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace coroscope::debug {

struct CallToPatch {
    const char* name;  // of the function, as the linker knows it
    void* replacement;
    const void* real;  // what the entry must have led to; nullptr: the process has no such function
};

// Patches objects once each. Thread: one at a time; others may call the functions meanwhile. Entries stay patched when
// this is destroyed: the replacements must be there as long as the process.
class CallPatcher {
public:
    // `calls` must outlive this.
    explicit CallPatcher(std::span<const CallToPatch> calls);

    // Patches what has been loaded since the last call. Costs a microsecond if nothing has.
    void patch_new_objects();
    std::size_t patched() const noexcept { return patched_; }  // entries
    // Objects that call such functions and could not be patched, as their paths. Each is given once.
    std::vector<std::string> take_refused();

private:
    void patch(const std::string& path, std::uintptr_t base, const void* dynamic, std::uintptr_t relro_begin,
               std::uintptr_t relro_end);

    std::span<const CallToPatch> calls_;
    std::vector<std::uintptr_t> known_;  // bases of the objects looked at; bound: those that are loaded
    unsigned long long loads_ = 0;       // of the process when it was last looked at
    std::size_t patched_ = 0;
    std::vector<std::string> refused_;
};

}  // namespace coroscope::debug
