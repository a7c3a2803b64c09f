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

std::string printable(std::string_view text) {
    constexpr std::size_t longest = 512;
    std::string out;
    for (const char c : text.substr(0, longest)) {
        const auto byte = static_cast<unsigned char>(c);
        out += byte >= 0x20 && byte < 0x7f ? c : '?';
    }
    if (text.size() > longest) out += "...";
    return out;
}

}  // namespace coroscope::server
