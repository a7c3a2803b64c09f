#include "coroscope/detail/net_stream_state.hpp"

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <new>
#include <stdexcept>
#include <string>

#include "coroscope/net/error.hpp"
#include "runtime/src/core/observe.hpp"

namespace coroscope::detail {

DrainAwaiter::~DrainAwaiter() { leave_list(); }  // before the stream goes

bool DrainAwaiter::await_ready() const noexcept {
    return stream_->out.size() <= stream_->limits.high_water || !stream_->is_open();
}

void DrainAwaiter::start() noexcept { wait_in(stream_->drains_, *this); }

std::uint64_t DrainAwaiter::waits_for() const noexcept { return stream_->wait(Verb::write, *task()); }

void DrainAwaiter::await_resume() {
    check_cancelled();
    if (stream_->error != 0) stream_->throw_lost(" was lost");
    if (!stream_->is_open()) throw ConnectionError(ENOTCONN, stream_->name() + " is closed");
}

IoResult StreamState::receive() {
    if (filter) [[unlikely]]
        return filter->receive(*this);
    // One for the thread: idle connections own no buffer. Only used between here and the return, never across a
    // suspension.
    thread_local std::array<std::byte, 64 * 1024> scratch;
    const IoResult result = try_recv(scratch);
    if (result.kind == IoResult::Kind::done) {
        if (result.count == 0) eof = true;
        in.append(std::string_view(reinterpret_cast<const char*>(scratch.data()), result.count));
    } else if (result.kind != IoResult::Kind::would_block) {
        return ended_with(result);
    }
    return result;
}

IoResult StreamState::ended_with(const IoResult& result) noexcept {
    if (result.kind == IoResult::Kind::failed) lose(result.error);
    eof = true;
    if (error != 0) return {IoResult::Kind::failed, 0, error};  // maybe the writing side found it
    return result;
}

void StreamState::write(std::span<const std::byte> data) {
    if (!is_open() || closing) [[unlikely]]  // drain() says so
        return written_in_vain();
    if (eof_written) throw std::logic_error("nothing can be written after write_eof()");
    if (filter) [[unlikely]]
        return filter->write(*this, data);
    write_raw(data);
}

// Of asyncio's `socket.send() raised exception`, which it logs from the fifth write on; here once.
void StreamState::written_in_vain() noexcept {
    constexpr std::uint8_t few = 5;
    if (error == 0 || writes_in_vain_ == few) return;
    if (++writes_in_vain_ != few) return;
    try {
        report_write_after_loss((name() + ", which was lost (" + std::strerror(error) + ")").c_str());
    } catch (const std::bad_alloc&) {  // it stays untold
    }
}

void StreamState::tell_unsent(const char* why) const noexcept {
    if (out.empty()) return;
    try {
        report_unclosed_transport(
            (std::to_string(out.size()) + " bytes written to " + name() + " were not sent: " + why).c_str(), closed_by,
            closed_at);
    } catch (const std::bad_alloc&) {  // it stays untold
    }
}

void StreamState::write_raw(std::span<const std::byte> data) {
    if (!is_open()) return;
    if (out.empty()) {
        while (!data.empty()) {
            const IoResult result = try_send(data);
            if (result.kind == IoResult::Kind::failed) return lose(result.error);
            if (result.kind != IoResult::Kind::done) break;
            data = data.subspan(result.count);
        }
        if (data.empty()) return;
        watch();  // the rest goes when the peer has read
    }
    out.append(std::string_view(reinterpret_cast<const char*>(data.data()), data.size()));
}

// In a function of the poller: the task that wrote need not run for it.
void StreamState::send_kept() noexcept {
    while (!out.empty()) {
        const std::string_view kept = out.view();
        const IoResult result = try_send(std::as_bytes(std::span(kept.data(), kept.size())));
        if (result.kind == IoResult::Kind::failed) return lose(result.error);
        if (result.kind != IoResult::Kind::done) break;
        out.consume(result.count);
    }
    if (out.size() <= limits.low_water) wake_drains();
    if (!out.empty() || !is_open()) return;
    if (eof_written && !filter) ::shutdown(fd, SHUT_WR);
    if (closing) close();
}

void StreamState::wake_drains() noexcept { drains_.wake_all(); }

void StreamState::end_of_writing() noexcept {
    if (!is_open() || eof_written) return;
    if (kind() == FdKind::pipe) return finish();  // it has one direction only
    eof_written = true;
    if (filter) return filter->end_of_writing(*this);
    if (out.empty()) ::shutdown(fd, SHUT_WR);
}

void StreamState::finish() noexcept {
    if (!is_open() || closing) return;
    closing = true;
    // A coroutine that has not awaited anything yet has no place that would say more than where its task was created.
    const bool has_place = current_frame != nullptr && current_frame->await_site.line() != 0;
    if (debug_enabled() && current_task != nullptr && has_place) [[unlikely]] {
        closed_by = current_task->id;
        closed_at = running_place();
    }
    if (filter && !eof_written) filter->end_of_writing(*this);
    if (is_open() && out.empty()) close();
}

void StreamState::lose(int the_error) noexcept {
    error = the_error;
    close();
}

void StreamState::abort() noexcept {
    if (!is_open()) return;
    const linger none{1, 0};
    if (!out.empty())
        ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof none);  // the peer must not take it for all there was
    close();
}

void StreamState::throw_lost(const char* how) const {
    if (const std::string why = filter ? filter->error() : std::string(); !why.empty())
        throw TlsError(name() + how + ": " + why);
    throw ConnectionError(error, name() + how);
}

void StreamState::on_closed() noexcept {
    out.clear();
    wake_drains();
    closed.set();
}

}  // namespace coroscope::detail
