// What the compiler must refuse, each with a sentence that says what to do. CMakeLists.txt beside this names the case
// to compile in CASE, and the sentence.
#include <unistd.h>

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
    ::sleep(0);
    const std::string text = "kept";
    auto body = [text](coroscope::TaskGroup&) -> coroscope::Coro<> { co_return; };
    co_await coroscope::with_task_group(body);
    co_await coroscope::with_task_group([&text](coroscope::TaskGroup&) -> coroscope::Coro<> { co_return; });
    co_await coroscope::to_thread([&text] { return text.size(); });
    auto one = coroscope::create_task(value());
    auto two = coroscope::create_task(coroscope::sleep(1s));
    auto [done, pending] = co_await coroscope::wait(one, two);
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
#elif CASE == 11
using namespace coroscope;  // beside the C library's sleep()
Coro<> sleeps_for_a_number() { co_await sleep(1); }
#elif CASE == 12
coroscope::Coro<> temporary_body(std::string text) {
    co_await coroscope::with_task_group([text](coroscope::TaskGroup&) -> coroscope::Coro<> { co_return; });
}
#elif CASE == 13
coroscope::Coro<> temporary_with_a_limit(std::string text) {
    co_await coroscope::with_timeout(1s, [text]() -> coroscope::Coro<> { co_return; });
}
#elif CASE == 14
coroscope::Coro<> temporary_in_a_thread(std::string text) {
    co_await coroscope::to_thread([text] { return text.size(); });
}
#elif CASE == 15
struct Item {
    int number;
    std::string text;
};
coroscope::Coro<> temporary_item(coroscope::Queue<Item>& queue) { co_await queue.put(Item{1, "one"}); }
#elif CASE == 16
coroscope::Coro<> temporary_to_retry(std::string text) {
    co_await coroscope::retry({}, [text]() -> coroscope::Coro<> { co_return; });
}
#endif
