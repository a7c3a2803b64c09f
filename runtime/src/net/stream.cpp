#include "coroscope/net/stream.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "connect.hpp"
#include "coroscope/net/lookup.hpp"
#include "coroscope/sleep.hpp"
#include "coroscope/timeout.hpp"

namespace coroscope {

using detail::IoResult;
using detail::Ref;
using detail::StreamState;

namespace {

[[noreturn]] void fail_reading(const StreamState& state) { state.throw_lost(" was lost while reading"); }

// Where the separator that ends first begins and ends; npos: there is none.
std::pair<std::size_t, std::size_t> first_of(std::string_view there, const std::vector<std::string>& separators,
                                             std::size_t from) {
    std::size_t begin = std::string_view::npos;
    std::size_t end = std::string_view::npos;
    for (const std::string& separator : separators) {
        const std::size_t found = there.find(separator, from);
        if (found == std::string_view::npos || found + separator.size() >= end) continue;
        begin = found;
        end = found + separator.size();
    }
    return {begin, end};
}

// A connection whose writer is gone before the kernel has taken everything. The loop's end ends it, and a peer that
// does not read.
Coro<> send_the_rest(Ref<StreamState> state) {
    struct Abort {
        explicit Abort(StreamState& the_state) : state(the_state) {}
        ~Abort() { state.abort(); }
        StreamState& state;
    };
    const Abort at_end(*state);
    Timeout limit(state->limits.close_timeout);
    try {
        co_await state->closed.wait();
    } catch (const Cancelled&) {
        state->tell_unsent(limit.expired() ? "the peer did not read them in time" : "the loop's end came first");
        if (!limit.expired()) throw;
        state->error = ETIMEDOUT;
    }
}

}  // namespace

IncompleteReadError::IncompleteReadError(std::string partial, std::size_t expected)
    : std::runtime_error("the stream ended after " + std::to_string(partial.size()) + " of " +
                         (expected != 0 ? std::to_string(expected) : "unknown many") + " bytes"),
      partial_(std::move(partial)),
      expected_(expected) {}

LimitOverrunError::LimitOverrunError(std::size_t limit, std::size_t consumed)
    : std::runtime_error("more than the reader's limit of " + std::to_string(limit) + " bytes came without an end"),
      consumed_(consumed) {}

Coro<bool> StreamReader::read_more() {
    const Ref<StreamState> state = state_;
    if (state->turn_is_over()) co_await yield();
    for (;;) {
        if (state->eof) co_return false;
        const IoResult result = state->receive();
        if (result.kind == IoResult::Kind::failed) fail_reading(*state);
        if (result.kind != IoResult::Kind::would_block) co_return result.count > 0;
        co_await state->until_readable();
    }
}

Coro<std::size_t> StreamReader::read(std::span<std::byte> into) {
    const Ref<StreamState> state = state_;
    if (!state->in.empty()) {
        const std::string_view there = state->in.view().substr(0, into.size());
        std::memcpy(into.data(), there.data(), there.size());
        state->in.consume(there.size());
        co_return there.size();
    }
    if (state->filter) {
        if (into.empty() || !co_await read_more()) co_return 0;
        co_return co_await read(into);
    }
    if (state->turn_is_over()) co_await yield();
    for (;;) {
        if (state->eof || into.empty()) co_return 0;
        IoResult result = state->try_recv(into);
        if (result.kind == IoResult::Kind::closed || result.kind == IoResult::Kind::failed)
            result = state->ended_with(result);
        if (result.kind == IoResult::Kind::failed) fail_reading(*state);
        if (result.kind != IoResult::Kind::would_block) {
            state->eof = result.count == 0;
            co_return result.count;
        }
        co_await state->until_readable();
    }
}

Coro<std::string> StreamReader::read(std::size_t n) {
    const Ref<StreamState> state = state_;
    if (n != 0 && state->in.empty()) co_await read_more();
    co_return state->in.take(std::min(n, state->in.size()));
}

Coro<std::string> StreamReader::read_all(std::size_t most) {
    const Ref<StreamState> state = state_;
    while (co_await read_more()) {
        if (state->in.size() > most) throw LimitOverrunError(most);
    }
    co_return state->in.take(state->in.size());
}

Coro<std::string> StreamReader::read_exactly(std::size_t n) {
    const Ref<StreamState> state = state_;
    while (state->in.size() < n) {
        if (!co_await read_more()) throw IncompleteReadError(state->in.take(state->in.size()), n);
    }
    co_return state->in.take(n);
}

Coro<std::string> StreamReader::read_until(std::string separator) {
    std::vector<std::string> only{std::move(separator)};
    return read_until(std::move(only));
}

Coro<std::string> StreamReader::read_until(std::vector<std::string> separators) {
    std::size_t longest = 0;
    for (const std::string& separator : separators) {
        if (separator.empty()) throw std::invalid_argument("read_until: a separator is empty");
        longest = std::max(longest, separator.size());
    }
    if (longest == 0) throw std::invalid_argument("read_until: there is no separator");
    const Ref<StreamState> state = state_;
    const std::size_t limit = state->limits.read_limit;
    for (std::size_t from = 0;;) {
        const auto [begin, end] = first_of(state->in.view(), separators, from);
        if (begin != std::string_view::npos) {
            if (begin > limit) throw LimitOverrunError(limit, begin);
            co_return state->in.take(end);
        }
        const std::size_t size = state->in.size();
        from = size < longest ? 0 : size - longest + 1;  // the rest may be the begin of a separator
        if (from > limit) throw LimitOverrunError(limit, from);
        if (!co_await read_more()) throw IncompleteReadError(state->in.take(state->in.size()), 0);
    }
}

AsyncGenerator<std::string> StreamReader::lines() {
    for (std::string line = co_await read_line(); !line.empty(); line = co_await read_line()) co_yield std::move(line);
}

Coro<std::string> StreamReader::read_line() {
    const Ref<StreamState> state = state_;
    try {
        co_return co_await read_until("\n");
    } catch (const IncompleteReadError& end) {
        co_return end.partial();
    } catch (const LimitOverrunError& error) {
        const bool has_end = state->in.view().substr(error.consumed()).starts_with('\n');
        state->in.consume(has_end ? error.consumed() + 1 : state->in.size());
        throw;
    }
}

StreamWriter& StreamWriter::operator=(StreamWriter&& other) noexcept {
    if (this != &other) {
        if (state_) close();
        state_ = std::move(other.state_);
    }
    return *this;
}

StreamWriter::~StreamWriter() {
    if (state_) close();
}

void StreamWriter::write(std::span<const std::byte> data) { state_->write(data); }
void StreamWriter::write_eof() { state_->end_of_writing(); }
void StreamWriter::abort() noexcept { state_->abort(); }

void StreamWriter::close() noexcept {
    if (is_closing()) return;
    state_->finish();
    if (!state_->is_open()) return;
    try {
        if (detail::running_loop() != &state_->loop()) throw std::logic_error("the loop has ended");
        create_task(send_the_rest(state_), "closing " + state_->peer.text());
    } catch (...) {
        state_->abort();
    }
}

Coro<> StreamWriter::wait_closed() {
    const Ref<StreamState> state = state_;
    co_await state->closed.wait();
    if (state->error != 0) state->throw_lost(" was lost before all was sent");
}

Connection make_connection(Socket socket, StreamOptions options) {
    EventLoop& loop = EventLoop::running();
    const Address peer = socket.peer();
    const detail::FdKind kind = detail::SocketAccess::state(socket).kind();
    return Connection(Ref<StreamState>(new StreamState(loop, socket.release_fd(), peer, options, kind)));
}

Coro<Connection> open_connection(std::string host, std::uint16_t port, StreamOptions options) {
    return open_connection(std::move(host), port, ConnectOptions(), options);
}

Coro<Connection> open_connection(std::string host, std::uint16_t port, ConnectOptions connect, StreamOptions options) {
    std::vector<Address> addresses = co_await resolve(std::move(host), port);
    Socket socket = co_await Socket::connect(std::move(addresses), connect);
    co_return make_connection(std::move(socket), options);
}

Coro<Connection> open_unix_connection(std::string path, StreamOptions options) {
    std::vector<Address> addresses{Address::unix_path(path)};
    Socket socket = co_await Socket::connect(std::move(addresses));
    co_return make_connection(std::move(socket), options);
}

}  // namespace coroscope
