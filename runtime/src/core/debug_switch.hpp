// Debug mode, switched on without a rebuild: reads COROSCOPE, finds and loads the debug library. std and dlopen only.
#pragma once

namespace coroscope::detail {

void start_debug_from_environment() noexcept;  // at the first loop of the process; idempotent
void start_debug() noexcept;                   // run(..., {.debug = true}); idempotent
void finish_debug() noexcept;                  // at exit: sends what is left, bounded in time

}  // namespace coroscope::detail
