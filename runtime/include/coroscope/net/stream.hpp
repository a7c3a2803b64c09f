// StreamReader and StreamWriter: buffered connections, as asyncio's streams.
//
//     auto [reader, writer] = co_await open_connection("localhost", 8080);
//     writer.write("GET / HTTP/1.0\r\n\r\n");
//     co_await writer.drain();
//     std::string answer = co_await reader.read_all();
//     writer.close();
//     co_await writer.wait_closed();
//
// Reader and writer share one connection, which ends when the writer is closed or destroyed; what was written is still
// sent then. The reader then reads the end of the stream. Thread: the loop's, which they must not outlive.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "coroscope/coro.hpp"
#include "coroscope/detail/net_stream_state.hpp"
#include "coroscope/generator.hpp"
#include "coroscope/net/address.hpp"
#include "coroscope/net/error.hpp"
#include "coroscope/net/socket.hpp"

namespace coroscope {

struct StreamOptions : detail::StreamLimits {
    StreamOptions() noexcept = default;
};

// All reads are cancellation points and lose no bytes by it. Errors: ConnectionError (reset by the peer), and
// std::logic_error if another task is reading. One task reads at a time.
class StreamReader {
public:
    explicit StreamReader(detail::Ref<detail::StreamState> state) noexcept : state_(std::move(state)) {}
    StreamReader(StreamReader&&) noexcept = default;
    StreamReader& operator=(StreamReader&&) noexcept = default;

    // At most n bytes, at least one; empty: the end of the stream.
    Coro<std::string> read(std::size_t n);
    // The same into the caller's memory, which must live until the read is done; returns how many bytes, 0: the end.
    Coro<std::size_t> read(std::span<std::byte> into);
    // Everything up to the end of the stream, as asyncio's read(-1). Throws LimitOverrunError beyond `most` bytes.
    Coro<std::string> read_all(std::size_t most = 64 * 1024 * 1024);
    // Exactly n bytes; throws IncompleteReadError with what came if the stream ends before.
    Coro<std::string> read_exactly(std::size_t n);
    // Up to and with the separator. Throws IncompleteReadError with what came if the stream ends before, and
    // LimitOverrunError if more than the limit comes before it; what came stays in the buffer then.
    Coro<std::string> read_until(std::string separator);
    // Up to and with the separator that ends first.
    Coro<std::string> read_until(std::vector<std::string> separators);
    // A line with its "\n"; the last one may have none; empty: the end. Throws LimitOverrunError for a line that is
    // longer than the limit, and drops what came of it (asyncio: ValueError).
    Coro<std::string> read_line();
    // The lines up to the end, as read_line() gives them: Python's `async for line in reader`. The reader must outlive
    // it.
    //     co_await for_each(reader.lines(), handle);
    AsyncGenerator<std::string> lines();

    // For parsers that look at the buffer in place: what is there, take some away, wait for more (false: the end of the
    // stream). The view is valid until the next consume() or read.
    std::string_view buffered() const noexcept { return state_->in.view(); }
    void consume(std::size_t n) noexcept { state_->in.consume(n); }
    Coro<bool> read_more();

    bool at_eof() const noexcept { return state_->eof && state_->in.empty(); }
    std::size_t limit() const noexcept { return state_->limits.read_limit; }

private:
    friend detail::StreamAccess;
    detail::Ref<detail::StreamState> state_;
};

class StreamWriter {
public:
    explicit StreamWriter(detail::Ref<detail::StreamState> state) noexcept : state_(std::move(state)) {}
    StreamWriter(StreamWriter&&) noexcept = default;
    StreamWriter& operator=(StreamWriter&& other) noexcept;
    ~StreamWriter();  // as close()

    // Sends at once what the kernel takes and keeps the rest, which is sent as the peer reads. Never waits and never
    // throws for a broken connection: drain() does. Call drain() after writing: it bounds the buffer, which is
    // otherwise as large as what was written. Throws std::logic_error after write_eof().
    void write(std::span<const std::byte> data);
    void write(std::string_view data) { write(as_bytes(data)); }
    template <class Texts>
    void write_lines(const Texts& texts) {  // asyncio.writelines(): one after the other, no line ends are added
        for (const auto& text : texts) write(text);
    }
    // Waits while more than the high-water mark is kept, until it is below the low one. Cancellation point. Throws
    // ConnectionError if the connection is lost, or closed.
    detail::DrainAwaiter drain() noexcept { return detail::DrainAwaiter(state_); }
    std::size_t unsent() const noexcept { return state_->out.size(); }  // bytes that are kept

    void write_eof();  // no more will be written; the peer reads the end after what was written. Reading goes on.
    bool can_write_eof() const noexcept { return true; }
    void close() noexcept;  // sends what is kept, then closes. Idempotent.
    void abort() noexcept;  // closes at once; what is kept is lost
    // Until the connection is closed. Cancellation point. Throws ConnectionError if it was lost before all was sent.
    Coro<> wait_closed();
    bool is_closing() const noexcept { return state_->closing || !state_->is_open(); }

    const Address& peer() const noexcept { return state_->peer; }
    int fd() const noexcept { return state_->fd; }  // -1 once it is closed; the connection owns it

private:
    friend detail::StreamAccess;
    detail::Ref<detail::StreamState> state_;
};

namespace detail {
// For what stands on streams (TLS).
struct StreamAccess {
    static const Ref<StreamState>& state(const StreamReader& reader) noexcept { return reader.state_; }
    static const Ref<StreamState>& state(const StreamWriter& writer) noexcept { return writer.state_; }
};
}  // namespace detail

class Connection {
public:
    explicit Connection(detail::Ref<detail::StreamState> state) : reader(state), writer(std::move(state)) {}
    StreamReader reader;
    StreamWriter writer;
};

// Cancellation points. Throw LookupError, ConnectionError.
Coro<Connection> open_connection(std::string host, std::uint16_t port, StreamOptions options = {});
Coro<Connection> open_connection(std::string host, std::uint16_t port, ConnectOptions connect,
                                 StreamOptions options = {});
Coro<Connection> open_unix_connection(std::string path, StreamOptions options = {});
// The streams of a connected socket.
Connection make_connection(Socket socket, StreamOptions options = {});

}  // namespace coroscope
