// Reads and writes addresses of agents.
#include "agent_address.hpp"

#include <sys/un.h>

#include <algorithm>
#include <cctype>
#include <charconv>

namespace coroscope {

namespace {

constexpr std::string_view unix_prefix = "unix:";

std::string quoted(std::string_view text) { return "'" + std::string(text) + "'"; }

AgentAddress parse_unix(std::string_view text, std::string_view path) {
    // gRPC's own spelling of an absolute path is unix:///path.
    if (path.substr(0, 3) == "///") path.remove_prefix(2);
    if (path.empty()) throw AddressError("address " + quoted(text) + " has no path; write unix:/path/to/a.sock");
    if (path.size() >= sizeof(sockaddr_un::sun_path)) {
        throw AddressError("the path in " + quoted(text) + " is longer than a socket's may be (" +
                           std::to_string(sizeof(sockaddr_un::sun_path) - 1) + " bytes); use a shorter one");
    }
    AgentAddress address;
    address.kind = AgentAddress::Kind::unix_socket;
    address.path = path;
    return address;
}

bool parse_port(std::string_view text, std::uint16_t& port) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
    return error == std::errc() && end == text.data() + text.size() && !text.empty();
}

}  // namespace

AgentAddress AgentAddress::parse(std::string_view text) {
    if (text.substr(0, unix_prefix.size()) == unix_prefix) return parse_unix(text, text.substr(unix_prefix.size()));

    AgentAddress address;
    address.kind = Kind::tcp;
    const std::size_t colon = text.rfind(':');
    if (colon == std::string_view::npos || !parse_port(text.substr(colon + 1), address.port)) {
        throw AddressError(quoted(text) + " is not an address; write unix:PATH or HOST:PORT");
    }
    std::string_view host = text.substr(0, colon);
    if (host.size() >= 2 && host.front() == '[' && host.back() == ']') {
        host = host.substr(1, host.size() - 2);
    } else if (host.find(':') != std::string_view::npos) {
        throw AddressError("put the IPv6 address in " + quoted(text) + " in brackets, as in [::1]:6670");
    }
    address.host = host.empty() ? "localhost" : std::string(host);
    return address;
}

std::string AgentAddress::text() const {
    if (kind == Kind::unix_socket) return std::string(unix_prefix) + path;
    const bool v6 = host.find(':') != std::string::npos;
    return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

std::string AgentAddress::target() const { return kind == Kind::tcp ? "dns:///" + text() : text(); }

bool AgentAddress::loopback() const {
    if (kind == Kind::unix_socket || host == "localhost" || host == "::1") return true;
    // 127.0.0.0/8 as numbers: "127.evil.example" is a name and no loopback address.
    return host.substr(0, 4) == "127." &&
           std::all_of(host.begin(), host.end(), [](unsigned char c) { return std::isdigit(c) != 0 || c == '.'; });
}

void require_listenable(const AgentAddress& address) {
    if (address.loopback()) return;
    throw AddressError("refusing to listen on " + address.text() +
                       ": other machines could reach it, and connections are neither encrypted nor authenticated yet; "
                       "listen on localhost:PORT or unix:PATH and forward it, for example with ssh -L");
}

bool looks_like_address(std::string_view text) {
    if (text.substr(0, unix_prefix.size()) == unix_prefix) return true;
    if (text.find('/') != std::string_view::npos) return false;
    const std::size_t colon = text.rfind(':');
    std::uint16_t port = 0;
    return colon != std::string_view::npos && parse_port(text.substr(colon + 1), port);
}

}  // namespace coroscope
