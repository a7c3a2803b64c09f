// What passes between the app and the debug library that it loads. C functions, plain structs, checked by version and
// size.
#pragma once

#include <cstdint>

namespace coroscope::probe {

struct Registry;

struct DebugStart {
    static constexpr std::uint32_t current_version = 1;
    std::uint32_t version = current_version;
    std::uint32_t size = sizeof(DebugStart);
    const char* target = nullptr;     // "unix:PATH", "host:port" or "file:PATH"
    const char* name = nullptr;       // of the app; nullptr: the executable's
    const char* compiler = nullptr;   // that built the runtime
    const char* log_level = nullptr;  // "off", "warn", "info", "debug"; nullptr: warn
    bool watch_stalls = true;         // signal a thread that hangs, to see its stack
};

// nullptr: started. Else why not, a text that lives as long as the library.
using DebugStartFunction = const char* (*)(Registry*, const DebugStart*);
// Sends or writes what is left, for at most so long, and ends the library's threads.
using DebugStopFunction = void (*)(std::uint32_t most_ms);

inline constexpr const char* debug_start_name = "coroscope_debug_start";
inline constexpr const char* debug_stop_name = "coroscope_debug_stop";

}  // namespace coroscope::probe
