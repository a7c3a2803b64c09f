// The floor of an HTTP server: one epoll loop by hand, level-triggered, one recv and one send a request.
// `http_server_epoll` listens on a free port of 127.0.0.1, prints the port, serves until killed.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <string>
#include <string_view>

namespace {

constexpr std::size_t header_limit = 8192;

// What stands between the status and the length in every answer; made once a second because of the date.
std::string_view common_headers() {
    static std::time_t made = 0;
    static char text[192];
    static std::size_t size = 0;
    const std::time_t now = std::time(nullptr);
    if (now != made) {
        std::tm parts{};
        ::gmtime_r(&now, &parts);
        size = std::strftime(text, sizeof text,
                             "\r\nContent-Type: text/plain; charset=utf-8\r\nServer: epoll\r\n"
                             "Date: %a, %d %b %Y %H:%M:%S GMT\r\nContent-Length: ",
                             &parts);
        made = now;
    }
    return {text, size};
}

// What becomes of a connection after an answer. Drain: input is left that a close would turn into a reset.
enum class Then { more, close, drain };

struct Request {
    std::string_view method, target;
    Then then = Then::more;
};

bool same(std::string_view a, std::string_view b) {
    return a.size() == b.size() && ::strncasecmp(a.data(), b.data(), a.size()) == 0;
}

std::string_view trimmed(std::string_view text) {
    const std::size_t first = text.find_first_not_of(" \t");
    if (first == text.npos) return {};
    return text.substr(first, text.find_last_not_of(" \t") + 1 - first);
}

bool has_token(std::string_view list, std::string_view token) {
    for (;;) {
        const std::size_t comma = list.find(',');
        if (same(trimmed(list.substr(0, comma)), token)) return true;
        if (comma == list.npos) return false;
        list.remove_prefix(comma + 1);
    }
}

// `head` is a request without the empty line, every line with its end. A body is not read: the answer is the last one.
bool parse(std::string_view head, Request& request) {
    std::size_t end = head.find("\r\n");
    const std::string_view line = head.substr(0, end);
    const std::size_t space = line.find(' ');
    if (space == line.npos || space == 0) return false;
    const std::size_t second = line.find(' ', space + 1);
    if (second == line.npos || second == space + 1) return false;
    const std::string_view version = line.substr(second + 1);
    if (version != "HTTP/1.1" && version != "HTTP/1.0") return false;
    request.method = line.substr(0, space);
    request.target = line.substr(space + 1, second - space - 1);
    if (version.back() == '0') request.then = Then::close;
    for (std::size_t at = end + 2; at < head.size(); at = end + 2) {
        end = head.find("\r\n", at);
        const std::string_view header = head.substr(at, end - at);
        const std::size_t colon = header.find(':');
        if (colon == header.npos) return false;
        const std::string_view name = header.substr(0, colon);
        if (same(name, "Connection")) {
            if (has_token(header.substr(colon + 1), "close") && request.then == Then::more) request.then = Then::close;
        } else if (same(name, "Transfer-Encoding") ||
                   (same(name, "Content-Length") && trimmed(header.substr(colon + 1)) != "0")) {
            request.then = Then::drain;
        }
    }
    return true;
}

// Appends everything but the body.
void append_head(std::string& out, std::string_view status, std::size_t length, Then then) {
    char digits[20];
    char* const end = std::to_chars(digits, digits + sizeof digits, length).ptr;
    out.append("HTTP/1.1 ").append(status).append(common_headers()).append(digits, end);
    out.append(then == Then::more ? "\r\n\r\n" : "\r\nConnection: close\r\n\r\n");
}

void append_text(std::string& out, std::string_view status, std::string_view text, Then then) {
    append_head(out, status, text.size(), then);
    out.append(text);
}

void append_answer(std::string& out, const Request& request) {
    constexpr std::string_view hello = "Hello, ", not_found = "404: Not Found";
    const std::string_view name = request.target == "/" ? "Anonymous" : request.target.substr(1);
    if (request.target[0] == '/' && request.method == "GET" && name.find('/') == name.npos) {
        append_head(out, "200 OK", hello.size() + name.size() + 1, request.then);
        out.append(hello).append(name).append("!");
    } else {
        append_head(out, "404 Not Found", not_found.size(), request.then);
        if (request.method != "HEAD") out.append(not_found);
    }
}

// Appends the answers to all whole requests in `input` and leaves there what comes after them.
Then answer_all(std::string_view& input, std::string& out) {
    for (;;) {
        const std::size_t size = input.find("\r\n\r\n");
        if (size == input.npos) {
            if (input.size() < header_limit) return Then::more;
            append_text(out, "431 Request Header Fields Too Large", "431: Request Header Fields Too Large",
                        Then::drain);
            return Then::drain;
        }
        Request request;
        if (!parse(input.substr(0, size + 2), request)) {
            append_text(out, "400 Bad Request", "400: Bad Request", Then::drain);
            return Then::drain;
        }
        input.remove_prefix(size + 4);
        append_answer(out, request);
        if (request.then == Then::close && !input.empty()) return Then::drain;
        if (request.then != Then::more) return request.then;
    }
}

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
