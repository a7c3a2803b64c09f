// Serves one connection: reads requests, calls the application, answers. And what all connections of a runner share.
#pragma once

#include <functional>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "coroscope/http/runner.hpp"
#include "coroscope/net/stream.hpp"
#include "coroscope/sync.hpp"
#include "request_reader.hpp"

namespace coroscope::http {

class ConnectionServer;

namespace detail {

class AppState {
public:
    AppState(Application the_app, ServerLimits the_limits) : app(std::move(the_app)), limits(the_limits) {}

    const Application app;
    const ServerLimits limits;
    std::vector<Server> servers;
    std::list<ConnectionServer*> connections;
    bool draining = false;  // cleanup() has begun: no further request of a connection is answered
    Event drained;          // no connection is left
    std::string out;        // where a response is put together; never in use across a suspension
};

}  // namespace detail

class ConnectionServer final : private coroscope::detail::PeerWatcher {
public:
    ConnectionServer(std::shared_ptr<detail::AppState> state, StreamReader reader, StreamWriter writer);
    ~ConnectionServer();
    ConnectionServer(const ConnectionServer&) = delete;
    ConnectionServer& operator=(const ConnectionServer&) = delete;

    Coro<> serve_requests();
    void end_if_idle() noexcept;

private:
    coroscope::detail::StreamState& stream() noexcept { return *coroscope::detail::StreamAccess::state(writer_); }
    Coro<bool> wait_for_request();  // false: the client is done, or idle for too long
    Coro<bool> serve_request();     // false: it was the last one
    Coro<> read_request(Request& request);
    Coro<> read_head();
    Coro<> read_body();
    Coro<Response> answer(Request& request);
    void watch_client();
    void peer_ended() noexcept override;
    Coro<> send(const Response& response, bool keep_alive, const Request& request);
    Coro<> refuse(int status, std::string why);

    const std::shared_ptr<detail::AppState> state_;
    const ServerLimits& limits_;
    StreamReader reader_;
    StreamWriter writer_;
    const std::string peer_;
    RequestReader requests_;
    std::size_t requests_served_ = 0;
    bool busy_ = false;
    bool in_handler_ = false;
    AnyTask task_;
    std::list<ConnectionServer*>::iterator place_;
};

}  // namespace coroscope::http
