#include "text.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdio>

namespace coroscope::viewer {

namespace {

std::string three_digits(double value, const char* unit) {
    char text[48];
    const int decimals = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
    std::snprintf(text, sizeof text, "%.*f%s", decimals, value, unit);
    return text;
}

// Where the parameter list begins: the '(' of the last ')', unless that belongs to a name such as "<lambda()>".
std::size_t parameters(std::string_view function) {
    std::size_t close = std::string_view::npos;
    int angles = 0;
    for (std::size_t i = function.size(); i-- > 0 && close == std::string_view::npos;) {
        if (function[i] == '>') ++angles;
        if (function[i] == '<') --angles;
        if (function[i] == ')' && angles == 0) close = i;
    }
    if (close == std::string_view::npos) return std::string_view::npos;
    int depth = 0;
    for (std::size_t i = close + 1; i-- > 0;) {
        if (function[i] == ')') ++depth;
        if (function[i] == '(' && --depth == 0) return i;
    }
    return std::string_view::npos;
}

// Where the qualified name that ends at `end` begins: after the last space outside brackets.
std::size_t name_begin(std::string_view function, std::size_t end) {
    int depth = 0;
    for (std::size_t i = end; i-- > 0;) {
        const char c = function[i];
        if (c == '>' || c == ')' || c == '}') ++depth;
        if (c == '<' || c == '(' || c == '{') --depth;
        if (depth == 0 && (c == ' ' || c == '*' || c == '&')) return i + 1;
    }
    return 0;
}

}  // namespace

std::string duration_text(std::uint64_t ns) {
    if (ns == 0) return "0";
    const auto value = static_cast<double>(ns);
    if (value < 1e3) return std::to_string(ns) + " ns";
    if (value < 999.5e3) return three_digits(value / 1e3, " \xc2\xb5s");
    if (value < 999.5e6) return three_digits(value / 1e6, " ms");
    if (value < 60e9) return three_digits(value / 1e9, " s");
    const std::uint64_t seconds = ns / 1'000'000'000;
    char text[64];
    if (seconds < 3600) {
        std::snprintf(text, sizeof text, "%u min %02u s", static_cast<unsigned>(seconds / 60),
                      static_cast<unsigned>(seconds % 60));
    } else {
        std::snprintf(text, sizeof text, "%u h %02u min", static_cast<unsigned>(seconds / 3600),
                      static_cast<unsigned>(seconds / 60 % 60));
    }
    return text;
}

std::string round_duration_text(std::uint64_t ns) {
    if (ns >= 1'000'000'000 && ns % 1'000'000'000 == 0) return std::to_string(ns / 1'000'000'000) + " s";
    if (ns >= 1'000'000 && ns % 1'000'000 == 0) return std::to_string(ns / 1'000'000) + " ms";
    if (ns >= 1'000 && ns % 1'000 == 0) return std::to_string(ns / 1'000) + " \xc2\xb5s";
    return duration_text(ns);
}

std::string count_text(std::uint64_t count) {
    if (count < 10'000) return std::to_string(count);
    const auto value = static_cast<double>(count);
    if (value < 999.5e3) return three_digits(value / 1e3, "k");
    if (value < 999.5e6) return three_digits(value / 1e6, "M");
    return three_digits(value / 1e9, "G");
}

std::string full_count_text(std::uint64_t count) {
    std::string digits = std::to_string(count);
    for (std::size_t i = digits.size(); i > 3;) {
        i -= 3;
        digits.insert(i, 1, ' ');
    }
    return digits;
}

std::string bytes_text(std::uint64_t bytes) {
    if (bytes < 1000) return std::to_string(bytes) + " B";
    const auto value = static_cast<double>(bytes);
    if (value < 999.5e3) return three_digits(value / 1e3, " kB");
    if (value < 999.5e6) return three_digits(value / 1e6, " MB");
    return three_digits(value / 1e9, " GB");
}

std::string_view base_name(std::string_view path) {
    const std::size_t slash = path.rfind('/');
    return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

std::string place_text(std::string_view file, std::uint32_t line) {
    if (file.empty()) return {};
    std::string text(base_name(file));
    if (line != 0) text += ":" + std::to_string(line);
    return text;
}

std::string function_text(std::string_view function) {
    // "f(int) [with T = int]" is gcc's way to name an instance.
    if (const std::size_t with = function.find(" [with "); with != std::string_view::npos)
        function = function.substr(0, with);
    std::size_t end = parameters(function);
    if (end == std::string_view::npos || end == 0) return std::string(function);
    // What is declared within a function is named after it: "run(int)::<lambda()>".
    if (function.find(")::", end) != std::string_view::npos) end = function.size();
    const std::size_t begin = name_begin(function, end);
    if (begin >= end) return std::string(function);
    return std::string(function.substr(begin, end - begin));
}

std::string short_function_text(std::string_view function) {
    const std::string name = function_text(function);
    int depth = 0;
    for (std::size_t i = name.size(); i-- > 1;) {
        const char c = name[i];
        if (c == '>' || c == ')' || c == '}') ++depth;
        if (c == '<' || c == '(' || c == '{') --depth;
        if (depth == 0 && c == ':' && name[i - 1] == ':') return name.substr(i + 1);
    }
    return name;
}

bool contains_text(std::string_view text, std::string_view needle) {
    const auto same = [](char a, char b) {
        return std::tolower(static_cast<unsigned char>(a)) == std::tolower(static_cast<unsigned char>(b));
    };
    return std::search(text.begin(), text.end(), needle.begin(), needle.end(), same) != text.end();
}

}  // namespace coroscope::viewer
