#include "version.hpp"

#include "coroscope/v2/session.pb.h"
#include "proto/address/protocol_version.hpp"

namespace coroscope::server {

std::string agent_name() { return "coroscope " + std::string(version_text()); }

std::string_view version_text() { return COROSCOPE_VERSION; }

void set_protocol_version(v2::ProtocolVersion& version) {
    version.set_major(protocol_major);
    version.set_minor(protocol_minor);
}

std::string refusal(const v2::ProtocolVersion& theirs, std::string_view who) {
    if (theirs.major() == protocol_major) return {};
    const auto text = [](unsigned major, unsigned minor) {
        return std::to_string(major) + "." + std::to_string(minor);
    };
    const bool they_are_newer = theirs.major() > protocol_major;
    return std::string(who) + " speaks protocol " + text(theirs.major(), theirs.minor()) + ", this agent (" +
           agent_name() + ") speaks " + text(protocol_major, protocol_minor) + "; " +
           (they_are_newer ? "start an agent of the newer coroscope" : "rebuild it with this agent's coroscope");
}

}  // namespace coroscope::server
