// The agent's log: spdlog to stderr, one line an event. What comes from outside goes through printable() first.
#pragma once

#include <string>
#include <string_view>

#include <spdlog/spdlog.h>

namespace coroscope::server {

// Once, before the first line. `quiet`: warnings and errors only.
void start_log(bool quiet);

// Text from outside without line breaks, terminal sequences and broken UTF-8, and of bounded length.
std::string printable(std::string_view text);

}  // namespace coroscope::server
