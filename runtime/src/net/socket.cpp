#include "coroscope/net/socket.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>

#include "connect.hpp"
#include "coroscope/sleep.hpp"
#include "fail.hpp"

namespace coroscope {

using detail::fail;
using detail::IoResult;
using detail::Ref;
using detail::SocketState;

namespace {

[[noreturn]] void fail_closed() { fail(EBADF, "the socket is closed"); }

void set(int fd, int level, int option, int value) { ::setsockopt(fd, level, option, &value, sizeof value); }

// Why a bind failed, and what to do about it.
std::string listen_advice(int error, const Address& address) {
    const std::string what = "cannot listen on " + address.text();
    if (error == EADDRINUSE) return what + ": another program does; choose another port (0: any that is free)";
    if (error == EACCES) return what + ": not permitted; ports below 1024 need a privilege";
    if (error == EADDRNOTAVAIL) return what + ": this machine has no such address";
    return what;
}

}  // namespace

Socket::Socket(int fd) {
    const int flags = ::fcntl(fd, F_GETFL);
    if (flags < 0) fail(errno, "not a socket");
    if ((flags & O_NONBLOCK) == 0 && ::fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0)
        fail(errno, "cannot make a socket non-blocking");
    state_ = Ref<SocketState>(new SocketState(EventLoop::running(), fd));
}

SocketState& Socket::state() const {
    if (!state_ || !state_->is_open()) fail_closed();
    return *state_;
}

Socket detail::bind_stream_socket(const Address& address, bool reuse_port) {
    Socket socket = detail::new_stream_socket(address.family());
    const int fd = socket.fd();
    if (address.family() != AF_UNIX) set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    if (reuse_port) set(fd, SOL_SOCKET, SO_REUSEPORT, 1);
    if (address.family() == AF_INET6) set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
    if (::bind(fd, address.data(), address.size()) != 0) {
        const int error = errno;
        fail(error, listen_advice(error, address));
    }
    return socket;
}

Socket Socket::listen(const Address& address, int backlog, bool reuse_port) {
    Socket socket = detail::bind_stream_socket(address, reuse_port);
    if (::listen(socket.fd(), backlog) != 0) {
        const int error = errno;
        fail(error, listen_advice(error, address));
    }
    socket.state().show_as(detail::ResourceType::server);
    return socket;
}

Coro<std::size_t> Socket::recv(std::span<std::byte> into) {
    const Ref<SocketState> state = Ref<SocketState>::share(&this->state());
    if (state->turn_is_over()) co_await yield();
    for (;;) {
        const IoResult result = state->try_recv(into);
        if (result.kind == IoResult::Kind::done) co_return result.count;
        if (result.kind == IoResult::Kind::closed) fail_closed();
        if (result.kind == IoResult::Kind::failed)
            throw ConnectionError(result.error, "the connection was lost while reading");
        co_await state->until_readable();
    }
}

Coro<std::size_t> Socket::send(std::span<const std::byte> data) {
    const Ref<SocketState> state = Ref<SocketState>::share(&this->state());
    for (;;) {
        const IoResult result = state->try_send(data);
        if (result.kind == IoResult::Kind::done) co_return result.count;
        if (result.kind == IoResult::Kind::closed) fail_closed();
        if (result.kind == IoResult::Kind::failed)
            throw ConnectionError(result.error, "the connection was lost while writing");
        co_await state->until_writable();
    }
}

Coro<> Socket::send_all(std::span<const std::byte> data) {
    const Ref<SocketState> state = Ref<SocketState>::share(&this->state());
    while (!data.empty()) {
        const IoResult result = state->try_send(data);
        if (result.kind == IoResult::Kind::closed) fail_closed();
        if (result.kind == IoResult::Kind::failed)
            throw ConnectionError(result.error, "the connection was lost while writing");
        if (result.kind == IoResult::Kind::done) {
            data = data.subspan(result.count);
        } else {
            co_await state->until_writable();
        }
    }
}

Coro<Socket> Socket::accept() {
    const Ref<SocketState> state = Ref<SocketState>::share(&this->state());
    if (state->turn_is_over()) co_await yield();
    for (;;) {
        int fd = -1;
        const IoResult result = state->try_accept(nullptr, nullptr, &fd);
        if (result.kind == IoResult::Kind::done) co_return Socket(fd);
        if (result.kind == IoResult::Kind::closed) fail_closed();
        if (result.kind == IoResult::Kind::failed) fail(result.error, "cannot accept a connection");
        co_await state->until_readable();
    }
}

void Socket::shutdown_write() noexcept {
    if (*this) ::shutdown(fd(), SHUT_WR);
}

void Socket::reset() noexcept {
    if (!*this) return;
    const linger none{1, 0};
    ::setsockopt(fd(), SOL_SOCKET, SO_LINGER, &none, sizeof none);
    close();
}

Address Socket::local() const noexcept {
    sockaddr_storage storage;
    socklen_t size = sizeof storage;
    auto* address = reinterpret_cast<sockaddr*>(&storage);
    if (::getsockname(fd(), address, &size) != 0) return {};
    return Address(address, size);
}

Address Socket::peer() const noexcept {
    sockaddr_storage storage;
    socklen_t size = sizeof storage;
    auto* address = reinterpret_cast<sockaddr*>(&storage);
    if (::getpeername(fd(), address, &size) != 0) return {};
    return Address(address, size);
}

int Socket::release_fd() noexcept { return state_ ? state_->give_up() : -1; }

}  // namespace coroscope
