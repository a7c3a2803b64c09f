// The errors of the runtime.
#pragma once

#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include "coroscope/exception_group.hpp"

namespace coroscope {

// Thrown at the await of a cancelled task. As in asyncio it is no ordinary error: it does not derive from
// std::exception, so `catch (const std::exception&)` does not swallow a cancellation by accident. `catch (...)` does:
// rethrow it.
class Cancelled {
public:
    Cancelled() = default;
    explicit Cancelled(std::string message) : message_(std::make_shared<const std::string>(std::move(message))) {}
    // What was given to cancel(); empty: nothing.
    const std::string& message() const noexcept {
        static const std::string none;
        return message_ ? *message_ : none;
    }

private:
    std::shared_ptr<const std::string> message_;
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

// asyncio.QueueEmpty, QueueFull.
class QueueEmpty : public std::runtime_error {
public:
    QueueEmpty() : std::runtime_error("the queue is empty") {}
};
class QueueFull : public std::runtime_error {
public:
    QueueFull() : std::runtime_error("the queue is full") {}
};

// "std::runtime_error: no route": the type and what() of any exception, for logs.
std::string describe(const std::exception_ptr& error);

}  // namespace coroscope
