#include "coroscope/http/runner.hpp"

#include <exception>

#include "connection_server.hpp"
#include "coroscope/timeout.hpp"
#include "router.hpp"

namespace coroscope::http {

namespace {

// The connection's handler. TimeoutError: the client does not read; its connection just ends.
Coro<> serve_client(std::shared_ptr<detail::AppState> state, StreamReader reader, StreamWriter writer) {
    ConnectionServer connection(std::move(state), std::move(reader), std::move(writer));
    try {
        co_await connection.serve_requests();
    } catch (const TimeoutError&) {
    }
}

ConnectionHandler handler_for(const std::shared_ptr<detail::AppState>& state) {
    // Weak: the state owns the servers, which own this.
    return [weak = std::weak_ptr(state)](StreamReader reader, StreamWriter writer) {
        return serve_client(weak.lock(), std::move(reader), std::move(writer));
    };
}

Coro<> wait_until_drained(detail::AppState& state) {
    if (!state.connections.empty()) co_await state.drained.wait();
}

}  // namespace

AppRunner::AppRunner(Application app, ServerLimits limits)
    : state_(std::make_shared<detail::AppState>(std::move(app), limits)) {}
AppRunner::AppRunner(AppRunner&&) noexcept = default;

AppRunner::~AppRunner() {
    if (!state_) return;
    for (Server& server : state_->servers) server.close();
}

Coro<> AppRunner::setup() { co_return; }

Coro<> AppRunner::cleanup() {
    const std::shared_ptr<detail::AppState> state = state_;
    state->draining = true;
    state->drained.clear();
    for (Server& server : state->servers) server.stop_accepting();
    for (ConnectionServer* connection : state->connections) connection->end_if_idle();
    try {
        co_await wait_for(wait_until_drained(*state), state->limits.shutdown_timeout);
    } catch (const TimeoutError&) {
    }
    for (Server& server : state->servers) server.close();
    for (Server& server : state->servers) co_await server.wait_closed();
}

std::size_t AppRunner::connections() const noexcept { return state_->connections.size(); }

TCPSite::TCPSite(AppRunner& runner, std::string host, std::uint16_t port)
    : state_(runner.state_), host_(std::move(host)), port_(port) {}

TCPSite::TCPSite(AppRunner& runner, std::string host, std::uint16_t port, TlsContext tls)
    : TCPSite(runner, std::move(host), port) {
    tls_ = std::move(tls);
}

Coro<> TCPSite::start() {
    ConnectionHandler handler = handler_for(state_);
    if (tls_) handler = tls_handler(std::move(handler), *tls_);
    Server server = co_await start_server(std::move(handler), host_, port_, state_->limits.server);
    port_ = server.port();
    state_->servers.push_back(std::move(server));
}

UnixSite::UnixSite(AppRunner& runner, std::string path) : state_(runner.state_), path_(std::move(path)) {}

Coro<> UnixSite::start() {
    ConnectionHandler handler = handler_for(state_);
    Server server = co_await start_unix_server(std::move(handler), path_, state_->limits.server);
    state_->servers.push_back(std::move(server));
}

Coro<> serve(Application app, std::string host, std::uint16_t port, ServerLimits limits) {
    AppRunner runner(std::move(app), limits);
    TCPSite site(runner, std::move(host), port);
    co_await site.start();
    std::exception_ptr cancelled;
    try {
        Event never;
        co_await never.wait();
    } catch (const Cancelled&) {
        cancelled = std::current_exception();
    }
    co_await runner.cleanup();
    std::rethrow_exception(cancelled);
}

}  // namespace coroscope::http
