// Address: where a socket is bound or connected to. And name lookup.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "coroscope/coro.hpp"

namespace coroscope {

// An IPv4, IPv6 or unix socket address. A value; any thread.
class Address {
public:
    Address() noexcept;  // none
    Address(const sockaddr* address, socklen_t size) noexcept;

    // From "127.0.0.1" or "::1"; nothing if `host` is no number.
    static std::optional<Address> numeric(std::string_view host, std::uint16_t port) noexcept;
    // Throws std::invalid_argument if the path is empty or does not fit (107 bytes). A path that begins with '\0' is an
    // abstract name: no file is made for it.
    static Address unix_path(std::string_view path);

    int family() const noexcept { return storage_.ss_family; }  // AF_UNSPEC: none
    std::uint16_t port() const noexcept;                        // 0 if it has none
    void set_port(std::uint16_t port) noexcept;
    std::string text() const;  // "127.0.0.1:80", "[::1]:80", "unix:/run/x.sock", "unix:@abstract", "?"
    const sockaddr* data() const noexcept { return reinterpret_cast<const sockaddr*>(&storage_); }
    socklen_t size() const noexcept { return size_; }

private:
    sockaddr_storage storage_;
    socklen_t size_ = 0;
};

// The addresses of a host, in the order to try them. Numbers, "localhost" and "" (`passive`: all interfaces; else
// localhost) are answered at once, other names by the system's resolver on a thread of the loop's pool. Cancellation
// point (the look-up itself goes on in its thread). Throws LookupError.
Coro<std::vector<Address>> resolve(std::string host, std::uint16_t port, bool passive = false);

}  // namespace coroscope
