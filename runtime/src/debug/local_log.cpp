#include "local_log.hpp"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <memory>

namespace coroscope::debug {

namespace {

// Not in spdlog's registry: an app that uses spdlog itself never meets it. Leaked: the emitter may log until the
// process ends.
spdlog::logger* make_log() {
    auto* made = new spdlog::logger("coroscope", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_pattern("%H:%M:%S.%e coroscope %l: %v");
    made->set_level(spdlog::level::warn);
    made->flush_on(spdlog::level::debug);
    return made;
}

std::atomic<spdlog::logger*>& the_log() {
    static std::atomic<spdlog::logger*> log{make_log()};
    return log;
}

}  // namespace

// Relaxed: the logger is replaced only while the process has one thread.
spdlog::logger& log() { return *the_log().load(std::memory_order_relaxed); }

void renew_log_in_child() { the_log().store(make_log(), std::memory_order_relaxed); }

bool set_log_level(std::string_view level) {
    for (const auto& [name, value] : {std::pair<std::string_view, spdlog::level::level_enum>{"off", spdlog::level::off},
                                      {"error", spdlog::level::err},
                                      {"warn", spdlog::level::warn},
                                      {"info", spdlog::level::info},
                                      {"debug", spdlog::level::debug}}) {
        if (name != level) continue;
        log().set_level(value);
        return true;
    }
    return false;
}

}  // namespace coroscope::debug
