#include "debug_switch.hpp"

#include <cstdlib>
#include <string_view>

#include "coroscope/emit.h"
#include "log.hpp"
#include "uncaught.hpp"

namespace coroscope::detail {

namespace {

// One line, and the app runs on: nothing here may stop it.
void open(const char* target) noexcept {
    if (const char* why_not = cs_open(target, nullptr)) log_line(LogLevel::warning, "%s", why_not);
    if (cs_is_on() != 0) watch_for_uncaught_exceptions();
}

}  // namespace

void start_debug_from_environment() noexcept { open(nullptr); }

void start_debug() noexcept {
    const char* value = ::secure_getenv("COROSCOPE");
    const std::string_view asked = value == nullptr ? "" : value;
    if (asked.empty() || asked == "standby") return open("1");
    constexpr std::string_view standby_for = "standby:";
    open(asked.starts_with(standby_for) ? value + standby_for.size() : nullptr);
}

void switch_debug(bool on) noexcept {
    if (!on) return cs_switch_off(1000);
    if (const char* why_not = cs_switch_on(nullptr)) log_line(LogLevel::warning, "%s", why_not);
    if (cs_is_on() != 0) watch_for_uncaught_exceptions();
}

void finish_debug() noexcept { cs_close(1000); }

}  // namespace coroscope::detail
