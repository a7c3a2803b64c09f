// Finds and loads the debug library. In libcoroscope-emit.
#pragma once

#include <string>

#include "debug_library.hpp"

namespace coroscope::probe {

inline constexpr const char* library_name = "libcoroscope-debug.so";

// The library that COROSCOPE_DEBUG_LIBRARY names, or else the first that loads of those beside libcoroscope-emit and
// the executable. nullptr: there is none of this version, and `why_not` says what was found, if anything was. Loads it
// anew at each call: keep the answer. Takes some 10 ms. Any thread.
const DebugLibrary* find_library(std::string& why_not);

// An environment variable. "" if it is not set, and in a program with more rights than its user (setuid): who starts it
// must not choose a library to load, or a file to write.
std::string variable(const char* name);

}  // namespace coroscope::probe
