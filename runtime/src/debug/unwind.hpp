// The call stack of a copied stack (stack_copy.hpp), by the call frame information of the modules.
//
// Of a blocked thread the kernel says the stack pointer and the program counter alone. That is enough as long as the
// functions find their frames by the stack pointer, as those of the C library do. In the first function that finds its
// frame by a frame pointer that nobody has saved since, the place of the saved pair is worked out from its prologue, or
// searched and checked against the call before the return address. What is not certain is not told: the stack then
// ends at that function, whose own line is known.
#pragma once

#include <elfutils/libdwfl.h>

#include <vector>

#include "stack_copy.hpp"

namespace coroscope::debug {

// Program counter first, then return addresses, innermost first. Thread: that of the Dwfl.
std::vector<void*> unwind(Dwfl* dwfl, const StackCopy& stack);

}  // namespace coroscope::debug
