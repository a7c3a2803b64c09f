#include "router.hpp"

#include <algorithm>
#include <stdexcept>

namespace coroscope::http {

namespace {

int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

// "/a/b" to "a", "b"; "/" to "". What comes encoded is split first: "%2F" is no separator.
std::vector<std::string_view> split(std::string_view path) {
    std::vector<std::string_view> segments;
    path.remove_prefix(1);
    for (;;) {
        const std::size_t slash = path.find('/');
        segments.push_back(path.substr(0, slash));
        if (slash == std::string_view::npos) return segments;
        path.remove_prefix(slash + 1);
    }
}

// The path of a request's target: itself, or what follows the host in "http://host/path".
std::string_view path_of(const Request& request) {
    std::string_view path = request.path();
    for (const std::string_view scheme : {"http://", "https://"}) {
        if (!path.starts_with(scheme)) continue;
        path.remove_prefix(scheme.size());
        const std::size_t slash = path.find('/');
        return slash == std::string_view::npos ? "/" : path.substr(slash);
    }
    return path;
}

bool is_name(std::string_view text) {
    return !text.empty() && !(text.front() >= '0' && text.front() <= '9') &&
           std::all_of(text.begin(), text.end(), [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
           });
}

}  // namespace

bool percent_decode(std::string_view text, std::string& decoded) {
    decoded.clear();
    decoded.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            decoded += text[i];
            continue;
        }
        if (i + 2 >= text.size()) return false;
        const int high = hex_value(text[i + 1]), low = hex_value(text[i + 2]);
        if (high < 0 || low < 0) return false;
        decoded += static_cast<char>(high * 16 + low);
        i += 2;
    }
    return true;
}

void Router::add(Route route) {
    if (!route.path.starts_with('/'))
        throw std::invalid_argument("the path of a route begins with '/': '" + route.path + "'");
    if (!route.handler) throw std::invalid_argument("the route of '" + route.path + "' has no handler");
    for (const Entry& entry : entries_) {
        if (entry.route.path == route.path && entry.route.method == route.method)
            throw std::invalid_argument("there is a route for " + route.method + " " + route.path + " already");
    }
    std::vector<Segment> segments;
    for (const std::string_view segment : split(route.path)) {
        const bool name =
            segment.starts_with('{') && segment.ends_with('}') && is_name(segment.substr(1, segment.size() - 2));
        if (!name && segment.find_first_of("{}") != std::string_view::npos) {
            throw std::invalid_argument("'" + std::string(segment) + "' in '" + route.path +
                                        "': a segment of a path is a text or a {name} as a whole");
        }
        segments.push_back({std::string(name ? segment.substr(1, segment.size() - 2) : segment), name});
    }
    entries_.push_back({std::move(route), std::move(segments)});
}

bool Router::fits(const Entry& entry, const std::vector<std::string>& path) {
    return std::equal(entry.segments.begin(), entry.segments.end(), path.begin(), path.end(),
                      [](const Segment& segment, const std::string& text) {
                          return segment.is_name ? !text.empty() : segment.text == text;
                      });
}

const Handler& Router::find(Request& request, std::string& allowed) const {
    const std::string_view target = path_of(request);
    if (!target.starts_with('/')) throw HttpError(target == "*" ? 404 : 400);
    std::vector<std::string> path;
    for (const std::string_view segment : split(target)) {
        if (!percent_decode(segment, path.emplace_back()))
            throw HttpError(400, "400: Bad Request (a '%' without two digits)");
    }
    for (const Entry& entry : entries_) {
        if (!fits(entry, path)) continue;
        const std::string& method = entry.route.method;
        if (method != request.method() && !(method == "GET" && request.method() == "HEAD")) {
            if (allowed.find(method) == std::string::npos) allowed += (allowed.empty() ? "" : ", ") + method;
            if (method == "GET" && allowed.find("HEAD") == std::string::npos) allowed += ", HEAD";
            continue;
        }
        for (std::size_t i = 0; i < path.size(); ++i) {
            if (entry.segments[i].is_name) request.match_info_.add(entry.segments[i].text, std::move(path[i]));
        }
        return entry.route.handler;
    }
    throw HttpError(allowed.empty() ? 404 : 405);
}

}  // namespace coroscope::http
