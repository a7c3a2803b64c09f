// Seconds, or a date and a time.
#include "moment.hpp"

#include <cmath>
#include <cstdio>
#include <ctime>

namespace coroscope::cli {

namespace {

constexpr double ns_per_second = 1e9;

// All of `text` as a number of seconds that is not negative.
std::optional<std::uint64_t> seconds_as_ns(const std::string& text) {
    char* end = nullptr;
    const double seconds = std::strtod(text.c_str(), &end);
    constexpr double most = 1e9;  // thirty years
    if (text.empty() || *end != 0 || !std::isfinite(seconds) || seconds < 0 || seconds > most) return std::nullopt;
    return static_cast<std::uint64_t>(std::llround(seconds * ns_per_second));
}

}  // namespace

std::optional<trace::When> parse_moment(const std::string& text) {
    if (const auto ns = seconds_as_ns(text)) return trace::When{trace::When::From::recording_start, *ns};
    std::tm day{};
    char seconds[32];
    char rest = 0;
    if (std::sscanf(text.c_str(), "%4d-%2d-%2d%*1[T ]%2d:%2d:%31[0-9.]%c", &day.tm_year, &day.tm_mon, &day.tm_mday,
                    &day.tm_hour, &day.tm_min, seconds, &rest) != 6)
        return std::nullopt;
    const auto within = seconds_as_ns(seconds);
    if (!within) return std::nullopt;
    day.tm_year -= 1900;
    day.tm_mon -= 1;
    day.tm_isdst = -1;  // the system knows
    const std::time_t minute = std::mktime(&day);
    if (minute < 0) return std::nullopt;
    return trace::When{trace::When::From::unix_epoch, static_cast<std::uint64_t>(minute) * 1'000'000'000u + *within};
}

}  // namespace coroscope::cli
