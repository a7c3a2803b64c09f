// An echo server with libuv: tries to write at once and queues only what the socket does not take. `echo_server_libuv`
// listens on a free port of 127.0.0.1, prints the port, serves until killed.
#include <arpa/inet.h>
#include <uv.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <vector>

namespace {

void check(int result) {
    if (result >= 0) return;
    std::fprintf(stderr, "echo_server_libuv: %s\n", uv_strerror(result));
    std::exit(1);
}

struct Connection {
    uv_tcp_t socket{};
    uv_write_t write{};
    std::vector<char> rest;  // of an answer, while `write` is under way

    uv_stream_t* stream() { return reinterpret_cast<uv_stream_t*>(&socket); }
};

void close(Connection& connection) {
    auto* const handle = reinterpret_cast<uv_handle_t*>(&connection.socket);
    if (uv_is_closing(handle) != 0) return;
    uv_close(handle, [](uv_handle_t* closed) { delete static_cast<Connection*>(closed->data); });
}

// libuv asks for the buffer and reads into it right away, so one serves all connections.
void give_buffer(uv_handle_t*, std::size_t, uv_buf_t* buffer) {
    static char memory[65536];
    *buffer = uv_buf_init(memory, sizeof memory);
}

void on_read(uv_stream_t* stream, ssize_t got, const uv_buf_t* buffer);

void on_written(uv_write_t* write, int status) {
    auto& connection = *static_cast<Connection*>(write->data);
    if (status < 0 || uv_read_start(connection.stream(), give_buffer, on_read) < 0) close(connection);
}

void on_read(uv_stream_t* stream, ssize_t got, const uv_buf_t* buffer) {
    auto& connection = *static_cast<Connection*>(stream->data);
    if (got == 0) return;  // nothing there yet
    if (got < 0) return close(connection);
    uv_buf_t answer = uv_buf_init(buffer->base, static_cast<unsigned>(got));
    int written = uv_try_write(stream, &answer, 1);
    if (written == got) return;
    if (written == UV_EAGAIN) written = 0;
    if (written < 0) return close(connection);
    // The peer does not read: neither do we until it has taken the rest.
    connection.rest.assign(buffer->base + written, buffer->base + got);
    answer = uv_buf_init(connection.rest.data(), static_cast<unsigned>(connection.rest.size()));
    uv_read_stop(stream);
    if (uv_write(&connection.write, stream, &answer, 1, on_written) < 0) close(connection);
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
