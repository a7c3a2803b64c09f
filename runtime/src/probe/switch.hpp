// Debug mode, switched on without a rebuild: finds and loads the debug library. In libcoroscope-emit; std and dlopen
// only.
#pragma once

#include <cstdint>

namespace coroscope::probe {

// See cs_open(), cs_close() and cs_after_fork_in_child().
const char* open_switch(const char* target, const char* app_name);
void close_switch(std::uint32_t most_ms) noexcept;
const char* reopen_in_child();

}  // namespace coroscope::probe
