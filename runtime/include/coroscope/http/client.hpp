// ClientSession: HTTP requests over connections that are kept and used again. After aiohttp's client.
//
//     http::ClientSession session;
//     http::ClientResponse page = co_await session.get("https://example.com/");
//     if (page.status == 200) use(page.body);
//
//     http::StreamedResponse big = co_await session.open(http::ClientRequest("GET", url));
//     for (std::string part = co_await big.read(); !part.empty(); part = co_await big.read()) save(part);
//
// HTTP/1.1, TLS with verification for https, redirects, chunked and counted bodies both ways. A connection goes back to
// the pool when its answer was read to the end; one whose request is cancelled, or whose answer is dropped, is closed.
// A pooled connection that the server has closed meanwhile is noticed, and the request repeated once on a new one, if
// it may be (an idempotent method, no streamed body, nothing of an answer had come).
// Cancellation points: what is a Coro. Thread: the loop's. Errors: LookupError, ConnectionError, TlsError,
// TimeoutError, std::invalid_argument for a URL that is none, ClientError for an answer that is no HTTP or too large.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>

#include "coroscope/generator.hpp"
#include "coroscope/http/message.hpp"
#include "coroscope/net/tls.hpp"

namespace coroscope::http {

// The server's answer is no HTTP, larger than allowed, or redirects without end.
class ClientError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

class ClientOptions {
public:
    ClientOptions() noexcept {}
    std::chrono::nanoseconds connect_timeout = std::chrono::seconds(30);  // name, connection, TLS handshake
    std::chrono::nanoseconds total_timeout = std::chrono::minutes(5);     // of a request; of open(): until the header
    std::chrono::nanoseconds idle_timeout = std::chrono::seconds(15);     // a connection unused for so long is closed
    std::size_t most_connections = 100;  // at a time; further requests wait. 0: as many as are asked for
    std::size_t most_redirects = 10;     // 0: a redirect is an answer like any other
    std::size_t most_header_bytes = 64 * 1024;
    std::size_t most_body_bytes = 64 * 1024 * 1024;  // of what request() reads whole; open() has no limit
    std::optional<TlsContext> tls;                   // nothing: TlsContext::client()
    Headers headers;                                 // of every request
};

class ClientRequest {
public:
    ClientRequest(std::string the_method, std::string the_url)
        : method(std::move(the_method)), url(std::move(the_url)) {}
    std::string method, url;
    Headers headers;
    std::string body;
    AsyncGenerator<std::string> body_stream;  // instead of `body`: sent in chunks, as they come
    bool has_body_stream = false;
    void stream(AsyncGenerator<std::string> parts) {
        body_stream = std::move(parts);
        has_body_stream = true;
    }
};

class ClientResponse {
public:
    ClientResponse() {}
    int status = 0;
    Headers headers;
    std::string body;
    std::string url;  // after redirects
};

namespace detail {
class SessionState;
class Exchange;
}  // namespace detail

// An answer whose body is read bit by bit. Dropped before its end, it closes its connection.
class StreamedResponse {
public:
    explicit StreamedResponse(std::unique_ptr<detail::Exchange> exchange);
    StreamedResponse(StreamedResponse&&) noexcept;
    StreamedResponse& operator=(StreamedResponse&&) noexcept;
    ~StreamedResponse();

    int status() const noexcept;
    const Headers& headers() const noexcept;
    const std::string& url() const noexcept;
    // The next part of the body, as it comes; empty: the end.
    Coro<std::string> read();
    // The rest of it. Throws ClientError beyond `most` bytes.
    Coro<std::string> read_all(std::size_t most = 64 * 1024 * 1024);

private:
    std::unique_ptr<detail::Exchange> exchange_;
};

class ClientSession {
public:
    explicit ClientSession(ClientOptions options = {});
    ClientSession(ClientSession&&) noexcept;
    ClientSession& operator=(ClientSession&&) noexcept;
    ~ClientSession();  // closes idle connections at once

    Coro<ClientResponse> get(std::string url, Headers headers = {});
    Coro<ClientResponse> head(std::string url, Headers headers = {});
    Coro<ClientResponse> post(std::string url, std::string body, Headers headers = {});
    Coro<ClientResponse> put(std::string url, std::string body, Headers headers = {});
    Coro<ClientResponse> del(std::string url, Headers headers = {});  // DELETE; as http::del() of a server
    Coro<ClientResponse> request(ClientRequest request);
    Coro<StreamedResponse> open(ClientRequest request);  // returns when the header has come

    std::size_t idle_connections() const noexcept;
    // Closes idle connections and waits for that. Answers that are being read go on.
    Coro<> close();
    Coro<> aclose() { return close(); }  // for async_with

private:
    std::shared_ptr<detail::SessionState> state_;
};

}  // namespace coroscope::http
