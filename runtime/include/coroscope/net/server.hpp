// start_server(): a task for every connection.
//
//     Coro<> handle(StreamReader reader, StreamWriter writer) {
//         const std::string line = co_await reader.read_line();
//         writer.write("you said: " + line);
//         co_await writer.drain();
//     }
//     Server server = co_await start_server(handle, "localhost", 8080);
//     co_await server.serve_forever();
//
// The server owns its connections: close() cancels them and wait_closed() waits for their end; a Server that is
// destroyed closes (in asyncio, they would run on). A handler that returns ends its connection, after what it wrote was
// sent. An exception of a handler is reported as never retrieved and ends that connection only; that the peer is gone
// (ConnectionError) is not reported. Thread: the loop's.
//
// A handler with captures: name the lambda first, then pass it (g++ 12 destroys a capturing temporary in a co_await
// expression twice).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "coroscope/net/stream.hpp"

namespace coroscope {

namespace detail {
class ServerState;
}

class ServerOptions {
public:
    ServerOptions() noexcept {}
    int backlog = 1024;                // connections the kernel keeps until they are accepted
    bool reuse_port = false;           // several processes or loops may listen on the port
    bool start_serving = true;         // false: bound only, until start_serving() or serve_forever()
    std::size_t most_connections = 0;  // open at a time; further ones wait in the backlog. 0: as many as come
    StreamOptions stream;
};

using ConnectionHandler = std::function<Coro<>(StreamReader, StreamWriter)>;

class Server {
public:
    Server() noexcept = default;
    explicit Server(std::shared_ptr<detail::ServerState> state) noexcept : state_(std::move(state)) {}
    Server(Server&&) noexcept = default;
    Server& operator=(Server&& other) noexcept;
    ~Server();  // as close()

    // Listens and accepts, if it does not yet. Throws std::system_error; std::logic_error if it is closed.
    void start_serving();
    bool is_serving() const noexcept;
    void stop_accepting() noexcept;  // open connections go on
    void close_clients() noexcept;   // closes the open connections after what they have written; handlers read the end
    void abort_clients() noexcept;   // closes them at once: what was written may be lost
    void close() noexcept;   // stops accepting and cancels the connections. Idempotent. Not a cancellation point.
    Coro<> wait_closed();    // until it is closed and the last connection has ended. Cancellation point.
    Coro<> serve_forever();  // until it is closed; cancelled, it closes and waits first. Cancellation point.

    std::uint16_t port() const noexcept;  // the one the system chose for port 0
    std::vector<Address> addresses() const;
    std::size_t connections() const noexcept;  // open now

private:
    std::shared_ptr<detail::ServerState> state_;
};

// Listens on all addresses of the host ("localhost": IPv4 and IPv6; "": all interfaces) and accepts at once.
// Cancellation point. Throws std::system_error (address in use, not permitted: says what to do), LookupError.
Coro<Server> start_server(ConnectionHandler handler, std::string host, std::uint16_t port, ServerOptions options = {});
Coro<Server> start_server(ConnectionHandler handler, std::vector<std::string> hosts, std::uint16_t port,
                          ServerOptions options = {});
// On a socket that is bound, or listens already: one that was inherited, for instance.
Coro<Server> start_server(ConnectionHandler handler, Socket socket, ServerOptions options = {});
// On a unix socket. A socket file left behind by a dead process is replaced; the file is removed at close().
Coro<Server> start_unix_server(ConnectionHandler handler, std::string path, ServerOptions options = {});

}  // namespace coroscope
