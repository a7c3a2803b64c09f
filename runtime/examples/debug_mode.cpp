// Debug mode: the document's program, run with debug on, and beside its sleep the mistakes that debug mode is for. Each
// mistake is in a function named after it, so that what the tool says can be compared with what is here:
//
//     build/bin/examples/debug_mode                                   # the findings, logged on stderr
//     COROSCOPE=file:t.cst build/bin/examples/debug_mode && build/bin/coroscope problems t.cst
#include <coroscope/coroscope.hpp>

#include <stdexcept>
#include <thread>

using namespace std::chrono_literals;

coroscope::Coro<> say_goodbye() { co_await coroscope::sleep(1ms); }

// A slow step: the blocking call keeps the loop, and everybody else, for a quarter of a second.
coroscope::Coro<> block_the_loop() {
    co_await coroscope::sleep(100ms);
    std::this_thread::sleep_for(250ms);  // should be: co_await coroscope::sleep(250ms), or to_thread()
    co_await coroscope::sleep(10ms);
}

// Never awaited: the call makes a coroutine object, and nobody runs it.
coroscope::Coro<> forget_to_await() {
    co_await coroscope::sleep(20ms);
    static_cast<void>(say_goodbye());  // should be: co_await say_goodbye()
    co_await coroscope::sleep(10ms);
}

// An exception that nobody retrieves: the task fails, and its handle is dropped.
coroscope::Coro<> fail_alone() {
    co_await coroscope::sleep(50ms);
    throw std::runtime_error("nobody is listening");
}

coroscope::Coro<> async_main() {
    auto blocking = coroscope::create_task(block_the_loop(), "blocking");
    auto forgetful = coroscope::create_task(forget_to_await(), "forgetful");
    coroscope::create_task(fail_alone(), "failing");
    co_await coroscope::sleep(1s);
    co_await blocking;
    co_await forgetful;
}

int main() { coroscope::run(async_main(), {.debug = true}); }
