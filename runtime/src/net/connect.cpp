#include "connect.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <system_error>

#include "coroscope/sleep.hpp"
#include "coroscope/sync.hpp"
#include "coroscope/task.hpp"
#include "coroscope/timeout.hpp"

namespace coroscope {

namespace {

// Why the socket is not connected; 0: it is.
int connect_error(int fd) {
    int error = 0;
    socklen_t size = sizeof error;
    return ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
}

// What the attempts have in common. It may outlive who waits for it, who may be cancelled.
class Race {
public:
    Event changed;
    Socket winner;
    int error = EADDRNOTAVAIL;  // the last one's
    std::size_t running = 0;
};

// Counts an attempt as long as its frame exists, started or not.
class Contender {
public:
    explicit Contender(std::shared_ptr<Race> race) noexcept : race_(std::move(race)) { ++race_->running; }
    Contender(Contender&&) noexcept = default;
    Contender& operator=(Contender&&) = delete;
    ~Contender() {
        if (!race_) return;
        --race_->running;
        race_->changed.set();
    }
    Race& race() const noexcept { return *race_; }

private:
    std::shared_ptr<Race> race_;
};

class Attempts {
public:
    Attempts() noexcept = default;
    Attempts(const Attempts&) = delete;
    Attempts& operator=(const Attempts&) = delete;
    ~Attempts() { cancel(); }
    void cancel() noexcept {
        for (Task<>& task : tasks) task.cancel("another attempt has connected");
        tasks.clear();
    }
    std::vector<Task<>> tasks;
};

// Connects the socket; returns 0 or why not.
Coro<int> connect_socket(const Socket& socket, Address address, std::optional<Address> local) {
    const int fd = socket.fd();
    if (local && local->family() != address.family()) co_return EAFNOSUPPORT;
    if (local && ::bind(fd, local->data(), local->size()) != 0) co_return errno;
    while (::connect(fd, address.data(), address.size()) != 0) {
        const int error = errno;
        if (error == EINPROGRESS) {
            detail::SocketState& state = detail::SocketAccess::state(socket);
            state.expect_nothing();
            co_await state.until_writable();
            co_return socket ? connect_error(fd) : EBADF;
        }
        if (error == EAGAIN && address.family() == AF_UNIX) {
            co_await sleep(std::chrono::milliseconds(1));  // its backlog is full; no event says when it no longer is
        } else if (error != EINTR) {
            co_return error;
        }
    }
    co_return 0;
}

Coro<> attempt(Contender runner, Address address, std::optional<Address> local) {
    const Contender running = std::move(runner);  // a parameter would live as long as a handle of the task does
    Race& race = running.race();
    try {
        Socket socket = detail::new_stream_socket(address.family());
        const int error = co_await connect_socket(socket, address, local);
        if (error != 0) {
            race.error = error;
        } else if (!race.winner) {
            race.winner = std::move(socket);
        }
    } catch (const std::system_error& error) {
        race.error = error.code().value();
    }
}

// With the families in turn, beginning with that of the first one (RFC 8305, 4).
std::vector<Address> with_families_in_turn(std::vector<Address> addresses) {
    std::vector<Address> first, others, all;
    for (const Address& address : addresses)
        (address.family() == addresses.front().family() ? first : others).push_back(address);
    for (std::size_t i = 0; i < std::max(first.size(), others.size()); ++i) {
        if (i < first.size()) all.push_back(first[i]);
        if (i < others.size()) all.push_back(others[i]);
    }
    return all;
}

Coro<> wait_for_change(Race& race) { co_await race.changed.wait(); }

// Until an attempt has ended, or `most` is over (not positive: without a limit).
Coro<> wait_for_change(Race& race, std::chrono::nanoseconds most) {
    race.changed.clear();
    if (most <= std::chrono::nanoseconds(0)) {
        co_await race.changed.wait();
        co_return;
    }
    try {
        co_await wait_for(wait_for_change(race), most);
    } catch (const TimeoutError&) {
    }
}

std::string names(const std::vector<Address>& addresses) {
    std::string all;
    for (const Address& address : addresses) all += (all.empty() ? "" : ", ") + address.text();
    return all.empty() ? "no address" : all;
}

Coro<Socket> connect_one(Address address, std::optional<Address> local) {
    Socket socket = detail::new_stream_socket(address.family());
    const int error = co_await connect_socket(socket, address, local);
    if (error != 0) throw ConnectionError(error, "cannot connect to " + address.text());
    co_return std::move(socket);
}

}  // namespace

namespace detail {

Socket new_stream_socket(int family) {
    const int fd = ::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        const int error = errno;
        throw std::system_error(error, std::generic_category(),
                                error == EMFILE ? "cannot open a socket: raise the limit of open files (ulimit -n)"
                                                : "cannot open a socket");
    }
    if (family != AF_UNIX) {
        const int on = 1;
        ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }
    return Socket(fd);
}

}  // namespace detail

Coro<Socket> Socket::connect(std::vector<Address> addresses, ConnectOptions options) {
    if (addresses.size() == 1) co_return co_await connect_one(addresses.front(), options.local);
    const auto race = std::make_shared<Race>();
    const std::vector<Address> in_turn = with_families_in_turn(std::move(addresses));
    Attempts attempts;
    for (std::size_t started = 0; !race->winner && (started < in_turn.size() || race->running > 0);) {
        if (started < in_turn.size()) {
            const Address& address = in_turn[started++];
            attempts.tasks.push_back(
                create_task(attempt(Contender(race), address, options.local), "connect to " + address.text()));
        }
        const bool more = started < in_turn.size();
        co_await wait_for_change(*race, more ? options.happy_eyeballs_delay : std::chrono::nanoseconds(0));
    }
    attempts.cancel();
    while (race->running > 0) co_await wait_for_change(*race, std::chrono::nanoseconds(0));
    if (!race->winner) throw ConnectionError(race->error, "cannot connect to " + names(in_turn));
    co_return std::move(race->winner);
}

}  // namespace coroscope
