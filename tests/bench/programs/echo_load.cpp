// echo_load PORT CONNECTIONS SECONDS PID: sends 64 bytes on every connection and again whenever they came back, from
// one thread. Prints "CPU_NS_A_REQUEST REQUESTS_A_SECOND", the CPU time being that of all threads of process PID, user
// and system, over the measured time.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

namespace {

constexpr std::size_t message_size = 64;
constexpr double warm_up_seconds = 0.1;

[[noreturn]] void fail(const char* what) {
    std::perror(what);
    std::exit(1);
}

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

double cpu_seconds(pid_t process) {
    clockid_t clock{};
    timespec time{};
    if (::clock_getcpuclockid(process, &clock) != 0 || ::clock_gettime(clock, &time) != 0) fail("CPU clock of PID");
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

int connect_to(int port) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) fail("connect");
    const int one = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}

void send_message(int fd) {
    static const char message[message_size] = {};
    if (::send(fd, message, message_size, MSG_NOSIGNAL) != static_cast<ssize_t>(message_size)) fail("send");
}

struct Connection {
    int fd = -1;
    std::size_t received = 0;  // of the current message
};

// One round of what has come; returns the number of messages that came back whole.
long serve(int epoll) {
    epoll_event events[256];
    const int count = ::epoll_wait(epoll, events, 256, 2000);
    if (count <= 0) fail("no answer for 2 s");
    long answered = 0;
    for (int i = 0; i < count; ++i) {
        auto& connection = *static_cast<Connection*>(events[i].data.ptr);
        char buffer[message_size];
        const ssize_t got = ::recv(connection.fd, buffer, message_size - connection.received, 0);
        if (got <= 0) fail("recv");
        connection.received += static_cast<std::size_t>(got);
        if (connection.received < message_size) continue;
        connection.received = 0;
        ++answered;
        send_message(connection.fd);
    }
    return answered;
}

void run_until(double end, int epoll, long& requests) {
    while (now() < end) requests += serve(epoll);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 5) {
        std::fprintf(stderr, "usage: echo_load PORT CONNECTIONS SECONDS PID\n");
        return 2;
    }
    const int port = std::atoi(argv[1]);
    const double seconds = std::atof(argv[3]);
    const pid_t process = std::atoi(argv[4]);
    std::vector<Connection> connections(static_cast<std::size_t>(std::atoi(argv[2])));

    const int epoll = ::epoll_create1(EPOLL_CLOEXEC);
    for (Connection& connection : connections) {
        connection.fd = connect_to(port);
        epoll_event interest{};
        interest.events = EPOLLIN;
        interest.data.ptr = &connection;
        if (::epoll_ctl(epoll, EPOLL_CTL_ADD, connection.fd, &interest) != 0) fail("epoll_ctl");
    }
    for (const Connection& connection : connections) send_message(connection.fd);

    long requests = 0;
    run_until(now() + warm_up_seconds, epoll, requests);
    requests = 0;
    const double began = now(), cpu_began = cpu_seconds(process);
    run_until(began + seconds, epoll, requests);
    const double cpu = cpu_seconds(process) - cpu_began, took = now() - began;
    std::printf("%.1f %.1f\n", cpu * 1e9 / static_cast<double>(requests), static_cast<double>(requests) / took);
}
