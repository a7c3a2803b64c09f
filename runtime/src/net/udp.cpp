#include "coroscope/net/udp.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <stdexcept>
#include <system_error>
#include <vector>

#include "coroscope/net/lookup.hpp"
#include "coroscope/sleep.hpp"
#include "fail.hpp"

namespace coroscope {

using detail::fail;
using detail::FdKind;
using detail::IoResult;
using detail::Ref;
using detail::SocketState;
using Direction = SocketState::Direction;

namespace {

// What the network says is a ConnectionError; what the caller did wrong is not.
[[noreturn]] void fail_transfer(int error, const std::string& what) {
    if (error == EMSGSIZE) fail(error, what + ": the datagram is too long");
    if (error == EINVAL || error == EAFNOSUPPORT || error == EDESTADDRREQ || error == EISCONN || error == EACCES)
        fail(error, what + (error == EACCES ? ": not permitted (broadcast has to be allowed first)" : ""));
    throw ConnectionError(error, what);
}

// The next datagram into `into`. `result.count` is what is in the buffer.
IoResult receive_one(SocketState& state, std::span<std::byte> into, DatagramInfo& info) {
    sockaddr_storage from{};
    iovec buffer{into.data(), into.size()};
    msghdr message{};
    const IoResult result = state.attempt(Direction::read, [&]() noexcept {
        message = msghdr{};
        message.msg_name = &from;
        message.msg_namelen = sizeof from;
        message.msg_iov = &buffer;
        message.msg_iovlen = 1;
        return ::recvmsg(state.fd, &message, 0);
    });
    if (result.kind != IoResult::Kind::done) return result;
    info.size = result.count;
    info.truncated = (message.msg_flags & MSG_TRUNC) != 0;
    info.from = Address(reinterpret_cast<const sockaddr*>(&from), message.msg_namelen);
    return result;
}

Coro<> send_one(Ref<SocketState> state, std::span<const std::byte> data, Address to) {
    if (state->turn_is_over()) co_await yield();
    for (;;) {
        const sockaddr* address = to.family() == AF_UNSPEC ? nullptr : to.data();
        const socklen_t size = address == nullptr ? 0 : to.size();
        const IoResult result = state->attempt(Direction::write, [&]() noexcept {
            return ::sendto(state->fd, data.data(), data.size(), MSG_NOSIGNAL, address, size);
        });
        if (result.kind == IoResult::Kind::done) co_return;
        if (result.kind == IoResult::Kind::closed) fail(EBADF, "the socket is closed");
        if (result.kind == IoResult::Kind::failed)
            fail_transfer(result.error, address == nullptr ? "cannot send" : "cannot send to " + to.text());
        if (to.family() == AF_UNIX) {  // the receiver's queue is full, and no event says when it no longer is
            co_await sleep(std::chrono::milliseconds(1));
            state->expect_room();
        } else {
            co_await state->until_writable();
        }
    }
}

DatagramSocket new_socket(int family, const DatagramOptions& options) {
    const int fd = ::socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) fail(errno, "cannot open a datagram socket");
    DatagramSocket socket(fd);
    const auto set = [fd](int option, int value) {
        if (value != 0 && ::setsockopt(fd, SOL_SOCKET, option, &value, sizeof value) != 0)
            fail(errno, "cannot set an option of a datagram socket");
    };
    set(SO_BROADCAST, options.broadcast ? 1 : 0);
    set(SO_REUSEADDR, options.reuse_address ? 1 : 0);
    set(SO_REUSEPORT, options.reuse_port ? 1 : 0);
    set(SO_RCVBUF, options.receive_buffer_bytes);
    set(SO_SNDBUF, options.send_buffer_bytes);
    return socket;
}

}  // namespace

DatagramSocket::DatagramSocket(int fd) {
    int type = 0;
    socklen_t size = sizeof type;
    if (::getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) != 0) fail(errno, "not a socket");
    if (type != SOCK_DGRAM) throw std::invalid_argument("a DatagramSocket is made of a datagram socket");
    const int flags = ::fcntl(fd, F_GETFL);
    if (flags < 0 || ((flags & O_NONBLOCK) == 0 && ::fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0))
        fail(errno, "cannot make a socket non-blocking");
    state_ = Ref<SocketState>(new SocketState(EventLoop::running(), fd, FdKind::socket));
    state_->show_as(detail::ResourceType::datagram);
}

SocketState& DatagramSocket::state() const {
    if (!state_ || !state_->is_open()) fail(EBADF, "the socket is closed");
    return *state_;
}

Coro<> DatagramSocket::send_to(std::span<const std::byte> data, Address to) {
    if (to.family() == AF_UNSPEC) throw std::invalid_argument("send_to: no address");
    co_await send_one(Ref<SocketState>::share(&state()), data, to);
}

Coro<> DatagramSocket::send(std::span<const std::byte> data) {
    co_await send_one(Ref<SocketState>::share(&state()), data, Address());
}

Coro<DatagramInfo> DatagramSocket::receive_from(std::span<std::byte> into) {
    const Ref<SocketState> state = Ref<SocketState>::share(&this->state());
    if (state->turn_is_over()) co_await yield();
    for (;;) {
        DatagramInfo info;
        const IoResult result = receive_one(*state, into, info);
        if (result.kind == IoResult::Kind::done) co_return info;
        if (result.kind == IoResult::Kind::closed) fail(EBADF, "the socket is closed");
        if (result.kind == IoResult::Kind::failed) fail_transfer(result.error, "cannot receive");
        co_await state->until_readable();
    }
}

Coro<Datagram> DatagramSocket::receive_from(std::size_t most) {
    // One for the thread: a socket that waits holds no buffer. Only used between here and the copy, never across a
    // suspension.
    thread_local std::array<std::byte, most_bytes> scratch;
    const Ref<SocketState> state = Ref<SocketState>::share(&this->state());
    if (state->turn_is_over()) co_await yield();
    for (;;) {
        DatagramInfo info;
        const IoResult result = receive_one(*state, std::span(scratch).first(std::min(most, most_bytes)), info);
        if (result.kind == IoResult::Kind::done) {
            Datagram datagram;
            datagram.data.assign(reinterpret_cast<const char*>(scratch.data()), info.size);
            datagram.from = info.from;
            datagram.truncated = info.truncated;
            co_return std::move(datagram);
        }
        if (result.kind == IoResult::Kind::closed) fail(EBADF, "the socket is closed");
        if (result.kind == IoResult::Kind::failed) fail_transfer(result.error, "cannot receive");
        co_await state->until_readable();
    }
}

void DatagramSocket::connect(const Address& peer) {
    if (::connect(state().fd, peer.data(), peer.size()) != 0) fail(errno, "cannot connect to " + peer.text());
}

void DatagramSocket::disconnect() {
    sockaddr none{};
    none.sa_family = AF_UNSPEC;
    if (::connect(state().fd, &none, sizeof none) != 0) fail(errno, "cannot disconnect");
}

void DatagramSocket::set(int level, int option, int value, const char* what) const {
    if (::setsockopt(state().fd, level, option, &value, sizeof value) != 0) fail(errno, what);
}

void DatagramSocket::set_broadcast(bool allowed) {
    set(SOL_SOCKET, SO_BROADCAST, allowed ? 1 : 0, "cannot change whether broadcast is allowed");
}

void DatagramSocket::change_group(const Address& group, unsigned interface_index, int option, const char* what) const {
    if (group.family() != AF_INET && group.family() != AF_INET6)
        throw std::invalid_argument("a multicast group is an IPv4 or IPv6 address");
    group_req request{};
    request.gr_interface = interface_index;
    std::copy_n(reinterpret_cast<const char*>(group.data()), group.size(), reinterpret_cast<char*>(&request.gr_group));
    const int level = group.family() == AF_INET ? IPPROTO_IP : IPPROTO_IPV6;
    if (::setsockopt(state().fd, level, option, &request, sizeof request) != 0) fail(errno, what + group.text());
}

void DatagramSocket::join_group(const Address& group, unsigned interface_index) {
    change_group(group, interface_index, MCAST_JOIN_GROUP, "cannot join the group ");
}

void DatagramSocket::leave_group(const Address& group, unsigned interface_index) {
    change_group(group, interface_index, MCAST_LEAVE_GROUP, "cannot leave the group ");
}

void DatagramSocket::set_multicast_hops(int hops) {
    constexpr const char* what = "cannot set how far multicast goes";
    if (local().family() == AF_INET6) return set(IPPROTO_IPV6, IPV6_MULTICAST_HOPS, hops, what);
    set(IPPROTO_IP, IP_MULTICAST_TTL, hops, what);
}

void DatagramSocket::set_multicast_loop(bool loop) {
    constexpr const char* what = "cannot set whether multicast comes back";
    if (local().family() == AF_INET6) return set(IPPROTO_IPV6, IPV6_MULTICAST_LOOP, loop ? 1 : 0, what);
    set(IPPROTO_IP, IP_MULTICAST_LOOP, loop ? 1 : 0, what);
}

void DatagramSocket::set_multicast_interface(unsigned interface_index) {
    constexpr const char* what = "cannot choose the interface for multicast";
    const int index = static_cast<int>(interface_index);
    if (local().family() == AF_INET6) return set(IPPROTO_IPV6, IPV6_MULTICAST_IF, index, what);
    ip_mreqn request{};
    request.imr_ifindex = index;
    if (::setsockopt(state().fd, IPPROTO_IP, IP_MULTICAST_IF, &request, sizeof request) != 0) fail(errno, what);
}

Address DatagramSocket::local() const noexcept {
    sockaddr_storage storage{};
    socklen_t size = sizeof storage;
    auto* address = reinterpret_cast<sockaddr*>(&storage);
    return ::getsockname(fd(), address, &size) == 0 ? Address(address, size) : Address();
}

Address DatagramSocket::peer() const noexcept {
    sockaddr_storage storage{};
    socklen_t size = sizeof storage;
    auto* address = reinterpret_cast<sockaddr*>(&storage);
    return ::getpeername(fd(), address, &size) == 0 ? Address(address, size) : Address();
}

DatagramSocket open_datagram(const Address& local, DatagramOptions options) {
    DatagramSocket socket = new_socket(local.family(), options);
    if (::bind(socket.fd(), local.data(), local.size()) != 0) {
        const int error = errno;
        const char* advice = "";
        if (error == EADDRINUSE) advice = ": it is in use; choose another one (port 0: any that is free)";
        if (error == EADDRNOTAVAIL) advice = ": this machine has no such address";
        fail(error, "cannot receive at " + local.text() + advice);
    }
    return socket;
}

DatagramSocket open_datagram(int family, DatagramOptions options) { return new_socket(family, options); }

Coro<DatagramSocket> open_datagram_to(std::string host, std::uint16_t port, DatagramOptions options) {
    const std::vector<Address> addresses = co_await resolve(host, port);
    int error = EADDRNOTAVAIL;
    for (const Address& address : addresses) {
        DatagramSocket socket = new_socket(address.family(), options);
        if (::connect(socket.fd(), address.data(), address.size()) == 0) co_return std::move(socket);
        error = errno;
    }
    throw ConnectionError(error, "cannot reach " + host);
}

}  // namespace coroscope
