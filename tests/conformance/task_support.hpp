// What the tests of tasks share: coroutines that wait, fail, and clean up slowly, and what awaiting something threw.
#pragma once

#include <chrono>
#include <exception>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "support.hpp"

// A test whose body is a coroutine, on a loop with virtual time.
#define CORO_TEST(suite, name)                                                              \
    static ::coroscope::Coro<> suite##_##name();                                            \
    TEST(suite, name) { ::coroscope::run<::coroscope::VirtualTimeLoop>(suite##_##name()); } \
    static ::coroscope::Coro<> suite##_##name()

namespace coroscope::test {

using Milliseconds = std::chrono::milliseconds;

class SecondError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

inline Coro<> for_a_while(Milliseconds duration) { co_await sleep(duration); }
inline Coro<int> value_now(int value) { co_return value; }
// Waits; when cancelled, takes a while, and then fails with an own error.
inline Coro<> fail_in_cleanup(std::string text) {
    try {
        co_await forever();
    } catch (const Cancelled&) {
        throw SecondError(text);
    }
}
// Waits; when cancelled, cleans up for a while, then lets Cancelled fly.
inline Coro<> clean_up_for(Milliseconds duration, bool& cleaned) {
    bool cancelled = false;
    try {
        co_await forever();
    } catch (const Cancelled&) {
        cancelled = true;
    }
    if (cancelled) {
        co_await sleep(duration);
        cleaned = true;
        throw Cancelled("cleaned up");
    }
}
inline Coro<int> swallow_cancellation(int value) {
    try {
        co_await forever();
    } catch (const Cancelled&) {
    }
    co_return value;
}

// What it threw, as text without the type's namespaces; "" if nothing.
inline std::string text_of(const std::exception_ptr& error) {
    if (!error) return "";
    std::string text = describe(error);
    for (const std::string_view prefix : {"coroscope::test::", "coroscope::"})
        if (text.starts_with(prefix)) text.erase(0, prefix.size());
    return text;
}
template <class T>
Coro<std::exception_ptr> error_of(Coro<T> coro) {
    try {
        co_await std::move(coro);
    } catch (...) {
        co_return std::current_exception();
    }
    co_return nullptr;
}
template <class T>
Coro<std::exception_ptr> error_of(Task<T> task) {
    try {
        co_await task;
    } catch (...) {
        co_return std::current_exception();
    }
    co_return nullptr;
}
template <class A>
Coro<std::string> thrown_by(A awaitable) {
    co_return text_of(co_await error_of(std::move(awaitable)));
}
template <class F>
std::string thrown_in(F function) {
    try {
        function();
    } catch (...) {
        return text_of(std::current_exception());
    }
    return "";
}
inline std::uint64_t now_ms() { return EventLoop::running().time_ns() / 1'000'000; }

// Counts how many of it are alive.
class Counted {
public:
    explicit Counted(int& alive) noexcept : alive_(&alive) { ++*alive_; }
    Counted(const Counted& other) noexcept : alive_(other.alive_) { ++*alive_; }
    Counted& operator=(const Counted&) = delete;
    ~Counted() { --*alive_; }

private:
    int* alive_;
};

}  // namespace coroscope::test
