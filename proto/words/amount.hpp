// How amounts are written: durations, counts, bytes. Three digits are enough to judge by.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace coroscope::words {

std::string duration(std::uint64_t ns);        // "500 ns", "12.4 us", "203 ms", "1.25 s", "4 min 05 s"; 0: "0"
std::string round_duration(std::uint64_t ns);  // of a round number, for scales: "10 us"; else as duration()

// Of a time that is known to lie between these: "203 ms", "at most 25 ms", "150 to 203 ms".
std::string between(std::uint64_t least_ns, std::uint64_t most_ns);

std::string counted(std::uint64_t count, std::string_view one, std::string_view many);  // "1 task", "2 tasks"
std::string short_count(std::uint64_t count);                                           // "950", "12.3k", "4.10M"
std::string full_count(std::uint64_t count);                                            // "12 345 678"
std::string bytes(std::uint64_t count);                                                 // "1.40 MB"

}  // namespace coroscope::words
