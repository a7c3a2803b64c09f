#include "coroscope/net/tls.hpp"

#include <array>
#include <stdexcept>
#include <utility>

#include "coroscope/timeout.hpp"
#include "filter.hpp"

namespace coroscope {

using detail::IoResult;
using detail::Ref;
using detail::StreamAccess;
using detail::StreamState;
using detail::TlsFilter;

namespace {

// Reads what has come and feeds it to the filter; waits if there is nothing.
Coro<> feed_from_peer(Ref<StreamState> stream, TlsFilter& filter) {
    thread_local std::array<std::byte, 16 * 1024> scratch;
    for (;;) {
        const IoResult result = stream->try_recv(scratch);
        if (result.kind == IoResult::Kind::would_block) {
            co_await stream->until_readable();
            continue;
        }
        if (result.kind == IoResult::Kind::failed) stream->lose(result.error);
        if (result.kind != IoResult::Kind::done)
            throw ConnectionError(ECONNRESET, stream->name() + " was lost during the TLS handshake");
        if (result.count == 0)
            throw TlsError(stream->name() +
                           " ended during the TLS handshake; does the other side speak TLS on this port?");
        filter.feed(std::string_view(reinterpret_cast<const char*>(scratch.data()), result.count));
        co_return;
    }
}

Coro<> shake_hands(Ref<StreamState> stream, TlsFilter& filter) {
    while (!filter.handshake(*stream)) co_await feed_from_peer(stream, filter);
}

// An unfinished handshake leaves a connection that nobody can use.
class AbortUnlessDone {
public:
    explicit AbortUnlessDone(Ref<StreamState> stream) : stream_(std::move(stream)) {}
    ~AbortUnlessDone() {
        if (!done) stream_->lose(EPROTO);
    }
    AbortUnlessDone(const AbortUnlessDone&) = delete;
    AbortUnlessDone& operator=(const AbortUnlessDone&) = delete;
    bool done = false;

private:
    Ref<StreamState> stream_;
};

Coro<> start_tls(Ref<StreamState> stream, TlsContext context, std::string server_name,
                 std::chrono::nanoseconds timeout) {
    if (stream->filter) throw std::logic_error("start_tls: " + stream->name() + " speaks TLS already");
    auto filter = std::make_unique<TlsFilter>(context, server_name);
    filter->feed(stream->in.view());  // the peer may have begun already
    stream->in.clear();
    AbortUnlessDone guard(stream);
    try {
        co_await wait_for(shake_hands(stream, *filter), timeout);
    } catch (const TimeoutError&) {
        throw TlsError("the TLS handshake with " + stream->peer.text() + " took too long");
    }
    stream->filter = std::move(filter);
    guard.done = true;
}

Coro<> serve_tls(ConnectionHandler handler, TlsContext context, std::chrono::nanoseconds timeout, StreamReader reader,
                 StreamWriter writer) {
    co_await start_tls(StreamAccess::state(writer), context, "", timeout);
    Coro<> handling = handler(std::move(reader), std::move(writer));
    co_await std::move(handling);
}

}  // namespace

Coro<> start_tls_as_client(StreamWriter& writer, TlsContext context, std::string server_name,
                           std::chrono::nanoseconds handshake_timeout) {
    return start_tls(StreamAccess::state(writer), std::move(context), std::move(server_name), handshake_timeout);
}

Coro<> start_tls_as_server(StreamWriter& writer, TlsContext context, std::chrono::nanoseconds handshake_timeout) {
    return start_tls(StreamAccess::state(writer), std::move(context), "", handshake_timeout);
}

Coro<Connection> open_tls_connection(std::string host, std::uint16_t port, TlsContext context, StreamOptions options) {
    Connection connection = co_await open_connection(host, port, options);
    co_await start_tls_as_client(connection.writer, std::move(context), std::move(host));
    co_return connection;
}

ConnectionHandler tls_handler(ConnectionHandler handler, TlsContext context,
                              std::chrono::nanoseconds handshake_timeout) {
    return [handler = std::move(handler), context = std::move(context), handshake_timeout](StreamReader reader,
                                                                                           StreamWriter writer) {
        return serve_tls(handler, context, handshake_timeout, std::move(reader), std::move(writer));
    };
}

Coro<Server> start_tls_server(ConnectionHandler handler, std::string host, std::uint16_t port, TlsContext context,
                              ServerOptions options) {
    return start_server(tls_handler(std::move(handler), std::move(context)), std::move(host), port, options);
}

std::optional<TlsInfo> tls_info(const StreamWriter& writer) {
    const auto* filter = dynamic_cast<const TlsFilter*>(StreamAccess::state(writer)->filter.get());
    if (filter == nullptr) return std::nullopt;
    return filter->info();
}

}  // namespace coroscope
