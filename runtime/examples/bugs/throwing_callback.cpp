// A callback throws: nobody awaits a callback, so nobody gets the error, and the rest of it is not done. From outside:
// the ticks stop. `fixed`: it catches what its work throws.
//
//     COROSCOPE=1 ./throwing_callback     coroscope problems: callback_exception
#include <coroscope/coroscope.hpp>
#include <exception>
#include <iostream>
#include <stdexcept>
#include <string>

#include "bug.hpp"

using namespace coroscope;
using namespace std::chrono_literals;

namespace {

void measure(int tick) {
    if (tick == 2) throw std::runtime_error("no sensor at tick " + std::to_string(tick));
}

void on_tick(int tick, bool fixed) {
    try {
        measure(tick);
    } catch (const std::exception& error) {
        if (!fixed) throw;
        std::cerr << error.what() << '\n';
    }
    std::cout << "tick " << tick << '\n';
    if (tick < 4) EventLoop::running().call_later(5ms, [tick, fixed] { on_tick(tick + 1, fixed); });
}

Coro<> async_main(bool fixed) {
    EventLoop::running().call_later(5ms, [fixed] { on_tick(1, fixed); });
    co_await sleep(100ms);
}

}  // namespace

int main(int argc, char** argv) { run(async_main(is_fixed(argc, argv))); }
