// Names of functions for people. Compilers, demanglers and debug information spell one function in many ways; this is
// the only place that reads them.
#pragma once

#include <string>
#include <string_view>

namespace coroscope::words {

// A compiler's spelling without return type, parameters, template arguments, suffixes and anonymous namespaces; other
// scopes, operators and lambdas stay. What lies within a function is named after it:
//   "void f(f(int)::_Z1fi.Frame*)" (g++), "coroscope::Coro<int> ns::f(int)" (clang), "f(int) [clone .actor]": "f",
//   "ns::f" "void async_main()::<lambda(int)>::operator()(...)", "auto async_main()::(anonymous class)::operator()(int)
//   const": "async_main()::lambda"
// What has no parameters and no lambda is no compiler's signature and stays as it is, as does what cannot be read; so a
// name that was read before is not changed. The result is printable.
std::string function_name(std::string_view spelling);

// For a row: without the scopes around it, "fetch" of "shop::Cart::fetch". A lambda or an operator says nothing alone
// and keeps the scope it is in: "async_main()::lambda", "Order::operator()".
std::string short_function_name(std::string_view spelling);

}  // namespace coroscope::words
