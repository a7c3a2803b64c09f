#include "coroscope/net/server.hpp"

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <exception>
#include <stdexcept>

#include "connect.hpp"
#include "coroscope/net/lookup.hpp"
#include "server_state.hpp"

namespace coroscope {

using detail::ServerState;

namespace {

// Listening at once tells at once that the port is taken.
Socket bind_or_listen(const Address& address, const ServerOptions& options) {
    if (options.start_serving) return Socket::listen(address, options.backlog, options.reuse_port);
    return detail::bind_stream_socket(address, options.reuse_port);
}

// One socket for each address, all on the same port. That of another family than the first may be missing on this
// machine.
std::vector<Socket> listen_on_all(std::vector<Address> addresses, const ServerOptions& options) {
    const bool any_port = addresses.front().port() == 0;
    for (int attempt = 0;; ++attempt) {
        std::vector<Socket> sockets;
        std::exception_ptr missing;
        try {
            for (Address address : addresses) {
                if (any_port && !sockets.empty()) address.set_port(sockets.front().local().port());
                try {
                    sockets.push_back(bind_or_listen(address, options));
                } catch (const std::system_error& error) {
                    const int code = error.code().value();
                    if (code != EADDRNOTAVAIL && code != EAFNOSUPPORT) throw;
                    missing = std::current_exception();
                }
            }
            if (sockets.empty()) std::rethrow_exception(missing);
            return sockets;
        } catch (const std::system_error& error) {
            // The port that was free in one family is taken in the other: another one.
            const bool again = any_port && addresses.size() > 1 && error.code().value() == EADDRINUSE;
            if (!again || attempt == 16) throw;
        }
    }
}

// Whether a socket file is there that nobody listens on any more.
bool is_left_behind(const std::string& path, const Address& address) {
    struct stat file{};
    if (::stat(path.c_str(), &file) != 0 || !S_ISSOCK(file.st_mode)) return false;
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return false;
    const bool refused = ::connect(fd, address.data(), address.size()) != 0 && errno == ECONNREFUSED;
    ::close(fd);
    return refused;
}

}  // namespace

Server& Server::operator=(Server&& other) noexcept {
    if (this != &other) {
        close();
        state_ = std::move(other.state_);
    }
    return *this;
}

Server::~Server() { close(); }

void Server::stop_accepting() noexcept {
    if (state_) state_->stop_accepting();
}

void Server::close() noexcept {
    if (state_) state_->close();
}

void Server::start_serving() {
    if (!state_) throw std::logic_error("there is no server");
    state_->start_serving();
}

bool Server::is_serving() const noexcept { return state_ && state_->is_serving(); }

void Server::close_clients() noexcept {
    if (state_) state_->close_clients();
}

void Server::abort_clients() noexcept {
    if (state_) state_->abort_clients();
}

Coro<> Server::wait_closed() {
    const std::shared_ptr<ServerState> state = state_;
    if (state) co_await state->ended.wait();
}

Coro<> Server::serve_forever() {
    const std::shared_ptr<ServerState> state = state_;
    if (!state) co_return;
    if (!state->ended.is_set() && !state->is_closed()) state->start_serving();
    std::exception_ptr cancelled;
    try {
        co_await state->ended.wait();
    } catch (const Cancelled&) {
        cancelled = std::current_exception();
    }
    if (!cancelled) co_return;
    state->close();
    co_await state->ended.wait();
    std::rethrow_exception(cancelled);
}

std::uint16_t Server::port() const noexcept { return state_ ? state_->addresses().front().port() : 0; }
std::vector<Address> Server::addresses() const { return state_ ? state_->addresses() : std::vector<Address>(); }
std::size_t Server::connections() const noexcept { return state_ ? state_->connections() : 0; }

namespace {

Server server_on(std::vector<Socket> sockets, ConnectionHandler handler, const ServerOptions& options,
                 std::string unix_path = {}) {
    auto state = std::make_shared<ServerState>(std::move(handler), options);
    Server server(state);
    for (Socket& socket : sockets) state->add(std::move(socket));
    if (!unix_path.empty()) state->remove_at_close(std::move(unix_path));
    if (options.start_serving) state->start_serving();
    return server;
}

}  // namespace

Coro<Server> start_server(ConnectionHandler handler, std::string host, std::uint16_t port, ServerOptions options) {
    std::vector<std::string> hosts{std::move(host)};
    return start_server(std::move(handler), std::move(hosts), port, options);
}

Coro<Server> start_server(ConnectionHandler handler, std::vector<std::string> hosts, std::uint16_t port,
                          ServerOptions options) {
    std::vector<Address> addresses;
    for (const std::string& host : hosts) {
        const std::vector<Address> found = co_await resolve(host, port, true);
        for (const Address& address : found) {
            const auto is_same = [&](const Address& other) { return other.text() == address.text(); };
            if (std::none_of(addresses.begin(), addresses.end(), is_same)) addresses.push_back(address);
        }
    }
    if (addresses.empty()) throw std::invalid_argument("start_server: no host to listen on");
    co_return server_on(listen_on_all(std::move(addresses), options), std::move(handler), options);
}

Coro<Server> start_server(ConnectionHandler handler, Socket socket, ServerOptions options) {
    if (!socket) throw std::invalid_argument("start_server: the socket is closed");
    std::vector<Socket> only;
    only.push_back(std::move(socket));
    co_return server_on(std::move(only), std::move(handler), options);
}

Coro<Server> start_unix_server(ConnectionHandler handler, std::string path, ServerOptions options) {
    const Address address = Address::unix_path(path);
    if (is_left_behind(path, address)) ::unlink(path.c_str());
    std::vector<Socket> only;
    only.push_back(bind_or_listen(address, options));
    co_return server_on(std::move(only), std::move(handler), options, std::move(path));
}

}  // namespace coroscope
