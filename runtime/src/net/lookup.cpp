#include "coroscope/net/lookup.hpp"

#include <netdb.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>
#include <stdexcept>

#include "coroscope/to_thread.hpp"

namespace coroscope {

namespace {

std::string reason(int status, int error) {
    return status == EAI_SYSTEM ? std::strerror(error) : ::gai_strerror(status);
}

// One getaddrinfo(). Returns its status; fills `addresses` if that is 0.
int ask(const std::string& host, const std::string& service, const LookupOptions& options, int flags,
        std::vector<Address>& addresses) {
    addrinfo hints{};
    hints.ai_family = options.family;
    hints.ai_socktype = options.type;
    hints.ai_flags = flags | (options.passive ? AI_PASSIVE : 0);
    addrinfo* found = nullptr;
    // Without a host and a service there is nothing to ask for: port 0 then.
    const char* const service_text = service.empty() ? "0" : service.c_str();
    const int status = ::getaddrinfo(host.empty() ? nullptr : host.c_str(), service_text, &hints, &found);
    if (status != 0) return status;
    const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(found, &::freeaddrinfo);
    for (const addrinfo* each = found; each != nullptr; each = each->ai_next)
        addresses.emplace_back(each->ai_addr, each->ai_addrlen);
    return 0;
}

[[noreturn]] void fail_lookup(const std::string& host, const std::string& service, const std::string& why, int status) {
    const std::string what = service.empty() ? "" : ", service '" + service + "'";
    throw LookupError("cannot find host '" + host + "'" + what + ": " + why, status);
}

// On a thread of the pool.
std::vector<Address> ask_resolver(const std::string& host, const std::string& service, const LookupOptions& options) {
    std::vector<Address> addresses;
    const int status = ask(host, service, options, AI_ADDRCONFIG, addresses);
    if (status != 0) fail_lookup(host, service, reason(status, errno), status);
    return addresses;
}

bool is_number(const std::string& text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// What needs no resolver: numbers and this machine. Nothing: it is a name.
std::optional<std::vector<Address>> known(const std::string& host, const std::string& service,
                                          const LookupOptions& options) {
    if (!is_number(service)) return std::nullopt;
    if (service.size() > 5 || (!service.empty() && std::stoi(service) > 65535))
        throw LookupError("'" + service + "' is no port; they are from 0 to 65535", EAI_SERVICE);
    std::vector<Address> addresses;
    if (host.empty() || host == "localhost") {
        const std::uint16_t port = service.empty() ? std::uint16_t{0} : static_cast<std::uint16_t>(std::stoi(service));
        const bool all = host.empty() && options.passive;
        for (const char* number : {all ? "0.0.0.0" : "127.0.0.1", all ? "::" : "::1"}) {
            const Address address = *Address::numeric(number, port);
            if (options.family == AF_UNSPEC || options.family == address.family()) addresses.push_back(address);
        }
        return addresses;
    }
    const int status = ask(host, service, options, AI_NUMERICHOST | AI_NUMERICSERV, addresses);
    if (status == 0) return addresses;
    if (status == EAI_NONAME) return std::nullopt;
    fail_lookup(host, service, reason(status, errno), status);
}

HostAndService ask_names(const Address& address, int flags) {
    char host[NI_MAXHOST];
    char service[NI_MAXSERV];
    const int status = ::getnameinfo(address.data(), address.size(), host, sizeof host, service, sizeof service, flags);
    if (status != 0) throw LookupError("cannot name " + address.text() + ": " + reason(status, errno), status);
    HostAndService names;
    names.host = host;
    names.service = service;
    return names;
}

}  // namespace

Coro<std::vector<Address>> lookup(std::string host, std::string service, LookupOptions options) {
    if (host.find('\0') != std::string::npos) throw LookupError("a host name has no zero byte in it", EAI_NONAME);
    if (auto addresses = known(host, service, options)) co_return std::move(*addresses);
    co_return co_await to_thread(ask_resolver, std::move(host), std::move(service), options);
}

Coro<HostAndService> reverse_lookup(Address address, bool numeric) {
    if (address.family() != AF_INET && address.family() != AF_INET6)
        throw LookupError("only IPv4 and IPv6 addresses have names, not " + address.text(), EAI_FAMILY);
    if (numeric) co_return ask_names(address, NI_NUMERICHOST | NI_NUMERICSERV);
    co_return co_await to_thread(ask_names, address, 0);
}

Coro<std::vector<Address>> resolve(std::string host, std::uint16_t port, bool passive) {
    LookupOptions options;
    options.passive = passive;
    std::string service = std::to_string(port);
    try {
        co_return co_await lookup(host, std::move(service), options);
    } catch (const LookupError& error) {
        throw LookupError("cannot find host '" + host + "': " + ::gai_strerror(error.code()), error.code());
    }
}

}  // namespace coroscope
