// What passes between the app and the debug library that it loads. C functions, plain structs, checked by a sum of
// the sources.
#pragma once

#include <cstdint>

namespace coroscope::probe {

struct Registry;

// Of the sources that this side was built from. The library refuses an app of others: it would misread its memory.
std::uint64_t layout_sum() noexcept;

struct DebugStart {
    std::uint64_t layout = 0;         // stays the first member for ever
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
