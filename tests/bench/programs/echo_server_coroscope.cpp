// An echo server on the runtime, to be measured beside echo_server_epoll: `echo_server_coroscope [raw]`. Prints its
// port, serves until SIGTERM or SIGINT. Default: streams; raw: Socket::recv and send_all.
#include <array>
#include <cstdio>
#include <cstring>

#include "coroscope/net.hpp"
#include "coroscope/run.hpp"
#include "coroscope/signals.hpp"

using namespace coroscope;

namespace {

Coro<> echo_stream(StreamReader reader, StreamWriter writer) {
    std::array<std::byte, 4096> buffer;
    while (const std::size_t count = co_await reader.read(buffer)) {
        writer.write(std::span(buffer).first(count));
        co_await writer.drain();
    }
}

Coro<> echo_socket(Socket socket) {
    std::array<std::byte, 4096> buffer;
    while (const std::size_t count = co_await socket.recv(buffer))
        co_await socket.send_all(std::span(buffer).first(count));
}

Coro<> accept_raw(Socket listener) {
    for (;;) {
        Socket socket = co_await listener.accept();
        create_task(echo_socket(std::move(socket)));
    }
}

void announce(int port) {
    std::printf("%d\n", port);
    std::fflush(stdout);
}

Coro<> serve_streams() {
    Server server = co_await start_server(echo_stream, "127.0.0.1", 0);
    announce(server.port());
    co_await wait_for_signal(SIGINT, SIGTERM);
    server.close();
    co_await server.wait_closed();
}

Coro<> serve_raw() {
    Socket listener = Socket::listen(*Address::numeric("127.0.0.1", 0));
    announce(listener.local().port());
    Task<> accepting = create_task(accept_raw(std::move(listener)), "accept");
    co_await wait_for_signal(SIGINT, SIGTERM);
}

}  // namespace

int main(int argc, char** argv) {
    const bool raw = argc > 1 && std::strcmp(argv[1], "raw") == 0;
    run(raw ? serve_raw() : serve_streams());
}
