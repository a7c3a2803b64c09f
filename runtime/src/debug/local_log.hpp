// The library's own log, through spdlog: to the app's log handler (coroscope/log.hpp), else to stderr. The app's own
// spdlog loggers are not touched.
#pragma once

#include <string_view>

namespace spdlog {
class logger;
}

namespace coroscope::debug {

spdlog::logger& log();
// As Registry::tell_log_handler. Before the first message; nullptr: all goes to stderr.
void set_log_handler(bool (*tell)(int level, const char* text) noexcept) noexcept;
// "off", "error", "warn", "info", "debug". False: no such level.
bool set_log_level(std::string_view level);

// In a forked child: a thread that is not there any more may have held the old one's lock.
void renew_log_in_child();

}  // namespace coroscope::debug
