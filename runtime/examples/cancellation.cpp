// A task is cancelled after five seconds; it catches Cancelled, cleans up and ends. As in Python the await in main()
// then returns normally, because the task swallowed its cancellation: the last line of the program is not reached there
// either.
#include <coroscope/coroscope.hpp>

#include <iostream>

using namespace std::chrono_literals;

coroscope::Coro<> long_running_task() {
    try {
        while (true) {
            std::cout << "Working..." << std::endl;
            co_await coroscope::sleep(1s);
        }
    } catch (const coroscope::Cancelled&) {
        std::cout << "Task was cancelled" << std::endl;
    }
}

coroscope::Coro<> async_main() {
    auto task = coroscope::create_task(long_running_task());
    co_await coroscope::sleep(5s);
    task.cancel();
    try {
        co_await task;
    } catch (const coroscope::Cancelled&) {
        std::cout << "Main: task was cancelled" << std::endl;
    }
}

int main() { coroscope::run(async_main()); }
