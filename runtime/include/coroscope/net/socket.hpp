// Socket: a stream socket without buffers. For protocols that manage their own; others use streams (net/stream.hpp).
//
//     Socket socket = co_await Socket::connect(co_await resolve("localhost", 7));
//     co_await socket.send_all(as_bytes("hello"));
//     std::array<std::byte, 64> buffer;
//     std::size_t count = co_await socket.recv(buffer);      // 0: the peer has ended
//
// Operations are tried at once and suspend only if they must; their frames come from the loop's free list. One task may
// read while another writes. Closing wakes both. Thread: the loop's, where it was made, and which it must not outlive.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "coroscope/coro.hpp"
#include "coroscope/detail/net_socket_state.hpp"
#include "coroscope/net/address.hpp"
#include "coroscope/net/error.hpp"

namespace coroscope {

inline std::span<const std::byte> as_bytes(std::string_view text) noexcept {
    return std::as_bytes(std::span(text.data(), text.size()));
}

namespace detail {
struct SocketAccess;
}

class ConnectOptions {
public:
    ConnectOptions() noexcept {}
    std::optional<Address> local;  // where to connect from; addresses of another family are left out. local_addr
    // The next address is tried when one has failed, or after so long, while the earlier ones go on (RFC 8305, "happy
    // eyeballs"). Not positive: one after the other, as asyncio does unless told otherwise.
    std::chrono::nanoseconds happy_eyeballs_delay = std::chrono::milliseconds(250);
};

class Socket {
public:
    Socket() noexcept = default;
    // Takes over a connected or listening socket and makes it non-blocking. Throws std::system_error, std::logic_error
    // (no loop).
    explicit Socket(int fd);
    Socket(Socket&&) noexcept = default;
    Socket& operator=(Socket&& other) noexcept {
        close();
        state_ = std::move(other.state_);
        return *this;
    }
    ~Socket() { close(); }

    // The first connection that is made to one of the addresses, which are tried with the families in turn. Attempts
    // that lose have ended when it returns. Throws ConnectionError if all fail: it names all, the code is the last
    // one's. Cancellation point.
    static Coro<Socket> connect(std::vector<Address> addresses, ConnectOptions options = {});
    // Bound and listening. For port 0 the system chooses; see local(). Throws std::system_error that says what to do.
    static Socket listen(const Address& address, int backlog = 1024, bool reuse_port = false);

    // At most into.size() bytes, at least one; 0: the peer has ended. Cancellation point: no bytes are lost by a
    // cancellation. Throws ConnectionError (reset), std::system_error (closed by us).
    Coro<std::size_t> recv(std::span<std::byte> into);
    // As much as the kernel takes, at least one byte. Cancellation point. Throws ConnectionError; never raises SIGPIPE.
    Coro<std::size_t> send(std::span<const std::byte> data);
    // All of it. Cancelled, part of it may have been sent: nothing says how much.
    Coro<> send_all(std::span<const std::byte> data);
    // The next connection. Cancellation point. Throws std::system_error, also EMFILE: back off then.
    Coro<Socket> accept();

    void shutdown_write() noexcept;  // the peer reads the end of the stream; reading goes on
    void reset() noexcept;           // closes with a RST: what is in flight is lost
    void close() noexcept {
        if (state_) state_->close();
    }

    explicit operator bool() const noexcept { return state_ && state_->is_open(); }
    int fd() const noexcept { return state_ ? state_->fd : -1; }
    Address local() const noexcept;
    Address peer() const noexcept;
    int release_fd() noexcept;  // gives the file descriptor up; nobody may be waiting

private:
    friend detail::SocketAccess;
    detail::SocketState& state() const;
    detail::Ref<detail::SocketState> state_;
};

}  // namespace coroscope
