// What a task throws goes through those who wait for it, leaves run(), and nobody catches it. From outside: the program
// is aborted. `fixed`: main() catches it, says so, and ends with 0.
//
//     COROSCOPE=1 ./missing_catch     coroscope problems: uncaught_exception
#include <coroscope/coroscope.hpp>
#include <exception>
#include <iostream>
#include <stdexcept>
#include <string>

#include "bug.hpp"

using namespace coroscope;
using namespace std::chrono_literals;

namespace {

Coro<> load(std::string name) {
    co_await sleep(5ms);
    if (name == "prices") throw std::runtime_error("no file " + name);
}

Coro<> async_main() { co_await gather(load("customers"), load("prices")); }

}  // namespace

int main(int argc, char** argv) {
    if (!is_fixed(argc, argv)) {
        run(async_main());
        return 0;
    }
    try {
        run(async_main());
    } catch (const std::exception& error) {
        std::cerr << "cannot start: " << error.what() << '\n';
    }
}
