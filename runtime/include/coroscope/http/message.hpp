// Requests and responses of the HTTP server. Values; any thread.
#pragma once

#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace coroscope::http {

// Header fields in their order. Names compare without regard to case; a name may occur several times.
class Headers {
public:
    using Field = std::pair<std::string, std::string>;

    Headers() noexcept = default;
    // The first one's value; nullptr: there is none. Pointer and view are valid until the headers change; the view may
    // also be `otherwise`.
    const std::string* find(std::string_view name) const noexcept;
    std::string_view get(std::string_view name, std::string_view otherwise = {}) const noexcept;
    std::size_t count(std::string_view name) const noexcept;
    // Throw std::invalid_argument if the name is no token, or if the value has a control character (a line break would
    // let a client that chose the value write headers of its own).
    void add(std::string_view name, std::string_view value);
    void set(std::string_view name, std::string_view value);  // the only one of its name
    const std::vector<Field>& fields() const noexcept { return fields_; }
    auto begin() const noexcept { return fields_.begin(); }
    auto end() const noexcept { return fields_.end(); }

private:
    friend class RequestReader;
    friend class ResponseReader;
    std::vector<Field> fields_;
};

// What the {name}s of the route stand for in this request, percent-decoded.
class MatchInfo {
public:
    MatchInfo() noexcept = default;
    std::string get(std::string_view name, std::string_view otherwise = {}) const;
    void add(std::string name, std::string value) { values_.emplace_back(std::move(name), std::move(value)); }
    bool empty() const noexcept { return values_.empty(); }

private:
    std::vector<std::pair<std::string, std::string>> values_;
};

// Views and references are valid as long as the request.
class Request {
public:
    Request() = default;
    const std::string& method() const noexcept { return method_; }  // "GET"
    const std::string& target() const noexcept { return target_; }  // as sent: "/a%20b?x=1"
    std::string_view path() const noexcept;                         // as sent, without query: "/a%20b"
    std::string_view query_string() const noexcept;                 // "x=1"
    int version() const noexcept { return version_; }               // 10 or 11
    const Headers& headers() const noexcept { return headers_; }
    const MatchInfo& match_info() const noexcept { return match_info_; }
    const std::string& body() const noexcept { return body_; }
    const std::string& peer() const noexcept { return peer_; }  // "127.0.0.1:50312"
    bool keep_alive() const noexcept { return keep_alive_; }

private:
    friend class RequestReader;
    friend class ConnectionServer;
    friend class Router;
    std::string method_, target_, body_, peer_;
    Headers headers_;
    MatchInfo match_info_;
    int version_ = 11;
    bool keep_alive_ = true;
};

class Response {
public:
    Response() = default;
    explicit Response(int the_status) : status(the_status) {}
    static Response text(std::string body, int status = 200);  // text/plain; charset=utf-8
    static Response html(std::string body, int status = 200);
    static Response json(std::string body, int status = 200);

    int status = 200;
    Headers headers;  // Content-Length, Date and Connection are the server's
    std::string body;
};

// Thrown by a handler: answered with this status and text, and not reported.
class HttpError : public std::runtime_error {
public:
    HttpError(int status, const std::string& text) : std::runtime_error(text), status_(status) {}
    explicit HttpError(int status);
    int status() const noexcept { return status_; }

private:
    int status_;
};

std::string_view reason_phrase(int status) noexcept;  // "Not Found"

}  // namespace coroscope::http
