// How places in the source are written, and whose they are.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace coroscope::words {

std::string_view base_name(std::string_view path);  // what follows the last '/'

// "pipeline.cpp:34"; without the line if that is 0; "" if there is no file.
std::string place(std::string_view file, std::uint32_t line);
// The same with the folders: "src/pipeline.cpp:34".
std::string full_place(std::string_view file, std::uint32_t line);

// "pipeline.cpp:34 in consume"; what is not known is left out.
std::string place_in(std::string_view function, std::string_view file, std::uint32_t line);

// A line of a stack: "consume (pipeline.cpp:34)"; `where` is a place(), or empty.
std::string frame(std::string_view function, std::string_view where);

// Whether a place lies in coroscope itself. The only judge of it.
bool is_coroscope(std::string_view function, std::string_view file);
// Whether it lies in coroscope or in the system's headers and libraries: not in the user's own code.
bool is_library(std::string_view function, std::string_view file);

}  // namespace coroscope::words
