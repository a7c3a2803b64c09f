// How many threads of this process are the app's: those that could wake an event loop.
#pragma once

#include <cstdint>

namespace coroscope::debug {

// All threads of the process but coroscope's own, those of its pools that run no job, and those of gRPC. 0: /proc does
// not tell. Costs a system call or two per thread: for a few times a second.
std::uint32_t count_app_threads() noexcept;

}  // namespace coroscope::debug
