// Debug mode, switched on and off without a rebuild. In libcoroscope-emit; std and dlopen only.
//
// Thread: any. What starts or ends a session takes some milliseconds; a fork of the process waits meanwhile.
#pragma once

#include <cstdint>
#include <string>

namespace coroscope::probe {

// See cs_open(), cs_close(), cs_after_fork_in_child(), cs_switch_on() and cs_switch_off().
const char* open_switch(const char* target, const char* app_name);
void close_switch(std::uint32_t most_ms) noexcept;
const char* reopen_in_child();
const char* switch_on(const char* target);
void switch_off(std::uint32_t most_ms) noexcept;

struct SwitchState {
    bool on = false;
    std::string target;  // of the session; while off, what the app was told to use when asked without one; "": nothing
    std::string name;    // COROSCOPE_NAME, or what the app said; "": neither
};
SwitchState switch_state();

// Writes what a thread of this process does now, as a JSON object: {"state": "blocked" or "computes", "call",
// "frames"}, innermost frame first. Loads the debug library if need be. {"state": "unknown", "why"} if it cannot tell.
std::string look_at_thread(std::uint64_t tid);

}  // namespace coroscope::probe
