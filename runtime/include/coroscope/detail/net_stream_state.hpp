// The buffered connection behind StreamReader and StreamWriter. Thread: the loop's.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "coroscope/detail/net_socket_state.hpp"
#include "coroscope/net/address.hpp"
#include "coroscope/sync.hpp"

namespace coroscope::detail {

// Bytes in the order of their coming, taken from the front.
class ByteBuffer {
public:
    bool empty() const noexcept { return begin_ == bytes_.size(); }
    std::size_t size() const noexcept { return bytes_.size() - begin_; }
    std::string_view view() const noexcept { return std::string_view(bytes_).substr(begin_); }
    void append(std::string_view data) {
        if (begin_ > bytes_.size() / 2) {  // moving less than half of it: amortised, each byte is moved once
            bytes_.erase(0, begin_);
            begin_ = 0;
        }
        bytes_.append(data);
    }
    void consume(std::size_t n) noexcept {
        begin_ += n;
        if (begin_ < bytes_.size()) return;
        begin_ = 0;
        bytes_.clear();
        if (bytes_.capacity() > kept_capacity) bytes_ = std::string();  // an idle connection holds no buffer
    }
    std::string take(std::size_t n) {
        std::string taken(view().substr(0, n));
        consume(n);
        return taken;
    }
    void clear() noexcept { consume(size()); }

private:
    static constexpr std::size_t kept_capacity = 64;
    std::string bytes_;
    std::size_t begin_ = 0;
};

struct StreamLimits {
    StreamLimits() noexcept {}
    std::size_t read_limit = 64 * 1024;  // bytes read_until() may buffer
    std::size_t high_water = 64 * 1024;  // bytes kept for sending at which drain() begins to wait
    std::size_t low_water = 16 * 1024;   // and at which it ends
    std::chrono::nanoseconds close_timeout =
        std::chrono::seconds(30);  // for the peer to read what is kept at close(); then reset
};

class StreamState;
struct StreamAccess;

// What stands between the bytes of the user and those on the wire: TLS. The stream calls it on the loop's thread.
class StreamFilter {
public:
    virtual ~StreamFilter() = default;
    // Takes what the connection has and appends what it means to stream.in; as StreamState::receive().
    virtual IoResult receive(StreamState& stream) = 0;
    virtual void write(StreamState& stream, std::span<const std::byte> data) = 0;  // by stream.write_raw()
    virtual void end_of_writing(StreamState& stream) noexcept = 0;                 // tells the peer
    virtual std::string error() const = 0;                                         // why it failed; empty: it did not
};

class [[nodiscard("co_await it")]] DrainAwaiter final : public Waiter {
public:
    explicit DrainAwaiter(Ref<StreamState> stream) noexcept : stream_(std::move(stream)) {}
    DrainAwaiter(DrainAwaiter&&) noexcept = default;
    ~DrainAwaiter();
    bool await_ready() const noexcept;
    void start() noexcept;
    void await_resume();

private:
    friend StreamState;
    friend Suspension;
    std::uint64_t waits_for() const noexcept;
    Ref<StreamState> stream_;
};

// Who wants to know that the peer has gone while nobody reads.
class PeerWatcher {
public:
    virtual void peer_ended() noexcept = 0;  // as SocketState::ended(); may be called more than once

protected:
    ~PeerWatcher() = default;
};

class StreamState final : public SocketState {
public:
    StreamState(EventLoop& the_loop, int the_fd, const Address& the_peer, const StreamLimits& the_limits,
                FdKind kind) noexcept
        : SocketState(the_loop, the_fd, kind), peer(the_peer), limits(the_limits) {}

    // For messages: "the connection to 127.0.0.1:80", "the pipe".
    std::string name() const {
        return kind() == FdKind::pipe ? std::string("the pipe") : "the connection to " + peer.text();
    }

    // One read into `in`. done with count 0: the end of the stream.
    IoResult receive();
    // Reading was refused: by the peer, or because the connection is closed here. What the reader is to be told; from
    // then on it reads the end.
    IoResult ended_with(const IoResult& result) noexcept;
    void write(std::span<const std::byte> data);
    void write_raw(std::span<const std::byte> data);  // past the filter
    void end_of_writing() noexcept;
    void finish() noexcept;  // close when all is sent
    void abort() noexcept;
    // To the debugger: it is given up, and something was not sent.
    void tell_unsent(const char* why) const noexcept;
    void lose(int the_error) noexcept;                    // the connection is broken
    [[noreturn]] void throw_lost(const char* how) const;  // ConnectionError, TlsError

    const Address peer;
    const StreamLimits limits;
    ByteBuffer in, out;
    bool eof = false;
    bool eof_written = false;
    bool closing = false;
    int error = 0;  // what broke the connection, for drain()
    Event closed{ResourceType::stream, Verb::exit};
    std::uint64_t closed_by = 0;           // for the debugger: the task that closed it, or lost its writer; 0: unknown
    std::uint32_t closed_at = 0;           // and where: a probe node
    std::unique_ptr<StreamFilter> filter;  // usually none
    PeerWatcher* peer_watcher = nullptr;   // must outlive this, or take itself away

private:
    friend DrainAwaiter;
    ResourceType shown_type() const noexcept override { return ResourceType::stream; }
    std::string shown_name() const override { return kind() == FdKind::pipe ? "pipe" : peer.text(); }
    void on_writable() noexcept override { send_kept(); }
    void on_ended() noexcept override {
        if (peer_watcher != nullptr) peer_watcher->peer_ended();
    }
    void on_closed() noexcept override;
    void send_kept() noexcept;
    void wake_drains() noexcept;
    void written_in_vain() noexcept;
    WaiterList<DrainAwaiter> drains_;
    std::uint8_t writes_in_vain_ = 0;  // after the connection was lost; counted until it is told
};

}  // namespace coroscope::detail
