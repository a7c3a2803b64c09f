// A hand-written HTTP server on libuv: tries to write at once and queues only what the socket does not take.
// `http_server_libuv` listens on a free port of 127.0.0.1, prints the port, serves until killed.
#include <arpa/inet.h>
#include <uv.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

#include "tests/bench/peers/http_by_hand.hpp"

namespace {

void check(int result) {
    if (result >= 0) return;
    std::fprintf(stderr, "http_server_libuv: %s\n", uv_strerror(result));
    std::exit(1);
}

using namespace coroscope::bench;

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
