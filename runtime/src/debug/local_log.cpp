#include "local_log.hpp"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <memory>
#include <string>

#include "coroscope/emit.h"

namespace coroscope::debug {

namespace {

std::atomic<bool (*)(int, const char*) noexcept> tell_handler{nullptr};

int level_of(spdlog::level::level_enum level) {
    if (level >= spdlog::level::err) return CS_LOG_ERROR;
    if (level == spdlog::level::warn) return CS_LOG_WARNING;
    return level == spdlog::level::info ? CS_LOG_INFO : CS_LOG_DEBUG;
}

class AppOrStderr final : public spdlog::sinks::stderr_sink_mt {
public:
    void log(const spdlog::details::log_msg& message) override {
        const auto tell = tell_handler.load(std::memory_order_acquire);
        const std::string text(message.payload.data(), message.payload.size());
        if (tell == nullptr || !tell(level_of(message.level), text.c_str()))
            spdlog::sinks::stderr_sink_mt::log(message);
    }
};

// Not in spdlog's registry: an app that uses spdlog itself never meets it. Leaked: the emitter may log until the
// process ends.
spdlog::logger* make_log() {
    auto* made = new spdlog::logger("coroscope", std::make_shared<AppOrStderr>());
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

void set_log_handler(bool (*tell)(int level, const char* text) noexcept) noexcept {
    tell_handler.store(tell, std::memory_order_release);
}

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
