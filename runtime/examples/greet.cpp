// A coroutine that pauses, and another that awaits it twice. The document's first program.
#include <coroscope/coroscope.hpp>

#include <iostream>
#include <string>

using namespace std::chrono_literals;

coroscope::Coro<> greet(std::string name) {
    std::cout << "Hello, " << name << "!" << std::endl;
    co_await coroscope::sleep(1s);
    std::cout << "Goodbye, " << name << "!" << std::endl;
}

coroscope::Coro<> async_main() {
    co_await greet("Alice");
    co_await greet("Bob");
}

int main() { coroscope::run(async_main()); }
