#include "url.hpp"

#include <algorithm>
#include <charconv>
#include <stdexcept>

namespace coroscope::http {

namespace {

[[noreturn]] void refuse(std::string_view text, const std::string& why) {
    throw std::invalid_argument("'" + std::string(text) + "' is no URL that can be requested: " + why);
}

std::string lower(std::string_view text) {
    std::string result(text);
    for (char& c : result)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return result;
}

std::uint16_t default_port(const std::string& scheme) { return scheme == "https" ? 443 : 80; }

// Dot segments go (RFC 3986, 5.2.4).
std::string without_dots(std::string_view path) {
    std::string result;
    while (!path.empty()) {
        const std::size_t end = std::min(path.find('/', 1), path.size());
        const std::string_view segment = path.substr(0, end);
        path.remove_prefix(end);
        if (segment == "/." || segment == "/..") {
            if (segment == "/..") result.erase(std::min(result.rfind('/'), result.size()));
            if (path.empty()) result += '/';
        } else {
            result += segment;
        }
    }
    return result.empty() ? "/" : result;
}

}  // namespace

std::string Url::authority() const {
    const std::string name = host.find(':') == std::string::npos ? host : "[" + host + "]";
    return port == default_port(scheme) ? name : name + ":" + std::to_string(port);
}

Url parse_url(std::string_view text) {
    for (const char c : text)
        if (static_cast<unsigned char>(c) <= ' ' || c == '\x7f')
            refuse(text, "it has a space or a control character; encode it as %20");
    Url url;
    const std::size_t colon = text.find("://");
    if (colon == std::string_view::npos) refuse(text, "it does not begin with http:// or https://");
    url.scheme = lower(text.substr(0, colon));
    if (url.scheme != "http" && url.scheme != "https") refuse(text, "'" + url.scheme + "' is neither http nor https");
    url.port = default_port(url.scheme);
    std::string_view rest = text.substr(colon + 3);
    rest = rest.substr(0, rest.find('#'));
    const std::size_t path = std::min(rest.find_first_of("/?"), rest.size());
    std::string_view authority = rest.substr(0, path);
    url.target = std::string(rest.substr(path));
    if (!url.target.starts_with('/')) url.target.insert(0, "/");
    if (authority.find('@') != std::string_view::npos)
        refuse(text, "a user and password are not sent; use an Authorization header");
    std::string_view port;
    if (authority.starts_with('[')) {
        const std::size_t end = authority.find(']');
        if (end == std::string_view::npos) refuse(text, "the ']' after the address is missing");
        url.host = std::string(authority.substr(1, end - 1));
        port = authority.substr(end + 1);
    } else {
        const std::size_t end = std::min(authority.find(':'), authority.size());
        url.host = lower(authority.substr(0, end));
        port = authority.substr(end);
    }
    if (url.host.empty()) refuse(text, "it names no host");
    if (port.empty() || port == ":") return url;
    port.remove_prefix(1);
    const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), url.port);
    if (error != std::errc() || end != port.data() + port.size() || url.port == 0)
        refuse(text, "'" + std::string(port) + "' is no port");
    return url;
}

Url resolve_url(const Url& base, std::string_view reference) {
    if (reference.find("://") != std::string_view::npos) return parse_url(reference);
    if (reference.starts_with("//")) return parse_url(base.scheme + ":" + std::string(reference));
    const std::string_view path = std::string_view(base.target).substr(0, base.target.find('?'));
    std::string target;
    if (reference.starts_with('/')) {
        target = std::string(reference);
    } else if (reference.starts_with('?')) {
        target = std::string(path) + std::string(reference);
    } else {
        target = std::string(path.substr(0, path.rfind('/') + 1)) + std::string(reference);
    }
    const std::size_t query = std::min(target.find_first_of("?#"), target.size());
    return parse_url(base.scheme + "://" + base.authority() + without_dots(target.substr(0, query)) +
                     target.substr(query));
}

}  // namespace coroscope::http
