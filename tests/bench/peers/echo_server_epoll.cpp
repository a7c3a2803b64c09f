// The floor of an echo server: one epoll loop by hand, level-triggered, one recv and one send a request. Prints its
// port, serves until killed.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>

int main() {
    const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    const int one = 1;
    ::setsockopt(listener, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
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
    interest.events = EPOLLIN;
    interest.data.fd = listener;
    ::epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &interest);
    for (;;) {
        epoll_event events[256];
        const int count = ::epoll_wait(epoll, events, 256, -1);
        for (int i = 0; i < count; ++i) {
            const int fd = events[i].data.fd;
            if (fd == listener) {
                const int peer = ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
                if (peer < 0) continue;
                interest.data.fd = peer;
                ::epoll_ctl(epoll, EPOLL_CTL_ADD, peer, &interest);
                continue;
            }
            char buffer[4096];
            const ssize_t received = ::recv(fd, buffer, sizeof buffer, 0);
            if (received <= 0) {
                ::close(fd);
            } else if (::send(fd, buffer, static_cast<std::size_t>(received), MSG_NOSIGNAL) != received) {
                return 1;
            }
        }
    }
}
