// AppRunner and its sites: an application on the network.
//
//     http::AppRunner runner(std::move(app));
//     http::TCPSite site(runner, "localhost", 8080);
//     co_await site.start();
//     co_await wait_for_signal(SIGINT, SIGTERM);
//     co_await runner.cleanup();
//
// HTTP/1.0 and 1.1, persistent connections, pipelining, chunked requests (a trailer is read and dropped). An idle
// connection costs about 2.6 KB of memory here, and holds no buffer. Each connection is a task "connection <peer>" of
// the server. What a client does wrong is answered by 400, 405, 408, 413, 431, 501 or 505 and ends its connection. A
// handler's exception is reported to the loop's exception handler and answered by 500. A handler is cancelled at its
// await when its client goes away before it has an answer; `co_await shield(...)` protects what must be finished.
// Thread: the loop's.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "coroscope/http/application.hpp"
#include "coroscope/net/server.hpp"
#include "coroscope/net/tls.hpp"

namespace coroscope::http {

class ServerLimits {
public:
    ServerLimits() noexcept {}
    std::size_t most_header_bytes = 16 * 1024;                           // request line and header; more: 431
    std::size_t most_body_bytes = 1024 * 1024;                           // more: 413
    std::chrono::nanoseconds header_timeout = std::chrono::seconds(10);  // from a request's first byte; then 408
    std::chrono::nanoseconds body_timeout = std::chrono::seconds(30);    // from the header's end; then 408
    std::chrono::nanoseconds idle_timeout = std::chrono::seconds(75);    // between requests; then closed
    std::chrono::nanoseconds write_timeout = std::chrono::seconds(30);   // for a client to read; then closed
    std::chrono::nanoseconds shutdown_timeout =
        std::chrono::seconds(10);  // cleanup(): for requests under way; then cancelled
    // Whether a client that shuts down its sending side still waits for its answer (`nc -N` does). false: such a client
    // cannot be told from one that is gone, and its handler is cancelled.
    bool half_closed_clients = false;
    std::size_t most_requests = 0;  // of a connection; then it is closed, so that clients spread anew. 0: no limit
    ServerOptions server;
};

namespace detail {
class AppState;
}

class AppRunner {
public:
    explicit AppRunner(Application app, ServerLimits limits = {});
    AppRunner(AppRunner&&) noexcept;
    ~AppRunner();  // closes without waiting

    Coro<> setup();  // as aiohttp's; nothing needs it
    // Stops accepting, ends idle connections, lets requests under way be answered, then closes. Cancellation point.
    Coro<> cleanup();
    std::size_t connections() const noexcept;  // open now

private:
    friend class TCPSite;
    friend class UnixSite;
    std::shared_ptr<detail::AppState> state_;
};

class TCPSite {
public:
    TCPSite(AppRunner& runner, std::string host, std::uint16_t port);                  // port 0: the system chooses
    TCPSite(AppRunner& runner, std::string host, std::uint16_t port, TlsContext tls);  // https
    Coro<> start();  // throws std::system_error, LookupError. Cancellation point.
    std::uint16_t port() const noexcept { return port_; }
    std::string name() const {
        return (tls_ ? "https://" : "http://") + (host_.empty() ? "localhost" : host_) + ":" + std::to_string(port_);
    }

private:
    std::shared_ptr<detail::AppState> state_;
    std::string host_;
    std::uint16_t port_;
    std::optional<TlsContext> tls_;
};

class UnixSite {
public:
    UnixSite(AppRunner& runner, std::string path);
    Coro<> start();  // throws std::system_error. Cancellation point.

private:
    std::shared_ptr<detail::AppState> state_;
    std::string path_;
};

// Serves until it is cancelled, then cleans up. Cancellation point. Throws std::system_error, LookupError.
Coro<> serve(Application app, std::string host, std::uint16_t port, ServerLimits limits = {});

}  // namespace coroscope::http
