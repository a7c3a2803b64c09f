// A hand-written HTTP server on libuv: tries to write at once and queues only what the socket does not take.
// `http_server_libuv` listens on a free port of 127.0.0.1, prints the port, serves until killed.
#include <arpa/inet.h>
#include <strings.h>
#include <uv.h>

#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>
#include <string_view>

namespace {

void check(int result) {
    if (result >= 0) return;
    std::fprintf(stderr, "http_server_libuv: %s\n", uv_strerror(result));
    std::exit(1);
}

constexpr std::size_t header_limit = 8192;

// What stands between the status and the length in every answer; made once a second because of the date.
std::string_view common_headers() {
    static std::time_t made = 0;
    static char text[192];
    static std::size_t size = 0;
    const std::time_t now = std::time(nullptr);
    if (now != made) {
        std::tm parts{};
        ::gmtime_r(&now, &parts);
        size = std::strftime(text, sizeof text,
                             "\r\nContent-Type: text/plain; charset=utf-8\r\nServer: libuv\r\n"
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

bool same(std::string_view a, std::string_view b) {
    return a.size() == b.size() && ::strncasecmp(a.data(), b.data(), a.size()) == 0;
}

std::string_view trimmed(std::string_view text) {
    const std::size_t first = text.find_first_not_of(" \t");
    if (first == text.npos) return {};
    return text.substr(first, text.find_last_not_of(" \t") + 1 - first);
}

bool has_token(std::string_view list, std::string_view token) {
    for (;;) {
        const std::size_t comma = list.find(',');
        if (same(trimmed(list.substr(0, comma)), token)) return true;
        if (comma == list.npos) return false;
        list.remove_prefix(comma + 1);
    }
}

// `head` is a request without the empty line, every line with its end. A body is not read: the answer is the last one.
bool parse(std::string_view head, Request& request) {
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
void append_head(std::string& out, std::string_view status, std::size_t length, Then then) {
    char digits[20];
    char* const end = std::to_chars(digits, digits + sizeof digits, length).ptr;
    out.append("HTTP/1.1 ").append(status).append(common_headers()).append(digits, end);
    out.append(then == Then::more ? "\r\n\r\n" : "\r\nConnection: close\r\n\r\n");
}

void append_text(std::string& out, std::string_view status, std::string_view text, Then then) {
    append_head(out, status, text.size(), then);
    out.append(text);
}

void append_answer(std::string& out, const Request& request) {
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
Then answer_all(std::string_view& input, std::string& out) {
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

struct Connection {
    uv_tcp_t socket;
    uv_write_t write;
    uv_shutdown_t shutdown;
    Then then = Then::more;    // after `rest`
    std::size_t size = 0;      // of what has come and is not answered
    std::string rest;          // of an answer the socket did not take, while `write` is under way
    char input[header_limit];  // a whole head fits

    uv_stream_t* stream() { return reinterpret_cast<uv_stream_t*>(&socket); }
};

void close(Connection& connection) {
    auto* const handle = reinterpret_cast<uv_handle_t*>(&connection.socket);
    if (uv_is_closing(handle) != 0) return;
    uv_close(handle, [](uv_handle_t* closed) { delete static_cast<Connection*>(closed->data); });
}

// An answer has been written as a whole.
void finished(Connection& connection) {
    if (connection.then == Then::close) {
        close(connection);
    } else if (connection.then == Then::drain) {
        // A close with input unread would destroy the last answer: reads on until the peer closes.
        if (uv_shutdown(&connection.shutdown, connection.stream(), nullptr) < 0) close(connection);
    }
}

void give_buffer(uv_handle_t* handle, std::size_t, uv_buf_t* buffer) {
    auto& connection = *static_cast<Connection*>(handle->data);
    *buffer = uv_buf_init(connection.input + connection.size, static_cast<unsigned>(header_limit - connection.size));
}

void on_read(uv_stream_t* stream, ssize_t got, const uv_buf_t* buffer);

void on_written(uv_write_t* write, int status) {
    auto& connection = *static_cast<Connection*>(write->data);
    if (status < 0 || uv_read_start(connection.stream(), give_buffer, on_read) < 0) return close(connection);
    finished(connection);
}

void send(Connection& connection, std::string& out) {
    uv_buf_t answer = uv_buf_init(out.data(), static_cast<unsigned>(out.size()));
    int written = uv_try_write(connection.stream(), &answer, 1);
    if (written == UV_EAGAIN) written = 0;
    if (written < 0) return close(connection);
    if (static_cast<std::size_t>(written) == out.size()) return finished(connection);
    // The peer does not read: neither do we until it has taken the rest.
    connection.rest.assign(out, static_cast<std::size_t>(written));
    answer = uv_buf_init(connection.rest.data(), static_cast<unsigned>(connection.rest.size()));
    uv_read_stop(connection.stream());
    if (uv_write(&connection.write, connection.stream(), &answer, 1, on_written) < 0) close(connection);
}

void on_read(uv_stream_t* stream, ssize_t got, const uv_buf_t*) {
    static std::string out;
    auto& connection = *static_cast<Connection*>(stream->data);
    if (got == 0) return;  // nothing there yet
    if (got < 0) return close(connection);
    if (connection.then == Then::drain) return;
    std::string_view input(connection.input, connection.size + static_cast<std::size_t>(got));
    out.clear();
    connection.then = answer_all(input, out);
    connection.size = connection.then == Then::more ? input.size() : 0;
    if (input.data() != connection.input) std::memmove(connection.input, input.data(), connection.size);
    if (!out.empty()) send(connection, out);
}

void on_connection(uv_stream_t* listener, int status) {
    if (status < 0) return;
    auto* const connection = new Connection;
    connection->socket.data = connection->write.data = connection;
    check(uv_tcp_init(listener->loop, &connection->socket));
    if (uv_accept(listener, connection->stream()) < 0 || uv_tcp_nodelay(&connection->socket, 1) < 0 ||
        uv_read_start(connection->stream(), give_buffer, on_read) < 0)
        close(*connection);
}

}  // namespace

int main() {
    std::signal(SIGPIPE, SIG_IGN);
    uv_loop_t loop;
    uv_tcp_t listener;
    sockaddr_in address{};
    check(uv_loop_init(&loop));
    check(uv_tcp_init(&loop, &listener));
    check(uv_ip4_addr("127.0.0.1", 0, &address));
    check(uv_tcp_bind(&listener, reinterpret_cast<const sockaddr*>(&address), 0));
    check(uv_listen(reinterpret_cast<uv_stream_t*>(&listener), 1024, on_connection));
    int size = sizeof address;
    check(uv_tcp_getsockname(&listener, reinterpret_cast<sockaddr*>(&address), &size));
    std::printf("%d\n", ntohs(address.sin_port));
    std::fflush(stdout);
    return uv_run(&loop, UV_RUN_DEFAULT);
}
