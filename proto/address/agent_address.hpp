// Where an agent listens and where apps, commands and viewers find it: "unix:PATH" or "HOST:PORT". The grammar is here
// and nowhere else.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

namespace coroscope {

// What is wrong with an address, and what to write instead.
class AddressError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

struct AgentAddress {
    enum class Kind : std::uint8_t { unix_socket, tcp };
    Kind kind = Kind::unix_socket;
    std::string path;        // unix_socket
    std::string host;        // tcp: a name or a number, without brackets
    std::uint16_t port = 0;  // tcp: 0 lets the system choose

    // Reads "unix:/run/x.sock", "localhost:6670", "[::1]:6670", ":6670" (loopback). Throws AddressError.
    static AgentAddress parse(std::string_view text);

    // As a person writes it, and as parse() reads it.
    std::string text() const;
    // As gRPC takes it.
    std::string target() const;
    // Only this machine can reach it.
    bool loopback() const;
};

// Throws AddressError unless an agent may listen there: a unix socket or loopback.
void require_listenable(const AgentAddress& address);

// Looks like an address rather than a file: "unix:..." or "host:port" with a number at its end.
bool looks_like_address(std::string_view text);

}  // namespace coroscope
