#include "log.hpp"

#include <spdlog/sinks/stdout_color_sinks.h>

namespace coroscope::server {

void start_log(bool quiet) {
    auto logger = std::make_shared<spdlog::logger>("agent", std::make_shared<spdlog::sinks::stderr_color_sink_mt>());
    logger->set_pattern("%Y-%m-%d %H:%M:%S.%e %^%-7l%$ %v");
    logger->set_level(quiet ? spdlog::level::warn : spdlog::level::info);
    logger->flush_on(spdlog::level::trace);
    spdlog::set_default_logger(std::move(logger));
}

}  // namespace coroscope::server
