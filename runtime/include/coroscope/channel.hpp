// Channel<T>: a queue between those who send and those who receive, closed by its senders. Go's channels, Rust's mpsc.
// Cancellation points: send(), next(). Thread: the loop's.
//
//     auto [sender, receiver] = make_channel<Page>(16);
//     group.create_task(crawl(std::move(sender)));             // closes it when it ends, however it ends
//     while (std::optional<Page> page = co_await receiver.next()) index(*page);
//
// What is sent before the last sender goes is received; then next() gives std::nullopt. When the last receiver is gone,
// send() throws ChannelClosed: nobody would read it. Copies are ends of the same channel. Each item is received once.
// Underneath is a Queue: its order, its fairness, its costs.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <source_location>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "coroscope/coro.hpp"
#include "coroscope/queue.hpp"

namespace coroscope {

// Thrown by send(): there is no receiver any more, or this end was closed.
class ChannelClosed : public std::runtime_error {
public:
    ChannelClosed() : std::runtime_error("the channel is closed") {}
};

namespace detail {

template <class T>
struct ChannelState {
    explicit ChannelState(std::size_t capacity) : queue(capacity) {}
    Queue<T> queue;
    std::size_t senders = 0, receivers = 0;
};

// One end: counts itself, and closes the channel when it is the last of its kind.
template <class T, std::size_t ChannelState<T>::* Count>
class ChannelEnd {
public:
    ChannelEnd() noexcept = default;
    explicit ChannelEnd(std::shared_ptr<ChannelState<T>> state) noexcept : state_(std::move(state)) {
        ++((*state_).*Count);
    }
    ChannelEnd(const ChannelEnd& other) noexcept : state_(other.state_) {
        if (state_) ++((*state_).*Count);
    }
    ChannelEnd(ChannelEnd&& other) noexcept = default;
    ChannelEnd& operator=(ChannelEnd other) noexcept {
        std::swap(state_, other.state_);
        return *this;
    }
    ~ChannelEnd() { close(); }

    // This end is done with; as its destruction. Idempotent.
    void close() noexcept {
        if (const std::shared_ptr<ChannelState<T>> state = std::exchange(state_, nullptr);
            state && --((*state).*Count) == 0)
            state->queue.shutdown();
    }

protected:
    std::shared_ptr<ChannelState<T>> state_;
};

}  // namespace detail

template <class T>
class Sender : public detail::ChannelEnd<T, &detail::ChannelState<T>::senders> {
public:
    using detail::ChannelEnd<T, &detail::ChannelState<T>::senders>::ChannelEnd;

    // Waits while it is full. Errors: ChannelClosed; the item is gone then.
    Coro<> send(T item) {
        const std::shared_ptr<detail::ChannelState<T>> state = this->state_;
        if (!state || state->receivers == 0) throw ChannelClosed();
        try {
            co_await state->queue.put(std::move(item));
        } catch (const QueueShutDown&) {
            throw ChannelClosed();
        }
    }
    // Does not wait: false if it is full. Errors: ChannelClosed.
    bool try_send(T item) {
        if (!this->state_ || this->state_->receivers == 0) throw ChannelClosed();
        if (this->state_->queue.full()) return false;
        this->state_->queue.put_nowait(std::move(item));
        return true;
    }
};

template <class T>
class Receiver : public detail::ChannelEnd<T, &detail::ChannelState<T>::receivers> {
public:
    using detail::ChannelEnd<T, &detail::ChannelState<T>::receivers>::ChannelEnd;

    // Waits while it is empty and there are senders. std::nullopt: the last sender is gone, and all was received.
    Coro<std::optional<T>> next() {
        const std::shared_ptr<detail::ChannelState<T>> state = this->state_;
        if (!state) co_return std::nullopt;
        try {
            co_return co_await state->queue.get();
        } catch (const QueueShutDown&) {
            co_return std::nullopt;
        }
    }
};

template <class T>
struct Channel {
    Sender<T> sender;
    Receiver<T> receiver;
};

// `capacity` 0: without a bound. `name`: for the debugger.
template <class T>
Channel<T> make_channel(std::size_t capacity = 0, std::string_view name = {}) {
    auto state = std::make_shared<detail::ChannelState<T>>(capacity);
    if (!name.empty()) state->queue.set_name(name);
    return {Sender<T>(state), Receiver<T>(state)};
}

}  // namespace coroscope
