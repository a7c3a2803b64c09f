#include "coroscope/detail/net_socket_state.hpp"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <ctime>
#include <stdexcept>

namespace coroscope::detail {

namespace {

FdKind kind_of(int fd) {
    int domain = 0;
    int type = 0;
    socklen_t size = sizeof domain;
    if (::getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) != 0) return FdKind::socket;
    if (::getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) != 0) return FdKind::socket;
    return (domain == AF_INET || domain == AF_INET6) && type == SOCK_STREAM ? FdKind::tcp : FdKind::socket;
}

// Writes to a pipe without SIGPIPE, which has no flag for it as sockets have: the signal is blocked for this thread
// while it writes, and taken away if the write raised it. What the program does with SIGPIPE stays as it is.
ssize_t write_without_sigpipe(int fd, std::span<const std::byte> data) {
    sigset_t pipe_signal, before, pending;
    ::sigemptyset(&pipe_signal);
    ::sigaddset(&pipe_signal, SIGPIPE);
    ::pthread_sigmask(SIG_BLOCK, &pipe_signal, &before);
    ::sigpending(&pending);
    const bool was_pending = ::sigismember(&pending, SIGPIPE) == 1;
    const ssize_t count = ::write(fd, data.data(), data.size());
    const int error = errno;
    if (count < 0 && error == EPIPE && !was_pending) {
        constexpr timespec at_once{0, 0};
        while (::sigtimedwait(&pipe_signal, nullptr, &at_once) < 0 && errno == EINTR) {
        }
    }
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    errno = error;
    return count;
}

// The end of a pseudo-terminal whose other end was closed reads as EIO: the end of the stream.
ssize_t read_pipe(int fd, std::span<std::byte> into) {
    const ssize_t count = ::read(fd, into.data(), into.size());
    return count < 0 && errno == EIO && ::isatty(fd) == 1 ? 0 : count;
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
    suspend(*this);
}

void ReadinessAwaiter::on_cancel() noexcept {
    waiting_ = false;
    socket_.waiter(direction_) = nullptr;
    wake_cancelled();
}

std::uint64_t ReadinessAwaiter::waits_for() const noexcept {
    if (direction_ == Direction::write) return socket_.wait(socket_.connecting_ ? Verb::connect : Verb::write, *task());
    return socket_.wait(socket_.shown_type() == ResourceType::server ? Verb::accept : Verb::read, *task());
}

SocketState::SocketState(EventLoop& loop, int the_fd) noexcept : SocketState(loop, the_fd, kind_of(the_fd)) {}

SocketState::~SocketState() {
    if (watched_) loop_.unwatch(*this);
    if (fd >= 0) ::close(fd);
}

void SocketState::watch() {
    if (watched_) return;
    loop_.watch(*this);
    watched_ = true;
}

std::uint64_t SocketState::wait(Verb verb, const TaskControl& waiter) noexcept {
    if (resource_.id() != 0 || !debug_enabled()) return pack_wait(verb, resource_.id());
    const std::string name = name_to_show();
    ResourceTraits shown = traits(name);
    shown.made_by_wait = true;
    return resource_.wait(verb, waiter, shown);
}

ResourceTraits SocketState::traits(const std::string& name) const noexcept {
    const int room = kind_ == FdKind::pipe ? ::fcntl(fd, F_GETPIPE_SZ) : 0;
    return {.type = shown_type(),
            .capacity = room > 0 ? room : 0,
            .parent = parent_,
            .system_id = static_cast<std::uint64_t>(fd) + 1,
            .name = name};
}

std::string SocketState::name_to_show() const noexcept {
    try {
        return label_ != nullptr ? std::string(label_) : shown_name();
    } catch (...) {  // out of memory: it has none
        return {};
    }
}

// A subprocess whose output nobody reads stops when the pipe is full.
void SocketState::report_unread() noexcept {
    int unread = 0;
    if (::ioctl(fd, FIONREAD, &unread) != 0) return;
    const std::string name = name_to_show();
    if (resource_.id() == 0) resource_.constructed(traits(name));
    resource_.level_is(static_cast<std::uint64_t>(unread));
}

void SocketState::close() noexcept {
    if (fd < 0) return;
    const Ref<SocketState> alive = Ref<SocketState>::share(this);
    if (watched_) loop_.unwatch(*this);  // explicitly: a forked child may keep the socket open, and epoll with it
    watched_ = false;
    ::close(fd);
    fd = -1;
    resource_.end();
    wake(Direction::read);
    wake(Direction::write);
    on_closed();
}

int SocketState::give_up() noexcept {
    if (watched_) loop_.unwatch(*this);
    watched_ = false;
    resource_.end();
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
        if (self.parent_ != 0 && self.reader_ == nullptr && debug_enabled()) [[unlikely]]
            self.report_unread();
        self.wake(Direction::read);
    }
    if ((events & (broken | EPOLLOUT)) != 0 && !self.writable_) {
        self.writable_ = true;
        self.connecting_ = false;
        self.wake(Direction::write);
        self.on_writable();
    }
    if (self.ended_) [[unlikely]]
        self.on_ended();
}

IoResult SocketState::try_recv(std::span<std::byte> into) noexcept {
    const IoResult result = attempt(Direction::read, [&]() noexcept {
        return kind_ == FdKind::pipe ? read_pipe(fd, into) : ::recv(fd, into.data(), into.size(), 0);
    });
    // Less than asked for: the kernel has no more, and further bytes make a new edge. This saves the second read that
    // would say "would block". Not after an end or at one, which makes no further edge.
    if (parent_ != 0) resource_.level_is(0);
    if (result.count > 0 && result.count < into.size() && kind_ == FdKind::tcp && !ended_) readable_ = false;
    return result;
}

IoResult SocketState::try_send(std::span<const std::byte> data) noexcept {
    return attempt(Direction::write, [&]() noexcept {
        return kind_ == FdKind::pipe ? write_without_sigpipe(fd, data)
                                     : ::send(fd, data.data(), data.size(), MSG_NOSIGNAL);
    });
}

IoResult SocketState::try_accept(sockaddr* peer, socklen_t* peer_size, int* accepted) noexcept {
    return attempt(Direction::read, [&]() noexcept {
        for (;;) {
            *accepted = ::accept4(fd, peer, peer_size, SOCK_NONBLOCK | SOCK_CLOEXEC);
            if (*accepted >= 0) return 1;
            // Errors of the connection that was to be accepted are its own: on to the next one (see accept(2)).
            if (errno != ECONNABORTED && errno != EPROTO && errno != ENETDOWN && errno != EHOSTDOWN &&
                errno != EHOSTUNREACH && errno != ENETUNREACH && errno != ENOPROTOOPT)
                return -1;
        }
    });
}

}  // namespace coroscope::detail
