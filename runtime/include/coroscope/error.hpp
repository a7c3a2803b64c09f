// The errors of the runtime.
#pragma once

#include <cstdint>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include "coroscope/exception_group.hpp"

namespace coroscope {

namespace detail {

// What the copies of a Cancelled share.
struct CancelledState {
    explicit CancelledState(std::string text) noexcept : message(std::move(text)) {}
    CancelledState(const CancelledState&) = delete;
    CancelledState& operator=(const CancelledState&) = delete;
    ~CancelledState() {
        if (task != 0) [[unlikely]]
            report_gone();
    }
    std::string message;
    std::uint64_t number = 0;  // among those thrown while a TaskGroup may be left by one of them; 0: none
    std::uint64_t task = 0;    // into which it was thrown, for the debugger; 0: debug mode was off, or it is settled

private:
    void report_gone() const noexcept;
};

}  // namespace detail

// Thrown at the await of a cancelled task. As in asyncio it is no ordinary error: it does not derive from
// std::exception, so `catch (const std::exception&)` does not swallow a cancellation by accident. `catch (...)` does:
// rethrow it.
class Cancelled {
public:
    Cancelled() = default;
    explicit Cancelled(std::string message) : state_(std::make_shared<detail::CancelledState>(std::move(message))) {}
    // What was given to cancel(); empty: nothing.
    const std::string& message() const noexcept {
        static const std::string none;
        return state_ ? state_->message : none;
    }

    // For the runtime. nullptr: it says nothing.
    explicit Cancelled(std::shared_ptr<detail::CancelledState> state) noexcept : state_(std::move(state)) {}
    detail::CancelledState* state() const noexcept { return state_.get(); }

private:
    std::shared_ptr<detail::CancelledState> state_;
};

// Python's KeyboardInterrupt, where run() or a Runner is asked to throw it: SIGINT came, and the main task has ended.
// No std::exception, as KeyboardInterrupt is no Exception.
class Interrupted {};

// asyncio.InvalidStateError: the result of a task or future that is not done, a result set twice.
class InvalidStateError : public std::logic_error {
public:
    using std::logic_error::logic_error;
};

// asyncio.TimeoutError: a deadline of timeout(), wait_for() or timeout_at() passed.
class TimeoutError : public std::runtime_error {
public:
    TimeoutError() : std::runtime_error("timed out") {}
    using std::runtime_error::runtime_error;
};

// asyncio.QueueEmpty, QueueFull, QueueShutDown.
class QueueEmpty : public std::runtime_error {
public:
    QueueEmpty() : std::runtime_error("the queue is empty") {}
};
class QueueFull : public std::runtime_error {
public:
    QueueFull() : std::runtime_error("the queue is full") {}
};
class QueueShutDown : public std::runtime_error {
public:
    QueueShutDown() : std::runtime_error("the queue is shut down") {}
};

// "std::runtime_error: no route": the type and what() of any exception, for logs.
std::string describe(const std::exception_ptr& error);

namespace detail {
std::string type_name(const std::exception_ptr& error);  // "std::runtime_error"
}

}  // namespace coroscope
