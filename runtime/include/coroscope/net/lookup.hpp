// lookup(): the addresses of a host and a service; reverse_lookup(): their names. asyncio's loop.getaddrinfo() and
// getnameinfo().
//
//     std::vector<Address> addresses = co_await lookup("example.org", "https");
//
// The system's resolver (getaddrinfo) runs on a thread of the loop's pool. A numeric host with a numeric service is
// answered at once, without a thread, and so is "localhost". Cancellation points: the wait ends at once, the look-up
// itself goes on in its thread. Thread: the loop's. resolve() is the short form for a port.
#pragma once

#include <sys/socket.h>

#include <string>
#include <vector>

#include "coroscope/coro.hpp"
#include "coroscope/net/address.hpp"
#include "coroscope/net/error.hpp"

namespace coroscope {

class LookupOptions {
public:
    LookupOptions() noexcept {}
    int family = AF_UNSPEC;  // AF_INET, AF_INET6: only these
    int type = SOCK_STREAM;  // for which the service is looked up
    bool passive = false;    // an empty host means all interfaces, to listen on; else this machine
};

// The addresses, in the order to try them (RFC 6724). Service: a name as in /etc/services, a number, or empty (port 0).
// Throws LookupError that names the host.
Coro<std::vector<Address>> lookup(std::string host, std::string service = {}, LookupOptions options = {});

// The addresses of a host with a port, in the order to try them. `passive`: as LookupOptions::passive. Numbers,
// "localhost" and "" are answered at once, other names on a thread of the loop's pool. Throws LookupError.
Coro<std::vector<Address>> resolve(std::string host, std::uint16_t port, bool passive = false);

class HostAndService {
public:
    HostAndService() noexcept {}
    std::string host, service;
};

// `numeric`: numbers instead of names, at once. Without a name for the host, its number. Throws LookupError.
Coro<HostAndService> reverse_lookup(Address address, bool numeric = false);

}  // namespace coroscope
