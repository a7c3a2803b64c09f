// A loop catches everything, so that it never ends, and catches its own cancellation, too. From outside: the program
// does not exit. `fixed`: it catches errors only, and Cancelled is none.
//
//     COROSCOPE=1 ./swallowed_cancel  coroscope problems: cancellation_ignored
#include <coroscope/coroscope.hpp>
#include <exception>
#include <iostream>

#include "bug.hpp"

using namespace coroscope;
using namespace std::chrono_literals;

namespace {

Coro<> ping_server() { co_await sleep(20ms); }

Coro<> ping_for_ever() {
    for (;;) {
        try {
            co_await ping_server();
        } catch (...) {
            std::cerr << "the server does not answer\n";
        }
    }
}

Coro<> ping_until_cancelled() {
    for (;;) {
        try {
            co_await ping_server();
        } catch (const std::exception& error) {
            std::cerr << error.what() << '\n';
        }
    }
}

Coro<> async_main(bool fixed) {
    const Task<> pings = create_task(fixed ? ping_until_cancelled() : ping_for_ever(), "pings");
    co_await sleep(50ms);
    std::cout << "leaving\n" << std::flush;
}

}  // namespace

int main(int argc, char** argv) { run(async_main(is_fixed(argc, argv))); }
