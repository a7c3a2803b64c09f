// Address: where a socket is bound or connected to. Names of hosts: lookup.hpp.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

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

}  // namespace coroscope
