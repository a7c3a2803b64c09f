// The functions of the C library that can block, each with one of ours that stands in for it. See blocking_calls.hpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "call_patch.hpp"
#include "coroscope/emit.h"
#include "runtime/src/probe/clock.hpp"

namespace coroscope::debug::calls {

// With the real functions of this process.
std::span<const CallToPatch> functions();
// "read", of "__read_chk" too. Lives as long as the process.
const char* function_name(std::size_t index) noexcept;

// What a function that stands in does around the real call. nullptr: this call is not measured. Thread: any, also in a
// signal handler. No lock, no allocation; errno stays. blocking_calls.cpp.
cs_producer* begin() noexcept;
void end(cs_producer& producer, std::size_t function, const void* caller, probe::Stamp began) noexcept;

}  // namespace coroscope::debug::calls
