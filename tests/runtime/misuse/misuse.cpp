// What the compiler must refuse, each with a sentence that says what to do. CMakeLists.txt beside this names the case
// to compile in CASE, and the sentence.
#include <chrono>
#include <coroutine>
#include <string>

#include "coroscope/coroscope.hpp"

using namespace std::chrono_literals;

// A coroutine of another library, which knows nothing of tasks.
struct Foreign {
    struct promise_type {
        Foreign get_return_object() { return {}; }
        std::suspend_never initial_suspend() noexcept { return {}; }
        std::suspend_never final_suspend() noexcept { return {}; }
        void return_void() {}
        void unhandled_exception() {}
    };
};

coroscope::Coro<int> value() { co_return 1; }

#if CASE == 0  // nothing wrong: the other cases fail for the reason that they name
coroscope::Coro<> right(coroscope::Lock& lock, coroscope::Future<int> future) {
    auto held = co_await lock.acquire();
    auto coro = value();
    co_await std::move(coro);
    co_await coroscope::create_task(value());
    co_await future;
    co_await coroscope::sleep(1s);
}
#elif CASE == 1
Foreign foreign() { co_await coroscope::sleep(1s); }
#elif CASE == 2
Foreign foreign(coroscope::Lock& lock) { auto held = co_await lock.acquire(); }
#elif CASE == 3
Foreign foreign() { co_await coroscope::yield(); }
#elif CASE == 4
Foreign foreign(coroscope::AsyncGenerator<int>& numbers) { co_await numbers.next(); }
#elif CASE == 5
Foreign foreign(coroscope::Queue<int>& queue) { co_await queue.get(); }
#elif CASE == 6
coroscope::Coro<> twice() {
    auto coro = value();
    co_await coro;
}
#elif CASE == 7
coroscope::Coro<> no_awaitable() { co_await std::string("nothing"); }
#elif CASE == 8
coroscope::Coro<> of_the_standard_library() { co_await std::suspend_always(); }
#elif CASE == 9
coroscope::Coro<> named_coroutine() {
    auto coro = value();
    co_await coroscope::create_task(coro);
}
#elif CASE == 10
struct alignas(64) Wide {};
coroscope::Coro<Wide> wide() { co_return Wide(); }
#endif
