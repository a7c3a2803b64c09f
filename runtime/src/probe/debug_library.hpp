// What passes between libcoroscope-emit and the debug library that it loads. Both come from the same installation: the
// debug library reads the registry in place, so it serves only a library of exactly its own version.
#pragma once

#include <cstdint>
#include <string>

namespace coroscope::probe {

struct Registry;

// Of this build. The sizes are in it for those who build only one of both again.
std::string pair_version();

struct DebugStart {
    const char* target = nullptr;     // "unix:PATH", "HOST:PORT" or "file:PATH"
    const char* name = nullptr;       // of the app; nullptr: the executable's
    const char* log_level = nullptr;  // "off", "warn", "info", "debug"; nullptr: warn
    bool signal_threads = true;       // signal a thread that computes for too long, to see its stack
    bool forked = false;              // this process is a forked child of one that was observed
};

struct DebugSession;  // one running emitter

struct DebugLibrary {
    // nullptr: `*why_not` is a text that lives as long as the library.
    DebugSession* (*start)(Registry*, const DebugStart*, const char** why_not);
    // Sends or writes what is left, for at most so long, and ends the library's threads.
    void (*stop)(DebugSession*, std::uint32_t most_ms);
    // Between these two the library's threads hold no lock that a forked child would need: hold() in front of a fork,
    // release() behind it, in the parent and in the child.
    void (*hold)(DebugSession*);
    void (*release)(DebugSession*);
};

// nullptr: the library is of another version than `version`.
using DebugLibraryFunction = const DebugLibrary* (*)(const char* version);
inline constexpr const char* debug_library_name = "coroscope_debug_library";
// The library's own version, a text.
using DebugVersionFunction = const char* (*)();
inline constexpr const char* debug_version_name = "coroscope_debug_version";

}  // namespace coroscope::probe
