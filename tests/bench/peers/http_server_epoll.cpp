// The floor of an HTTP server: one epoll loop by hand, level-triggered, one recv and one send a request.
// `http_server_epoll` listens on a free port of 127.0.0.1, prints the port, serves until killed.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>

#include "tests/bench/peers/http_by_hand.hpp"

namespace {

using namespace coroscope::bench;

struct Connection {
    explicit Connection(int socket) : fd(socket) {}

    int fd;
    Then then = Then::more;    // after `rest`
    std::size_t size = 0;      // of what has come and is not answered
    std::string rest;          // of an answer the socket did not take
    char input[header_limit];  // a whole head fits
};

void watch(int epoll, int how, std::uint32_t what, Connection& connection) {
    epoll_event interest{};
    interest.events = what;
    interest.data.ptr = &connection;
    ::epoll_ctl(epoll, how, connection.fd, &interest);
}

// The three below return false if the connection is to be closed.

bool finished(Connection& connection) {
    if (connection.then == Then::drain) ::shutdown(connection.fd, SHUT_WR);
    return connection.then != Then::close;
}

bool on_readable(int epoll, Connection& connection) {
    static std::string out;
    const ssize_t got = ::recv(connection.fd, connection.input + connection.size, header_limit - connection.size, 0);
    if (got < 0) return errno == EAGAIN || errno == EINTR;
    if (got == 0) return false;
    if (connection.then == Then::drain) return true;  // a close with input unread would destroy the last answer
    std::string_view input(connection.input, connection.size + static_cast<std::size_t>(got));
    out.clear();
    connection.then = answer_all(input, out);
    connection.size = connection.then == Then::more ? input.size() : 0;
    if (input.data() != connection.input) std::memmove(connection.input, input.data(), connection.size);
    if (out.empty()) return true;
    ssize_t sent = ::send(connection.fd, out.data(), out.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN && errno != EINTR) return false;
    if (sent < 0) sent = 0;
    if (static_cast<std::size_t>(sent) == out.size()) return connection.then == Then::more || finished(connection);
    // The peer does not read: neither do we until it has taken the rest.
    connection.rest.assign(out, static_cast<std::size_t>(sent));
    watch(epoll, EPOLL_CTL_MOD, EPOLLOUT, connection);
    return true;
}

bool on_writable(int epoll, Connection& connection) {
    const ssize_t sent = ::send(connection.fd, connection.rest.data(), connection.rest.size(), MSG_NOSIGNAL);
    if (sent < 0) return errno == EAGAIN || errno == EINTR;
    connection.rest.erase(0, static_cast<std::size_t>(sent));
    if (!connection.rest.empty()) return true;
    watch(epoll, EPOLL_CTL_MOD, EPOLLIN, connection);
    return finished(connection);
}

void accept_one(int epoll, int listener) {
    const int fd = ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) watch(epoll, EPOLL_CTL_ADD, EPOLLIN, *new Connection(fd));
}

}  // namespace

int main() {
    const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    const int one = 1;
    ::setsockopt(listener, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);  // the accepted ones inherit it
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (::bind(listener, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(listener, 1024) != 0) return 1;
    ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
    std::printf("%d\n", ntohs(address.sin_port));
    std::fflush(stdout);

    const int epoll = ::epoll_create1(EPOLL_CLOEXEC);
    epoll_event interest{};
    interest.events = EPOLLIN;  // the listener is the one without a connection
    ::epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &interest);
    for (;;) {
        epoll_event events[256];
        const int count = ::epoll_wait(epoll, events, 256, -1);
        for (int i = 0; i < count; ++i) {
            auto* const connection = static_cast<Connection*>(events[i].data.ptr);
            if (connection == nullptr) {
                accept_one(epoll, listener);
            } else if (!(connection->rest.empty() ? on_readable : on_writable)(epoll, *connection)) {
                ::close(connection->fd);
                delete connection;
            }
        }
    }
}
