// DatagramSocket: UDP, and unix datagram sockets. What asyncio's create_datagram_endpoint() is for, awaited instead of
// called back.
//
//     DatagramSocket socket = open_datagram(*Address::numeric("127.0.0.1", 0));     // bound
//     co_await socket.send_to(as_bytes("ping"), *Address::numeric("127.0.0.1", 9000));
//     Datagram answer = co_await socket.receive_from();
//     answer.data; answer.from.text(); answer.truncated;
//
//     DatagramSocket other = co_await open_datagram_to("localhost", 9000);          // connected: send() and receive()
//
// Operations are tried at once and suspend only if they must. One task may receive while another sends. Closing wakes
// both. Thread: the loop's, where it was made, and which it must not outlive.
//
// An ICMP error ("port unreachable") that answers an earlier datagram of a connected socket is thrown as
// ConnectionError by the next operation; the socket stays usable. An unconnected socket is told nothing, by the kernel.
//
// Differs from asyncio: no protocol class and no buffer for sending. send_to() waits while the kernel has no room, so
// nothing can grow without bound.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "coroscope/coro.hpp"
#include "coroscope/detail/net_socket_state.hpp"
#include "coroscope/net/address.hpp"
#include "coroscope/net/error.hpp"
#include "coroscope/net/socket.hpp"

namespace coroscope {

class Datagram {
public:
    Datagram() noexcept {}
    std::string data;
    Address from;            // family AF_UNSPEC: an unnamed unix socket
    bool truncated = false;  // it was longer than there was room for; the rest is lost
};

// A datagram whose bytes are in the caller's buffer.
class DatagramInfo {
public:
    DatagramInfo() noexcept {}
    std::size_t size = 0;  // bytes in the buffer
    Address from;
    bool truncated = false;
};

class DatagramOptions {
public:
    DatagramOptions() noexcept {}
    bool broadcast = false;        // sending to broadcast addresses is allowed
    bool reuse_address = false;    // several sockets may share the address: for multicast
    bool reuse_port = false;       // the kernel spreads what comes over the sockets of the port
    int receive_buffer_bytes = 0;  // in the kernel; 0: the system's default
    int send_buffer_bytes = 0;
};

class DatagramSocket {
public:
    // The largest datagram that UDP carries.
    static constexpr std::size_t most_bytes = 65'535;

    DatagramSocket() noexcept = default;
    // Takes over a datagram socket and makes it non-blocking. Throws std::system_error; std::invalid_argument if it is
    // of another type.
    explicit DatagramSocket(int fd);
    DatagramSocket(DatagramSocket&&) noexcept = default;
    DatagramSocket& operator=(DatagramSocket&& other) noexcept {
        close();
        state_ = std::move(other.state_);
        return *this;
    }
    ~DatagramSocket() { close(); }

    // One datagram as a whole. Cancellation points: cancelled, nothing was sent. Throw ConnectionError (an ICMP error,
    // no way to the address), std::system_error (too long: EMSGSIZE; closed). send(): of a connected socket.
    Coro<> send_to(std::span<const std::byte> data, Address to);
    Coro<> send(std::span<const std::byte> data);
    // The next datagram, which may be empty. Cancellation points: no datagram is lost by a cancellation. Throw
    // ConnectionError (an ICMP error), std::system_error (closed).
    Coro<Datagram> receive_from(std::size_t most = most_bytes);
    Coro<DatagramInfo> receive_from(std::span<std::byte> into);

    // From now on only datagrams of this peer are received, and send() goes there. Does not wait. Throws
    // std::system_error.
    void connect(const Address& peer);
    void disconnect();                 // throws std::system_error
    void set_broadcast(bool allowed);  // throws std::system_error
    // Multicast. `interface_index` as of if_nametoindex(); 0: the system chooses. Throw std::system_error,
    // std::invalid_argument (no IP address).
    void join_group(const Address& group, unsigned interface_index = 0);
    void leave_group(const Address& group, unsigned interface_index = 0);
    void set_multicast_hops(int hops);                       // how far they go; the default is 1: this network
    void set_multicast_loop(bool loop);                      // whether this machine's own members get them
    void set_multicast_interface(unsigned interface_index);  // where they are sent

    void close() noexcept {
        if (state_) state_->close();
    }
    explicit operator bool() const noexcept { return state_ && state_->is_open(); }
    int fd() const noexcept { return state_ ? state_->fd : -1; }
    Address local() const noexcept;
    Address peer() const noexcept;  // family AF_UNSPEC: not connected

private:
    detail::SocketState& state() const;
    void set(int level, int option, int value, const char* what) const;
    void change_group(const Address& group, unsigned interface_index, int option, const char* what) const;
    detail::Ref<detail::SocketState> state_;
};

// Bound to an address; port 0: the system chooses. Does not wait. Throws std::system_error that says what to do. The
// file of a unix socket is the caller's to remove.
DatagramSocket open_datagram(const Address& local, DatagramOptions options = {});
// Not bound: the system gives it an address when it first sends.
DatagramSocket open_datagram(int family, DatagramOptions options = {});
// Connected to the first address of the host that can be. Cancellation point. Throws LookupError, ConnectionError.
Coro<DatagramSocket> open_datagram_to(std::string host, std::uint16_t port, DatagramOptions options = {});

}  // namespace coroscope
