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
    bool late = false;                // tasks may live already, and sessions may have been before this one
};

struct DebugSession;  // one running emitter
struct ThreadLook;    // what a thread did at a moment

struct DebugLibrary {
    // nullptr: `*why_not` is a text that lives as long as the library.
    DebugSession* (*start)(Registry*, const DebugStart*, const char** why_not);
    // Sends or writes what is left, for at most so long, and ends the library's threads. `app_ends`: else debug mode is
    // switched off, and the app runs on.
    void (*stop)(DebugSession*, std::uint32_t most_ms, bool app_ends);
    // Between these two the library's threads hold no lock that a forked child would need: hold() in front of a fork,
    // release() behind it, in the parent and in the child.
    void (*hold)(DebugSession*);
    void (*release)(DebugSession*);
    // With and without a session. Looks at a thread of this process, for 50 ms at the longest; no fork may happen
    // meanwhile. `may_signal`: one that computes may be signalled. Never nullptr.
    ThreadLook* (*look_at)(std::uint64_t tid, bool may_signal);
    // Resolves its stack, which may take a second the first time, and frees it: see probe::look_at_thread().
    std::string (*tell)(ThreadLook*);
};

// nullptr: the library is of another version than `version`.
using DebugLibraryFunction = const DebugLibrary* (*)(const char* version);
inline constexpr const char* debug_library_name = "coroscope_debug_library";
// The library's own version, a text.
using DebugVersionFunction = const char* (*)();
inline constexpr const char* debug_version_name = "coroscope_debug_version";

}  // namespace coroscope::probe
