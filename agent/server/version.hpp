// Which version of the conversation this agent speaks, and what it says to those who speak another.
#pragma once

#include <string>
#include <string_view>

namespace coroscope::v2 {
class ProtocolVersion;
}

namespace coroscope::server {

// "coroscope 0.1.0"
std::string agent_name();
// "0.1.0"
std::string_view version_text();

void set_protocol_version(v2::ProtocolVersion& version);

// Empty when `theirs` can talk with us; else why not, with both versions, and what to do. `who` is "this app (pipeline,
// pid 12, coroscope 2.0.0)" or "this command".
std::string refusal(const v2::ProtocolVersion& theirs, std::string_view who);

}  // namespace coroscope::server
