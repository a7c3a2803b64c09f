// Readable names of coroutines: compilers name the function of a source location in their own ways.
#pragma once

#include <string>
#include <string_view>

namespace coroscope::probe {

// "void f(f(int)::_Z1fi.Frame*)" (g++), "coroscope::Coro<int> ns::f(int)" (clang), "f(int) [clone .actor]" -> "f",
// "ns::f". Parameters, return types and template arguments go; scopes, operators and lambdas stay. What it cannot read
// it returns as it is.
std::string readable_function(std::string_view name);

}  // namespace coroscope::probe
