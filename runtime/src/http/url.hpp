// A URL's parts, as far as HTTP needs them (RFC 3986).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace coroscope::http {

struct Url {
    std::string scheme;  // "http", "https"
    std::string host;    // "example.com", "::1"
    std::uint16_t port = 80;
    std::string target;  // "/path?query"

    bool is_tls() const noexcept { return scheme == "https"; }
    std::string authority() const;  // for the Host header: "example.com:8080", "[::1]"
    std::string text() const { return scheme + "://" + authority() + target; }
};

// Throws std::invalid_argument that says what is wrong. The fragment is left out.
Url parse_url(std::string_view text);
// What a Location header means, seen from `base`.
Url resolve_url(const Url& base, std::string_view reference);

}  // namespace coroscope::http
