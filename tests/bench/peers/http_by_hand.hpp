// HTTP/1.1 written by hand, for the servers that show what is the least: requests in a buffer to answers in a string.
// Pieces, pipelining, keep-alive and limits are right; there are no routes, bodies or time limits.
#pragma once

#include <strings.h>

#include <charconv>
#include <cstddef>
#include <ctime>
#include <string>
#include <string_view>

namespace coroscope::bench {

inline constexpr std::size_t header_limit = 8192;

// What stands between the status and the length in every answer; made once a second because of the date.
inline std::string_view common_headers() {
    static std::time_t made = 0;
    static char text[192];
    static std::size_t size = 0;
    const std::time_t now = std::time(nullptr);
    if (now != made) {
        std::tm parts{};
        ::gmtime_r(&now, &parts);
        size = std::strftime(text, sizeof text,
                             "\r\nContent-Type: text/plain; charset=utf-8\r\nServer: by hand\r\n"
                             "Date: %a, %d %b %Y %H:%M:%S GMT\r\nContent-Length: ",
                             &parts);
        made = now;
    }
    return {text, size};
}

// What becomes of a connection after an answer. Drain: input is left that a close would turn into a reset.
enum class Then { more, close, drain };

struct Request {
    std::string_view method, target;
    Then then = Then::more;
};

inline bool same(std::string_view a, std::string_view b) {
    return a.size() == b.size() && ::strncasecmp(a.data(), b.data(), a.size()) == 0;
}

inline std::string_view trimmed(std::string_view text) {
    const std::size_t first = text.find_first_not_of(" \t");
    if (first == text.npos) return {};
    return text.substr(first, text.find_last_not_of(" \t") + 1 - first);
}

inline bool has_token(std::string_view list, std::string_view token) {
    for (;;) {
        const std::size_t comma = list.find(',');
        if (same(trimmed(list.substr(0, comma)), token)) return true;
        if (comma == list.npos) return false;
        list.remove_prefix(comma + 1);
    }
}

// `head` is a request without the empty line, every line with its end. A body is not read: the answer is the last one.
inline bool parse(std::string_view head, Request& request) {
    std::size_t end = head.find("\r\n");
    const std::string_view line = head.substr(0, end);
    const std::size_t space = line.find(' ');
    if (space == line.npos || space == 0) return false;
    const std::size_t second = line.find(' ', space + 1);
    if (second == line.npos || second == space + 1) return false;
    const std::string_view version = line.substr(second + 1);
    if (version != "HTTP/1.1" && version != "HTTP/1.0") return false;
    request.method = line.substr(0, space);
    request.target = line.substr(space + 1, second - space - 1);
    if (version.back() == '0') request.then = Then::close;
    for (std::size_t at = end + 2; at < head.size(); at = end + 2) {
        end = head.find("\r\n", at);
        const std::string_view header = head.substr(at, end - at);
        const std::size_t colon = header.find(':');
        if (colon == header.npos) return false;
        const std::string_view name = header.substr(0, colon);
        if (same(name, "Connection")) {
            if (has_token(header.substr(colon + 1), "close") && request.then == Then::more) request.then = Then::close;
        } else if (same(name, "Transfer-Encoding") ||
                   (same(name, "Content-Length") && trimmed(header.substr(colon + 1)) != "0")) {
            request.then = Then::drain;
        }
    }
    return true;
}

// Appends everything but the body.
inline void append_head(std::string& out, std::string_view status, std::size_t length, Then then) {
    char digits[20];
    char* const end = std::to_chars(digits, digits + sizeof digits, length).ptr;
    out.append("HTTP/1.1 ").append(status).append(common_headers()).append(digits, end);
    out.append(then == Then::more ? "\r\n\r\n" : "\r\nConnection: close\r\n\r\n");
}

inline void append_text(std::string& out, std::string_view status, std::string_view text, Then then) {
    append_head(out, status, text.size(), then);
    out.append(text);
}

inline void append_answer(std::string& out, const Request& request) {
    constexpr std::string_view hello = "Hello, ", not_found = "404: Not Found";
    const std::string_view name = request.target == "/" ? "Anonymous" : request.target.substr(1);
    if (request.target[0] == '/' && request.method == "GET" && name.find('/') == name.npos) {
        append_head(out, "200 OK", hello.size() + name.size() + 1, request.then);
        out.append(hello).append(name).append("!");
    } else {
        append_head(out, "404 Not Found", not_found.size(), request.then);
        if (request.method != "HEAD") out.append(not_found);
    }
}

// Appends the answers to all whole requests in `input` and leaves there what comes after them.
inline Then answer_all(std::string_view& input, std::string& out) {
    for (;;) {
        const std::size_t size = input.find("\r\n\r\n");
        if (size == input.npos) {
            if (input.size() < header_limit) return Then::more;
            append_text(out, "431 Request Header Fields Too Large", "431: Request Header Fields Too Large",
                        Then::drain);
            return Then::drain;
        }
        Request request;
        if (!parse(input.substr(0, size + 2), request)) {
            append_text(out, "400 Bad Request", "400: Bad Request", Then::drain);
            return Then::drain;
        }
        input.remove_prefix(size + 4);
        append_answer(out, request);
        if (request.then == Then::close && !input.empty()) return Then::drain;
        if (request.then != Then::more) return request.then;
    }
}

}  // namespace coroscope::bench
