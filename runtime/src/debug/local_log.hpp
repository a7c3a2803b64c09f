// The library's own log, on stderr, through spdlog; the app's loggers are not touched.
#pragma once

#include <string_view>

namespace spdlog {
class logger;
}

namespace coroscope::debug {

spdlog::logger& log();
// "off", "error", "warn", "info", "debug". False: no such level.
bool set_log_level(std::string_view level);

// In a forked child: a thread that is not there any more may have held the old one's lock.
void renew_log_in_child();

}  // namespace coroscope::debug
