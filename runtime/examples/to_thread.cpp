// A blocking function on a thread of the pool; the loop stays free.
#include <coroscope/coroscope.hpp>

#include <iostream>
#include <string>
#include <thread>

using namespace std::chrono_literals;

std::string cpu_bound_task() {
    std::this_thread::sleep_for(5s);  // simulating a CPU-bound task
    return "Task completed";
}

coroscope::Coro<> async_main() {
    const std::string result = co_await coroscope::to_thread(cpu_bound_task);
    std::cout << result << std::endl;
}

int main() { coroscope::run(async_main()); }
