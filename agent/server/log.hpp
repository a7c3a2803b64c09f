// The agent's log: spdlog to stderr, one line an event. What comes from outside goes through words::printable() first.
#pragma once

#include <spdlog/spdlog.h>

namespace coroscope::server {

// Once, before the first line. `quiet`: warnings and errors only.
void start_log(bool quiet);

}  // namespace coroscope::server
