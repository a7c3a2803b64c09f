#include "connection_server.hpp"

#include <optional>

#include "coroscope/sleep.hpp"
#include "coroscope/timeout.hpp"
#include "router.hpp"
#include "serialize.hpp"

namespace coroscope::http {

using coroscope::detail::IoResult;

namespace {

// A client that still sends while it is refused: what it sends is read for a moment, because closing would reset the
// connection and with it take the answer away before the client has read it.
Coro<> read_to_the_end(StreamReader& reader) {
    constexpr std::size_t most_bytes = 1024 * 1024;
    for (std::size_t bytes = 0; bytes < most_bytes;) {
        const bool more = co_await reader.read_more();
        if (!more) co_return;
        bytes += reader.buffered().size();
        reader.consume(reader.buffered().size());
    }
}

}  // namespace

ConnectionServer::ConnectionServer(std::shared_ptr<detail::AppState> state, StreamReader reader, StreamWriter writer)
    : state_(std::move(state)),
      limits_(state_->limits),
      reader_(std::move(reader)),
      writer_(std::move(writer)),
      peer_(writer_.peer().text()),
      requests_(limits_.most_header_bytes, limits_.most_body_bytes),
      task_(current_task()) {
    state_->connections.push_back(this);
    place_ = std::prev(state_->connections.end());
    if (!limits_.half_closed_clients) stream().peer_watcher = this;
}

ConnectionServer::~ConnectionServer() {
    stream().peer_watcher = nullptr;
    state_->connections.erase(place_);
    if (state_->connections.empty()) state_->drained.set();
}

void ConnectionServer::end_if_idle() noexcept {
    if (!busy_) task_.control()->cancel("the server closes", {coroscope::detail::CancelOrigin::library, 0, 0});
}

// What belongs to one request is in the frame of serve_request(), so that an idle connection holds none of it.
Coro<> ConnectionServer::serve_requests() {
    constexpr std::size_t most_without_turn = 32;  // requests that came together: others have a turn now and then
    for (;;) {
        if (reader_.buffered().empty()) {
            if (state_->draining) co_return;  // accepted just before: end_if_idle() did not find it
            const bool came = co_await wait_for_request();
            if (!came) co_return;
        }
        busy_ = true;
        const bool more = co_await serve_request();
        busy_ = false;
        if (!more) co_return;
        if (requests_served_ % most_without_turn == 0) co_await yield();
    }
}

Coro<bool> ConnectionServer::serve_request() {
    Request request;
    int status = 0;
    std::string why;
    try {
        co_await read_request(request);
    } catch (const HttpError& error) {
        status = error.status();
        why = error.what();
    } catch (const TimeoutError&) {
        status = 408;
        why = "408: Request Timeout";
    }
    if (status != 0) {
        co_await refuse(status, std::move(why));
        co_return false;
    }
    const Response response = co_await answer(request);
    const bool asked_to_close = response.headers.get("Connection") == "close";
    const bool was_last = ++requests_served_ == limits_.most_requests;
    const bool keep_alive = request.keep_alive() && !asked_to_close && !was_last && !state_->draining;
    co_await send(response, keep_alive, request);
    co_return keep_alive && !state_->draining;
}

Coro<> ConnectionServer::read_request(Request& request) {
    reader_.consume(requests_.feed(reader_.buffered()));
    if (!requests_.head_done()) co_await wait_for(read_head(), limits_.header_timeout);
    if (!requests_.done()) {
        if (requests_.expects_continue() && reader_.buffered().empty()) writer_.write("HTTP/1.1 100 Continue\r\n\r\n");
        co_await wait_for(read_body(), limits_.body_timeout);
    }
    request = requests_.take();
    request.peer_ = peer_;
}

Coro<bool> ConnectionServer::wait_for_request() {
    try {
        co_return co_await wait_for(reader_.read_more(), limits_.idle_timeout);
    } catch (const TimeoutError&) {
        co_return false;
    }
}

Coro<> ConnectionServer::read_head() {
    while (!requests_.head_done()) {
        const bool more = co_await reader_.read_more();
        if (!more) throw HttpError(400, "400: Bad Request (it ended within the header)");
        reader_.consume(requests_.feed(reader_.buffered()));
    }
}

Coro<> ConnectionServer::read_body() {
    while (!requests_.done()) {
        const bool more = co_await reader_.read_more();
        if (!more) throw HttpError(400, "400: Bad Request (it ended within the body)");
        reader_.consume(requests_.feed(reader_.buffered()));
    }
}

// A handler that works for a client which is gone works for nobody. Nobody reads while it runs: what the poller says of
// the connection has to be looked at.
void ConnectionServer::watch_client() {
    in_handler_ = true;
    if (stream().peer_watcher == nullptr) return;
    stream().watch();
    if (stream().ended()) [[unlikely]]
        peer_ended();
}

void ConnectionServer::peer_ended() noexcept {
    if (!in_handler_) return;
    try {  // further requests, and a TLS client's goodbye, may lie before the end
        while (!stream().eof && reader_.buffered().size() < reader_.limit()) {
            if (stream().receive().kind != IoResult::Kind::done) break;
        }
    } catch (...) {  // out of memory
        return;
    }
    if (!stream().eof || !reader_.buffered().empty()) return;
    in_handler_ = false;  // said once
    task_.control()->cancel("the client has gone", {coroscope::detail::CancelOrigin::library, 0, 0});
}

// The application's answer; 500 if it has none.
Coro<Response> ConnectionServer::answer(Request& request) {
    watch_client();
    try {
        Response response = co_await state_->app.handle(request);
        in_handler_ = false;
        co_return response;
    } catch (const Cancelled&) {
        throw;
    } catch (...) {
        in_handler_ = false;
        const std::string what = "the handler of " + request.method() + " " + request.target() + " failed: ";
        const std::runtime_error report(what + describe(std::current_exception()));
        EventLoop::running().call_exception_handler(std::make_exception_ptr(report));
    }
    co_return Response::text("500: Internal Server Error", 500);
}

Coro<> ConnectionServer::send(const Response& response, bool keep_alive, const Request& request) {
    constexpr std::size_t most_kept = 64 * 1024;
    Framing framing;
    framing.keep_alive = keep_alive;
    framing.without_body = request.method() == "HEAD";
    framing.version = request.version();
    std::string& out = state_->out;
    out.clear();
    serialize(response, framing, out);
    writer_.write(out);
    if (out.capacity() > most_kept) out = std::string();
    if (writer_.unsent() == 0) {
        co_await writer_.drain();  // at once; throws if the client is gone
        co_return;
    }
    Timeout limit(limits_.write_timeout);
    try {
        co_await writer_.drain();
    } catch (const Cancelled&) {
        limit.rethrow();
    }
}

Coro<> ConnectionServer::refuse(int status, std::string why) {
    const Response response = Response::text(std::move(why), status);
    co_await send(response, false, Request());
    writer_.write_eof();
    try {
        co_await wait_for(read_to_the_end(reader_), std::chrono::seconds(2));
    } catch (const TimeoutError&) {
    }
}

}  // namespace coroscope::http
