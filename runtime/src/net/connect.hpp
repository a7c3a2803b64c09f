// Making stream sockets, for connecting and for listening.
#pragma once

#include "coroscope/net/socket.hpp"

namespace coroscope::detail {

struct SocketAccess {
    static SocketState& state(const Socket& socket) { return socket.state(); }
};

// Not connected. Throws std::system_error that says what to do.
Socket new_stream_socket(int family);
// Bound, not listening yet.
Socket bind_stream_socket(const Address& address, bool reuse_port);

}  // namespace coroscope::detail
