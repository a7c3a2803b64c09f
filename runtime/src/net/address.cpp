#include "coroscope/net/address.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <stdexcept>

namespace coroscope {

Address::Address() noexcept { std::memset(&storage_, 0, sizeof storage_); }

Address::Address(const sockaddr* address, socklen_t size) noexcept : Address() {
    size_ = size < sizeof storage_ ? size : static_cast<socklen_t>(sizeof storage_);
    std::memcpy(&storage_, address, size_);
}

std::optional<Address> Address::numeric(std::string_view host, std::uint16_t port) noexcept {
    char text[INET6_ADDRSTRLEN];
    if (host.size() >= sizeof text) return std::nullopt;
    *std::copy(host.begin(), host.end(), text) = '\0';
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    if (::inet_pton(AF_INET, text, &v4.sin_addr) == 1) return Address(reinterpret_cast<sockaddr*>(&v4), sizeof v4);
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    if (::inet_pton(AF_INET6, text, &v6.sin6_addr) == 1) return Address(reinterpret_cast<sockaddr*>(&v6), sizeof v6);
    return std::nullopt;
}

Address Address::unix_path(std::string_view path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.empty() || path.size() >= sizeof address.sun_path) {
        throw std::invalid_argument("the path of a unix socket has 1 to " +
                                    std::to_string(sizeof address.sun_path - 1) + " bytes, this one " +
                                    std::to_string(path.size()));
    }
    std::copy(path.begin(), path.end(), address.sun_path);
    const std::size_t end = path.front() == '\0' ? 0 : 1;  // an abstract name has none
    const std::size_t size = offsetof(sockaddr_un, sun_path) + path.size() + end;
    return Address(reinterpret_cast<sockaddr*>(&address), static_cast<socklen_t>(size));
}

std::uint16_t Address::port() const noexcept {
    if (family() == AF_INET) return ntohs(reinterpret_cast<const sockaddr_in&>(storage_).sin_port);
    if (family() == AF_INET6) return ntohs(reinterpret_cast<const sockaddr_in6&>(storage_).sin6_port);
    return 0;
}

void Address::set_port(std::uint16_t port) noexcept {
    if (family() == AF_INET) reinterpret_cast<sockaddr_in&>(storage_).sin_port = htons(port);
    if (family() == AF_INET6) reinterpret_cast<sockaddr_in6&>(storage_).sin6_port = htons(port);
}

std::string Address::text() const {
    char host[INET6_ADDRSTRLEN] = "?";
    if (family() == AF_INET) {
        ::inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in&>(storage_).sin_addr, host, sizeof host);
        return std::string(host) + ":" + std::to_string(port());
    }
    if (family() == AF_INET6) {
        ::inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6&>(storage_).sin6_addr, host, sizeof host);
        return "[" + std::string(host) + "]:" + std::to_string(port());
    }
    if (family() == AF_UNIX) {
        const auto& address = reinterpret_cast<const sockaddr_un&>(storage_);
        if (size_ <= offsetof(sockaddr_un, sun_path)) return "unix:(unnamed)";  // a client's end
        if (address.sun_path[0] == '\0')                                        // an abstract name: all bytes count
            return "unix:@" + std::string(address.sun_path + 1, size_ - offsetof(sockaddr_un, sun_path) - 1);
        return "unix:" + std::string(address.sun_path, ::strnlen(address.sun_path, sizeof address.sun_path));
    }
    return host;
}

}  // namespace coroscope
