// The library's own log, through spdlog: to the app's log handler (coroscope/log.hpp), else to stderr. The app's own
// spdlog loggers are not touched.
#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

namespace coroscope::probe {
struct Registry;
}

namespace spdlog {
class logger;
}

namespace coroscope::debug {

// Thread: any. A message to the app's handler is only queued here: the handler is called on a thread of its own, for it
// may wait for a lock that a loop which hangs has, and the emitter must go on recording meanwhile.
spdlog::logger& log();
// Whose log handler is used. Before the first message; without: all goes to stderr.
void use_log_handler_of(const probe::Registry& registry) noexcept;
// Waits until the handler has been told everything, for at most so long. What is left then goes to stderr.
constexpr std::chrono::milliseconds most_of_log{200};  // where the process ends
void finish_log(std::chrono::milliseconds most);
// How long the calling thread has been kept by messages to stderr, in all.
std::uint64_t log_wait_ns() noexcept;
// "off", "error", "warn", "info", "debug". False: no such level.
bool set_log_level(std::string_view level);

// In a forked child: a thread that is not there any more may have held the old one's lock.
void renew_log_in_child();

}  // namespace coroscope::debug
