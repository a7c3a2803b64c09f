// Switches debug mode on through libcoroscope-emit, which reads COROSCOPE and finds and loads the debug library.
#pragma once

namespace coroscope::detail {

// At each loop that is made: the first one of the process counts, and the first one of a forked child.
void start_debug_from_environment() noexcept;
void start_debug() noexcept;          // run(..., {.debug = true}); idempotent
void switch_debug(bool on) noexcept;  // at any time
void finish_debug() noexcept;         // at exit: sends what is left, bounded in time

}  // namespace coroscope::detail
