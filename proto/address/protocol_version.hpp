// The version of the conversation (ProtocolVersion in proto/coroscope/v2/session.proto). std only: every end of it
// shares this.
#pragma once

#include <cstdint>

namespace coroscope {

// Equal majors can talk. A new minor only adds what an older reader ignores.
inline constexpr std::uint32_t protocol_major = 2;
inline constexpr std::uint32_t protocol_minor = 0;

}  // namespace coroscope
