#include "amount.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdio>

namespace coroscope::words {

namespace {

std::string three_digits(double value, const char* unit) {
    char text[48];
    const int decimals = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
    std::snprintf(text, sizeof text, "%.*f%s", decimals, value, unit);
    return text;
}

// From here on a number rounds to four digits, so the next unit takes over.
constexpr double too_long = 999.5;

}  // namespace

std::string duration(std::uint64_t ns) {
    if (ns == 0) return "0";
    const auto value = static_cast<double>(ns);
    if (ns < 1000) return std::to_string(ns) + " ns";
    if (value < too_long * 1e3) return three_digits(value / 1e3, " us");
    if (value < too_long * 1e6) return three_digits(value / 1e6, " ms");
    if (value < 60e9) return three_digits(value / 1e9, " s");
    const std::uint64_t seconds = ns / 1'000'000'000;
    const auto pair = [](std::uint64_t large, const char* unit, std::uint64_t small, const char* small_unit) {
        char text[64];
        std::snprintf(text, sizeof text, "%llu %s %02llu %s", static_cast<unsigned long long>(large), unit,
                      static_cast<unsigned long long>(small), small_unit);
        return std::string(text);
    };
    return seconds < 3600 ? pair(seconds / 60, "min", seconds % 60, "s")
                          : pair(seconds / 3600, "h", seconds / 60 % 60, "min");
}

std::string round_duration(std::uint64_t ns) {
    if (ns >= 1'000'000'000 && ns % 1'000'000'000 == 0) return std::to_string(ns / 1'000'000'000) + " s";
    if (ns >= 1'000'000 && ns % 1'000'000 == 0) return std::to_string(ns / 1'000'000) + " ms";
    if (ns >= 1'000 && ns % 1'000 == 0) return std::to_string(ns / 1'000) + " us";
    return duration(ns);
}

std::string between(std::uint64_t least_ns, std::uint64_t most_ns) {
    if (most_ns - std::min(least_ns, most_ns) <= most_ns / 10) return duration(most_ns);
    if (least_ns < most_ns / 10) return "at most " + duration(most_ns);
    return duration(least_ns) + " to " + duration(most_ns);
}

std::string counted(std::uint64_t count, std::string_view one, std::string_view many) {
    return std::to_string(count) + ' ' + std::string(count == 1 ? one : many);
}

std::string short_count(std::uint64_t count) {
    if (count < 10'000) return std::to_string(count);
    const auto value = static_cast<double>(count);
    if (value < too_long * 1e3) return three_digits(value / 1e3, "k");
    if (value < too_long * 1e6) return three_digits(value / 1e6, "M");
    return three_digits(value / 1e9, "G");
}

std::string full_count(std::uint64_t count) {
    std::string digits = std::to_string(count);
    for (std::size_t i = digits.size(); i > 3;) {
        i -= 3;
        digits.insert(i, 1, ' ');
    }
    return digits;
}

std::string bytes(std::uint64_t count) {
    if (count < 1000) return std::to_string(count) + " B";
    const auto value = static_cast<double>(count);
    if (value < too_long * 1e3) return three_digits(value / 1e3, " kB");
    if (value < too_long * 1e6) return three_digits(value / 1e6, " MB");
    return three_digits(value / 1e9, " GB");
}

}  // namespace coroscope::words
