#include "coroscope/detail/net_socket_state.hpp"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>

namespace coroscope::detail {

namespace {

bool would_block(int error) { return error == EAGAIN || error == EWOULDBLOCK; }

bool is_tcp(int fd) {
    int domain = 0;
    socklen_t size = sizeof domain;
    return ::getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 && (domain == AF_INET || domain == AF_INET6);
}

}  // namespace

ReadinessAwaiter::~ReadinessAwaiter() {
    if (waiting_) socket_.waiter(direction_) = nullptr;  // the frame is destroyed while it waits
}

bool ReadinessAwaiter::await_ready() const noexcept {
    return !socket_.is_open() || (direction_ == Direction::read ? socket_.readable_ : socket_.writable_);
}

void ReadinessAwaiter::start() {
    ReadinessAwaiter*& place = socket_.waiter(direction_);
    if (place != nullptr) {
        throw std::logic_error(direction_ == Direction::read ? "another task is reading from this connection already"
                                                             : "another task is writing to this connection already");
    }
    socket_.watch();
    socket_.unwaited_ = 0;
    place = this;
    waiting_ = true;
    const WaitKind kind = direction_ == Direction::read ? WaitKind::read : WaitKind::write;
    suspend(wait_bits(kind, static_cast<std::uint64_t>(socket_.fd)), [](Suspension& base) noexcept {
        auto& self = static_cast<ReadinessAwaiter&>(base);
        self.waiting_ = false;
        self.socket_.waiter(self.direction_) = nullptr;
        self.wake_cancelled();
    });
}

SocketState::SocketState(EventLoop& loop, int the_fd) noexcept : loop_(loop), empty_when_short_(is_tcp(the_fd)) {
    fd = the_fd;
    ready = &SocketState::on_events;
}

SocketState::~SocketState() {
    if (watched_) loop_.unwatch(*this);
    if (fd >= 0) ::close(fd);
}

void SocketState::watch() {
    if (watched_) return;
    loop_.watch(*this);
    watched_ = true;
}

void SocketState::close() noexcept {
    if (fd < 0) return;
    const Ref<SocketState> alive = Ref<SocketState>::share(this);
    if (watched_) loop_.unwatch(*this);  // explicitly: a forked child may keep the socket open, and epoll with it
    watched_ = false;
    ::close(fd);
    fd = -1;
    wake(Direction::read);
    wake(Direction::write);
    on_closed();
}

int SocketState::give_up() noexcept {
    if (watched_) loop_.unwatch(*this);
    watched_ = false;
    return std::exchange(fd, -1);
}

void SocketState::wake(Direction direction) noexcept {
    ReadinessAwaiter*& place = waiter(direction);
    if (place == nullptr) return;
    ReadinessAwaiter& woken = *std::exchange(place, nullptr);
    woken.waiting_ = false;
    woken.wake();
}

void SocketState::on_events(FdWatch& watch, std::uint32_t events) noexcept {
    auto& self = static_cast<SocketState&>(watch);
    const Ref<SocketState> alive = Ref<SocketState>::share(&self);
    constexpr std::uint32_t broken = EPOLLHUP | EPOLLERR;
    if ((events & (broken | EPOLLRDHUP)) != 0) self.ended_ = true;
    if ((events & (broken | EPOLLRDHUP | EPOLLIN)) != 0) {
        self.readable_ = true;
        self.wake(Direction::read);
    }
    if ((events & (broken | EPOLLOUT)) != 0 && !self.writable_) {
        self.writable_ = true;
        self.wake(Direction::write);
        self.on_writable();
    }
}

IoResult SocketState::try_recv(std::span<std::byte> into) noexcept {
    if (fd < 0) return {IoResult::Kind::closed, 0, 0};
    if (!readable_) return {IoResult::Kind::would_block, 0, 0};
    for (;;) {
        const ssize_t count = ::recv(fd, into.data(), into.size(), 0);
        if (count >= 0) {
            const auto size = static_cast<std::size_t>(count);
            // Less than asked for: the kernel has no more, and further bytes make a new edge. This saves the second
            // read that would say "would block". Not after an end or at one, which makes no further edge.
            if (size < into.size() && size > 0 && empty_when_short_ && !ended_) readable_ = false;
            return {IoResult::Kind::done, size, 0};
        }
        if (errno == EINTR) continue;
        if (!would_block(errno)) return {IoResult::Kind::failed, 0, errno};
        readable_ = false;
        return {IoResult::Kind::would_block, 0, 0};
    }
}

IoResult SocketState::try_send(std::span<const std::byte> data) noexcept {
    if (fd < 0) return {IoResult::Kind::closed, 0, 0};
    if (!writable_) return {IoResult::Kind::would_block, 0, 0};
    for (;;) {
        const ssize_t count = ::send(fd, data.data(), data.size(), MSG_NOSIGNAL);
        if (count >= 0) return {IoResult::Kind::done, static_cast<std::size_t>(count), 0};
        if (errno == EINTR) continue;
        if (!would_block(errno)) return {IoResult::Kind::failed, 0, errno};
        writable_ = false;
        return {IoResult::Kind::would_block, 0, 0};
    }
}

IoResult SocketState::try_accept(sockaddr* peer, socklen_t* peer_size, int* accepted) noexcept {
    if (fd < 0) return {IoResult::Kind::closed, 0, 0};
    if (!readable_) return {IoResult::Kind::would_block, 0, 0};
    for (;;) {
        *accepted = ::accept4(fd, peer, peer_size, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (*accepted >= 0) return {IoResult::Kind::done, 1, 0};
        // Errors of the connection that was to be accepted are its own: on to the next one (see accept(2)).
        if (errno == EINTR || errno == ECONNABORTED || errno == EPROTO || errno == ENETDOWN || errno == EHOSTDOWN ||
            errno == EHOSTUNREACH || errno == ENETUNREACH || errno == ENOPROTOOPT)
            continue;
        if (!would_block(errno)) return {IoResult::Kind::failed, 0, errno};
        readable_ = false;
        return {IoResult::Kind::would_block, 0, 0};
    }
}

}  // namespace coroscope::detail
