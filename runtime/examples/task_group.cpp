// Structured concurrency: the group is left when all its tasks are done.
#include <coroscope/coroscope.hpp>

#include <iostream>
#include <string>

using namespace std::chrono_literals;

coroscope::Coro<std::string> process_item(std::string item) {
    co_await coroscope::sleep(1s);
    co_return "Processed " + item;
}

coroscope::Coro<> async_main() {
    coroscope::TaskGroup group;
    auto task1 = group.create_task(process_item("A"));
    auto task2 = group.create_task(process_item("B"));
    auto task3 = group.create_task(process_item("C"));
    co_await group.join();
    std::cout << task1.result() << std::endl;
    std::cout << task2.result() << std::endl;
    std::cout << task3.result() << std::endl;
}

int main() { coroscope::run(async_main()); }
