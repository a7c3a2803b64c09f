// What compilers say about places: readable names of coroutines, which each compiler spells in its own way, and whose
// code a file is.
#pragma once

#include <string>
#include <string_view>

namespace coroscope::probe {

// "void f(f(int)::_Z1fi.Frame*)" (g++), "coroscope::Coro<int> ns::f(int)" (clang), "f(int) [clone .actor]" -> "f",
// "ns::f". Parameters, return types and template arguments go; scopes, operators and lambdas stay. What it cannot read
// it returns as it is.
std::string readable_function(std::string_view name);

// Whether a source file is of this library, and not the user's.
bool is_library_file(std::string_view file) noexcept;

}  // namespace coroscope::probe
