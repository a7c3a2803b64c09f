// One line of the runtime's own, for people: to the app's log handler, or to stderr. See coroscope/log.hpp.
#pragma once

#include "coroscope/log.hpp"

namespace coroscope::detail {

// As printf(), without a newline. What could be taken for another line, or for a command to a terminal, is shown by its
// code. Any thread, not a signal handler.
[[gnu::format(printf, 2, 3)]] void log_line(LogLevel level, const char* format, ...) noexcept;

}  // namespace coroscope::detail
