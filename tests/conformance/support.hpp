// What the conformance tests share: a body that runs in virtual time, what was thrown, tasks that do little.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "coroscope/coroscope.hpp"
#include "coroscope/virtual_time_loop.hpp"

namespace coroscope::test {

using namespace std::chrono_literals;

// Runs a coroutine function without captures as a test, in virtual time.
template <class Body>
void virtually(Body body) {
    run<VirtualTimeLoop>(body());
}

// What the coroutine threw, as E; nothing if it ended well. Another type of exception flies on.
template <class E, class T>
Coro<std::optional<E>> thrown(Coro<T> coro) {
    std::optional<E> error;
    try {
        co_await std::move(coro);
    } catch (const E& caught) {
        error.emplace(caught);
    }
    co_return error;
}

template <class T>
Coro<T> awaiting(Task<T> task) {
    co_return co_await task;
}

// Lets everybody else run until nothing is ready: a handful of turns, as asyncio's tests do.
inline Coro<> turns(int count = 5) {
    for (int i = 0; i < count; ++i) co_await yield();
}

class FirstError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

inline Coro<int> value_after(std::chrono::nanoseconds delay, int value) {
    co_await sleep(delay);
    co_return value;
}

template <class E = FirstError>
Coro<> fail_after(std::chrono::nanoseconds delay, std::string text) {
    co_await sleep(delay);
    throw E(text);
}

inline Coro<> forever() { co_await sleep(24h); }

// Sleeps and notes that it was cancelled.
inline Coro<> note_cancellation(bool& noted) {
    try {
        co_await forever();
    } catch (const Cancelled&) {
        noted = true;
        throw;
    }
}

}  // namespace coroscope::test
