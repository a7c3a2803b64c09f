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

}  // namespace coroscope::debug
