// How numbers, times and places are written, everywhere in the viewer.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace coroscope::viewer {

std::string duration_text(std::uint64_t ns);        // three digits: "12.4 µs", "203 ms", "1.25 s", "4 min 05 s"; 0: "0"
std::string round_duration_text(std::uint64_t ns);  // of a round number, for scales: "10 µs"
std::string count_text(std::uint64_t count);        // "950", "12.3k", "4.10M"
std::string full_count_text(std::uint64_t count);   // "12 345 678"
std::string bytes_text(std::uint64_t bytes);        // "1.4 MB"

std::string_view base_name(std::string_view path);
std::string place_text(std::string_view file, std::uint32_t line);  // "pipeline.cpp:34"; "" if there is no file
// "app::Worker::fetch" of "coroscope::Coro<int> app::Worker::fetch(std::string, int)".
std::string function_text(std::string_view function);
// Without namespaces and classes: "fetch".
std::string short_function_text(std::string_view function);

// Case-insensitive. An empty needle is in everything.
bool contains_text(std::string_view text, std::string_view needle);

}  // namespace coroscope::viewer
