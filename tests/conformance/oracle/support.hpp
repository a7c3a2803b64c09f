// What the cases share: how a case is named, how it writes a line, how errors and the states of tasks are told. The
// words are those of support.py.
#pragma once

#include <chrono>
#include <concepts>
#include <exception>
#include <initializer_list>
#include <iostream>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "coroscope/coroscope.hpp"
#include "coroscope/virtual_time_loop.hpp"

namespace coroscope::oracle {

using namespace std::chrono_literals;

// Lines in which the two runtimes are expected to differ. "-...": asyncio writes it and ours does not, "+...": the
// other way round; in the order of a diff.
struct Difference {
    std::string_view header;  // in runtime/include/coroscope/; empty: documented nowhere, `reason` says what is open
    std::string_view reason;  // words that stand in a comment of the header
    std::vector<std::string_view> lines;
};

struct Case {
    std::string_view name;
    void (*run)();
    std::vector<Difference> differences;
};

// All cases of the program, in no particular order.
inline std::vector<Case>& cases() {
    static std::vector<Case> all;
    return all;
}

struct Registration {
    Registration(std::string_view name, void (*run)()) { cases().push_back({name, run, {}}); }
};

// Follows its case. The runtime differs here on purpose, as its header says.
struct Differs {
    Differs(std::string_view name, std::string_view header, std::string_view reason,
            std::initializer_list<std::string_view> lines) {
        for (Case& one : cases()) {
            if (one.name != name) continue;
            one.differences.push_back({header, reason, lines});
            return;
        }
        throw std::logic_error("no case before this has the name " + std::string(name));
    }
};

}  // namespace coroscope::oracle

// A case whose body is a coroutine, on a loop with virtual time.
#define CASE(name)                                                                     \
    static ::coroscope::Coro<> case_##name();                                          \
    static const ::coroscope::oracle::Registration registered_##name(                  \
        #name, [] { ::coroscope::run<::coroscope::VirtualTimeLoop>(case_##name()); }); \
    static ::coroscope::Coro<> case_##name()
// A case that runs its loop itself.
#define PLAIN_CASE(name)                                                                   \
    static void case_##name();                                                             \
    static const ::coroscope::oracle::Registration registered_##name(#name, &case_##name); \
    static void case_##name()
// What differs in a case, and where that is documented.
#define DIFFERS(name, ...) static const ::coroscope::oracle::Differs differs_##name(#name, __VA_ARGS__)
// What differs in a case and is not decided yet: one sentence in the place of the documentation.
#define OPEN(name, ...) static const ::coroscope::oracle::Differs open_##name(#name, "", __VA_ARGS__)

namespace coroscope::oracle {

// --- lines

inline std::string text_of(bool value) { return value ? "True" : "False"; }
template <std::integral T>
    requires(!std::same_as<T, bool>)
std::string text_of(T value) {
    return std::to_string(value);
}
inline std::string text_of(std::string_view value) { return std::string(value); }
inline std::string text_of(const std::string& value) { return value; }
inline std::string text_of(const char* value) { return value; }
inline std::string text_of(std::monostate) { return "None"; }
template <class T>
std::string text_of(const std::vector<T>& values) {
    std::string text;
    for (const auto& value : values) text += (text.empty() ? "" : ", ") + text_of(value);
    return "[" + text + "]";
}
template <class T>
std::string text_of(const std::optional<T>& value) {
    return value ? text_of(*value) : "None";
}

// One line: its words with spaces between them.
template <class... Words>
void say(const Words&... words) {
    std::string line;
    ((line += (line.empty() ? "" : " ") + text_of(words)), ...);
    std::cout << line << std::endl;
}

// --- errors

class FirstError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};
class SecondError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

// An exception in the words of both: a wrong use is std::logic_error here, and RuntimeError, ValueError, LookupError or
// TypeError there.
std::string told(const std::exception_ptr& error);
// The same of the exception that is being handled.
inline std::string told() { return told(std::current_exception()); }

// --- tasks

// "pending", "cancelled", "failed: ..." or "returned: ..." of a task or a future.
template <class F>
std::string state_of(const F& future) {
    if (!future.done()) return "pending";
    if (future.cancelled()) return "cancelled";
    if (const std::exception_ptr error = future.exception()) return "failed: " + told(error);
    if constexpr (std::is_void_v<decltype(future.result())>) {
        return "returned: None";
    } else {
        return "returned: " + text_of(future.result());
    }
}

// Awaits it and says what came of it; `label` must be a literal.
template <class A>
Coro<> attempt(std::string_view label, A awaitable) {
    try {
        if constexpr (requires { std::move(awaitable).release(); }) {
            if constexpr (std::is_void_v<typename A::value_type>) {
                co_await std::move(awaitable);
                say(label, "->", "None");
            } else {
                const auto value = co_await std::move(awaitable);
                say(label, "->", value);
            }
        } else if constexpr (detail::Awaiter<A>) {
            if constexpr (std::is_void_v<decltype(awaitable.await_resume())>) {
                co_await awaitable;
                say(label, "->", "None");
            } else {
                const auto value = co_await awaitable;
                say(label, "->", value);
            }
        } else {
            if constexpr (std::is_void_v<typename A::value_type>) {
                co_await awaitable;
                say(label, "->", "None");
            } else {
                const auto value = co_await awaitable;
                say(label, "->", value);
            }
        }
    } catch (...) {
        say(label, "raised", told());
    }
}

// The same, and the error flies on.
template <class A>
Coro<> noted(std::string_view label, A awaitable) {
    try {
        co_await std::move(awaitable);
        say(label, "-> None");
    } catch (...) {
        say(label, "raised", told());
        throw;
    }
}

// Does it, and says what it threw.
template <class F>
void attempt_now(std::string_view label, F function) {
    try {
        if constexpr (std::is_void_v<std::invoke_result_t<F&>>) {
            function();
            say(label, "->", "None");
        } else {
            say(label, "->", function());
        }
    } catch (...) {
        say(label, "raised", told());
    }
}

// Until all have ended.
template <class... T>
Coro<> ends_of(Task<T>... tasks) {
    std::vector<AnyTask> all;
    (all.push_back(tasks), ...);
    co_await wait(std::move(all));
}

inline Coro<> turns(int count) {
    for (int turn = 0; turn < count; ++turn) co_await yield();
}
// Says each of its turns: whatever else happens is seen between two of them.
inline Coro<> ticker(int count) {
    for (int turn = 1; turn <= count; ++turn) {
        say("turn", turn);
        co_await yield();
    }
}

inline Coro<int> value_after(std::chrono::milliseconds delay, int value) {
    co_await sleep(delay);
    co_return value;
}
inline Coro<int> value_now(int value) { co_return value; }
inline Coro<> nothing() { co_return; }
template <class E = FirstError>
Coro<> fail_after(std::chrono::milliseconds delay, std::string_view text) {
    co_await sleep(delay);
    throw E(std::string(text));
}
template <class E = FirstError>
Coro<> fail_now(std::string_view text) {
    throw E(std::string(text));
    co_return;
}
inline Coro<> forever() { co_await sleep(24h); }
// Waits; when cancelled, awaits a while, then fails with an own error.
inline Coro<> fail_in_cleanup(std::string_view text, int cleanup_turns = 0) {
    try {
        co_await forever();
    } catch (const Cancelled&) {
    }
    co_await turns(cleanup_turns);
    throw SecondError(std::string(text));
}
// Waits; when cancelled, takes a number of turns, then goes on being cancelled. asyncio's task groups cancel their
// tasks in no particular order: siblings take different numbers of turns.
inline Coro<> slow_cleanup(std::string_view label, int cleanup_turns) {
    std::exception_ptr error;
    try {
        co_await forever();
    } catch (const Cancelled&) {
        error = std::current_exception();
    }
    co_await turns(cleanup_turns);
    say(label, "has cleaned up");
    std::rethrow_exception(error);
}
inline Coro<int> swallow(int value) {
    try {
        co_await forever();
    } catch (const Cancelled&) {
    }
    co_return value;
}

// The loop's time since the case began, in milliseconds.
inline std::int64_t now_ms() { return static_cast<std::int64_t>(EventLoop::running().time_ns() / 1'000'000) - 1000; }

}  // namespace coroscope::oracle
