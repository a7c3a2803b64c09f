#include "coroscope/http/client.hpp"

#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "coroscope/timeout.hpp"
#include "response_reader.hpp"
#include "url.hpp"

namespace coroscope::http {

namespace detail {

// The connections of a session that wait for their next request, and how many there may be.
class SessionState {
public:
    explicit SessionState(ClientOptions the_options)
        : options(std::move(the_options)), permits(options.most_connections), loop(EventLoop::running()) {}

    struct Idle {
        std::string server;  // "https://example.com:443"
        Connection connection;
        std::uint64_t since_ns;
    };

    // The one that was used last: the likeliest to be alive.
    std::optional<Connection> take_idle(const std::string& server) {
        drop_expired();
        for (auto it = idle.rbegin(); it != idle.rend(); ++it) {
            if (it->server != server) continue;
            Connection connection = std::move(it->connection);
            idle.erase(std::next(it).base());
            if (is_quiet(connection)) return connection;
            return take_idle(server);
        }
        return std::nullopt;
    }
    // Something to read on an idle connection is its end, or nothing that anybody asked for.
    static bool is_quiet(const Connection& connection) noexcept {
        pollfd state{connection.writer.fd(), POLLIN, 0};
        return ::poll(&state, 1, 0) == 0;
    }
    void give_back(const std::string& server, Connection connection) {
        if (closed || !connection.reader.buffered().empty()) return;  // bytes nobody asked for
        idle.push_back({server, std::move(connection), loop.time_ns()});
        drop_expired();
        if (!idle.empty() && !sweep) arm();
    }
    void drop_expired() {
        const std::uint64_t now = loop.time_ns();
        const auto lasts = static_cast<std::uint64_t>(options.idle_timeout.count());
        std::erase_if(idle, [&](const Idle& each) { return now - each.since_ns >= lasts; });
    }
    void close() noexcept {
        closed = true;
        idle.clear();
        if (sweep) std::exchange(sweep, std::nullopt)->cancel();
    }
    ~SessionState() { close(); }

    const ClientOptions options;
    Semaphore permits;
    EventLoop& loop;
    std::vector<Idle> idle;  // in the order of their coming
    bool closed = false;

private:
    // Idle connections are closed in time, also when nothing is requested any more.
    void arm() {
        const auto lasts = static_cast<std::uint64_t>(options.idle_timeout.count());
        sweep = loop.call_at(idle.front().since_ns + lasts, [this] {
            sweep.reset();
            drop_expired();
            if (!idle.empty()) arm();
        });
    }
    std::optional<Handle> sweep;
};

// One request and its answer, on one connection.
class Exchange {
public:
    Exchange(std::shared_ptr<SessionState> the_session, Url the_url, bool without_body)
        : session(std::move(the_session)),
          url(std::move(the_url)),
          reader(session->options.most_header_bytes, without_body) {}
    ~Exchange() { drop(); }

    std::string server() const { return url.scheme + "://" + url.host + ":" + std::to_string(url.port); }
    void drop() noexcept {
        if (connection) connection->writer.abort();
        connection.reset();
        permit.reset();
    }
    // Reads on until `enough`. Throws ClientError, ConnectionError.
    template <class Enough>
    Coro<> read_until(Enough enough) {
        for (;;) {
            if (!connection) co_return;
            connection->reader.consume(reader.feed(connection->reader.buffered()));
            if (reader.done()) finish();
            if (enough()) co_return;
            const bool more = co_await connection->reader.read_more();
            if (more) continue;
            reader.feed_end();
            finish();
        }
    }

    const std::shared_ptr<SessionState> session;
    const Url url;
    const std::string address = url.text();
    ResponseReader reader;
    std::optional<Connection> connection;  // nothing: the answer has been read
    std::optional<Semaphore::Held> permit;
    bool reused = false;

private:
    void finish() {
        if (!connection) return;
        Connection done = std::move(*connection);
        connection.reset();
        permit.reset();
        if (reader.keep_alive()) session->give_back(server(), std::move(done));
    }
};

}  // namespace detail

using detail::Exchange;
using detail::SessionState;

namespace {

// Whether doing it twice is as good as once (RFC 9110, 9.2.2).
bool is_idempotent(const std::string& method) {
    return method == "GET" || method == "HEAD" || method == "PUT" || method == "DELETE" || method == "OPTIONS";
}

bool is_token(std::string_view text) {
    constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
    return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               marks.find(c) != std::string_view::npos;
    });
}

std::string head_of(const ClientRequest& request, const Url& url, const Headers& of_session) {
    if (!is_token(request.method)) throw std::invalid_argument("'" + request.method + "' is no HTTP method");
    std::string head = request.method + " " + url.target + " HTTP/1.1\r\n";
    Headers headers = request.headers;
    for (const auto& [name, value] : of_session)
        if (headers.find(name) == nullptr) headers.add(name, value);
    if (headers.find("Host") == nullptr) headers.add("Host", url.authority());
    if (headers.find("Accept") == nullptr) headers.add("Accept", "*/*");
    if (headers.find("User-Agent") == nullptr) headers.add("User-Agent", "coroscope");
    if (request.has_body_stream) {
        headers.set("Transfer-Encoding", "chunked");
    } else if (!request.body.empty() || request.method == "POST" || request.method == "PUT" ||
               request.method == "PATCH") {
        headers.set("Content-Length", std::to_string(request.body.size()));
    }
    for (const auto& [name, value] : headers) head += name + ": " + value + "\r\n";
    return head + "\r\n";
}

Coro<Connection> connect(const Url& url, const ClientOptions& options) {
    if (!url.is_tls()) co_return co_await open_connection(url.host, url.port);
    TlsContext context = options.tls ? *options.tls : TlsContext::client();
    co_return co_await open_tls_connection(url.host, url.port, std::move(context));
}

Coro<> send_chunks(StreamWriter& writer, AsyncGenerator<std::string>& parts) {
    while (const std::optional<std::string> part = co_await parts.next()) {
        if (part->empty()) continue;  // an empty chunk is the end
        char size[20];
        const auto [end, error] = std::to_chars(size, size + sizeof size, part->size(), 16);
        writer.write(std::string_view(size, static_cast<std::size_t>(end - size)));
        writer.write("\r\n");
        writer.write(*part);
        writer.write("\r\n");
        co_await writer.drain();
    }
    writer.write("0\r\n\r\n");
}

Coro<> send(Exchange& exchange, ClientRequest& request, const std::string& head) {
    StreamWriter& writer = exchange.connection->writer;
    if (request.has_body_stream) {
        writer.write(head);
        co_await send_chunks(writer, request.body_stream);
    } else if (request.body.size() < 16 * 1024) {
        writer.write(head + request.body);  // one packet
    } else {
        writer.write(head);
        writer.write(request.body);
    }
    co_await writer.drain();
}

// Sends the request and reads the answer's head. A server may answer before it has read everything, and stop reading:
// its answer counts.
Coro<> converse(Exchange& exchange, ClientRequest& request, const std::string& head) {
    std::exception_ptr unsent;
    try {
        co_await send(exchange, request, head);
    } catch (const ConnectionError&) {
        unsent = std::current_exception();
    }
    try {
        auto has_head = [&exchange] { return exchange.reader.head_done(); };
        co_await exchange.read_until(std::move(has_head));
    } catch (...) {
        if (unsent && !exchange.reader.begun()) std::rethrow_exception(unsent);
        throw;
    }
}

// On a pooled connection if there is one. It may be dead by now: then once more, on a new one.
Coro<std::unique_ptr<Exchange>> exchange_once(std::shared_ptr<SessionState> session, ClientRequest& request, Url url) {
    const std::string head = head_of(request, url, session->options.headers);
    std::optional<Semaphore::Held> permit;
    if (session->options.most_connections != 0) permit.emplace(co_await session->permits.acquire());
    for (;;) {
        auto exchange = std::make_unique<Exchange>(session, url, request.method == "HEAD");
        exchange->connection = session->take_idle(exchange->server());
        exchange->reused = exchange->connection.has_value();
        if (!exchange->reused) {
            Connection fresh =
                co_await wait_for(connect(exchange->url, session->options), session->options.connect_timeout);
            exchange->connection = std::move(fresh);
        }
        const bool may_repeat = exchange->reused && is_idempotent(request.method) && !request.has_body_stream;
        bool again = false;
        try {
            co_await converse(*exchange, request, head);
        } catch (const ConnectionError&) {
            again = may_repeat && !exchange->reader.begun();
            if (!again) throw;
        } catch (const ClientError&) {
            again = may_repeat && !exchange->reader.begun();
            if (!again) throw;
        }
        if (again) continue;
        if (exchange->connection) exchange->permit = std::move(permit);
        co_return exchange;
    }
}

bool is_redirect(int status) {
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

// Changes the request into the one that the redirect asks for.
void follow(ClientRequest& request, const Url& from, const Url& to, int status) {
    const bool becomes_get =
        (status == 303 && request.method != "HEAD") || ((status == 301 || status == 302) && request.method == "POST");
    if (becomes_get) {
        request.method = "GET";
        request.body.clear();
        request.has_body_stream = false;
        request.body_stream = {};
    } else if (request.has_body_stream) {
        throw ClientError("the server redirects a request whose body cannot be sent twice, to " + to.text());
    }
    Headers kept;
    for (const auto& [name, value] : request.headers) {
        Headers one;
        one.add(name, "");
        const bool secret = one.find("Authorization") != nullptr || one.find("Cookie") != nullptr;
        const bool of_body = one.find("Content-Type") != nullptr || one.find("Content-Length") != nullptr;
        const bool elsewhere = from.host != to.host || from.port != to.port || from.scheme != to.scheme;
        if ((secret && elsewhere) || (of_body && becomes_get) || one.find("Host") != nullptr) continue;
        kept.add(name, value);
    }
    request.headers = std::move(kept);
}

Coro<std::unique_ptr<Exchange>> perform(std::shared_ptr<SessionState> session, ClientRequest request) {
    if (session->closed) throw std::logic_error("the client session is closed");
    Url url = parse_url(request.url);
    const std::size_t most = session->options.most_redirects;
    for (std::size_t redirects = 0;; ++redirects) {
        std::unique_ptr<Exchange> exchange = co_await exchange_once(session, request, url);
        const std::string* location = exchange->reader.headers().find("Location");
        if (most == 0 || location == nullptr || !is_redirect(exchange->reader.status())) co_return exchange;
        if (redirects == most)
            throw ClientError("more than " + std::to_string(most) + " redirects, the last to " + *location);
        Url next = resolve_url(url, *location);
        follow(request, url, next, exchange->reader.status());
        // A short body is read, so that the connection can be used again.
        auto has_all = [&exchange, size = std::size_t(0)]() mutable {
            size += exchange->reader.take_body().size();
            return exchange->reader.done() || size > 64 * 1024;
        };
        co_await exchange->read_until(std::move(has_all));
        url = std::move(next);
    }
}

Coro<std::string> read_rest(Exchange& exchange, std::size_t most) {
    std::string body;
    auto has_all = [&] {
        body += exchange.reader.take_body();
        if (body.size() > most)
            throw ClientError("the answer's body is larger than " + std::to_string(most) +
                              " bytes; read it with open()");
        return exchange.reader.done();
    };
    co_await exchange.read_until(std::move(has_all));
    body += exchange.reader.take_body();
    co_return body;
}

Coro<ClientResponse> perform_whole(std::shared_ptr<SessionState> session, ClientRequest request) {
    const std::size_t most = session->options.most_body_bytes;
    std::unique_ptr<Exchange> exchange = co_await perform(std::move(session), std::move(request));
    ClientResponse response;
    response.body = co_await read_rest(*exchange, most);
    response.status = exchange->reader.status();
    response.headers = exchange->reader.headers();
    response.url = exchange->address;
    co_return response;
}

}  // namespace

StreamedResponse::StreamedResponse(std::unique_ptr<Exchange> exchange) : exchange_(std::move(exchange)) {}
StreamedResponse::StreamedResponse(StreamedResponse&&) noexcept = default;
StreamedResponse& StreamedResponse::operator=(StreamedResponse&&) noexcept = default;
StreamedResponse::~StreamedResponse() = default;

int StreamedResponse::status() const noexcept { return exchange_->reader.status(); }
const Headers& StreamedResponse::headers() const noexcept { return exchange_->reader.headers(); }

const std::string& StreamedResponse::url() const noexcept { return exchange_->address; }

Coro<std::string> StreamedResponse::read() {
    Exchange& exchange = *exchange_;
    std::string part = exchange.reader.take_body();
    if (!part.empty()) co_return part;
    auto has_some = [&] {
        part = exchange.reader.take_body();
        return !part.empty() || exchange.reader.done();
    };
    co_await exchange.read_until(std::move(has_some));
    co_return part;
}

Coro<std::string> StreamedResponse::read_all(std::size_t most) { return read_rest(*exchange_, most); }

ClientSession::ClientSession(ClientOptions options) : state_(std::make_shared<SessionState>(std::move(options))) {}
ClientSession::ClientSession(ClientSession&&) noexcept = default;
ClientSession& ClientSession::operator=(ClientSession&& other) noexcept {
    if (this != &other) {
        if (state_) state_->close();
        state_ = std::move(other.state_);
    }
    return *this;
}
ClientSession::~ClientSession() {
    if (state_) state_->close();
}

Coro<ClientResponse> ClientSession::request(ClientRequest request) {
    const std::shared_ptr<SessionState> state = state_;
    co_return co_await wait_for(perform_whole(state, std::move(request)), state->options.total_timeout);
}

Coro<StreamedResponse> ClientSession::open(ClientRequest request) {
    const std::shared_ptr<SessionState> state = state_;
    co_return StreamedResponse(co_await wait_for(perform(state, std::move(request)), state->options.total_timeout));
}

namespace {

ClientRequest request_of(const char* method, std::string url, std::string body, Headers headers) {
    ClientRequest request(method, std::move(url));
    request.body = std::move(body);
    request.headers = std::move(headers);
    return request;
}

}  // namespace

Coro<ClientResponse> ClientSession::get(std::string url, Headers headers) {
    return request(request_of("GET", std::move(url), "", std::move(headers)));
}
Coro<ClientResponse> ClientSession::head(std::string url, Headers headers) {
    return request(request_of("HEAD", std::move(url), "", std::move(headers)));
}
Coro<ClientResponse> ClientSession::post(std::string url, std::string body, Headers headers) {
    return request(request_of("POST", std::move(url), std::move(body), std::move(headers)));
}
Coro<ClientResponse> ClientSession::put(std::string url, std::string body, Headers headers) {
    return request(request_of("PUT", std::move(url), std::move(body), std::move(headers)));
}
Coro<ClientResponse> ClientSession::del(std::string url, Headers headers) {
    return request(request_of("DELETE", std::move(url), "", std::move(headers)));
}

std::size_t ClientSession::idle_connections() const noexcept { return state_->idle.size(); }

Coro<> ClientSession::close() {
    const std::shared_ptr<SessionState> state = state_;
    state->closed = true;
    std::vector<SessionState::Idle> idle = std::exchange(state->idle, {});
    for (SessionState::Idle& each : idle) each.connection.writer.close();
    for (SessionState::Idle& each : idle) {
        try {
            co_await each.connection.writer.wait_closed();
        } catch (const ConnectionError&) {  // gone is gone
        }
    }
    state->close();
}

}  // namespace coroscope::http
