// A task in the background fails, and its handle is kept but never looked at. From outside: the service runs on with
// rates of yesterday. `fixed`: both are awaited, so the error ends the program, and is printed.
//
//     COROSCOPE=1 ./dead_poller       coroscope problems: failed_unobserved
#include <coroscope/coroscope.hpp>
#include <iostream>
#include <stdexcept>

#include "bug.hpp"

using namespace coroscope;
using namespace std::chrono_literals;

namespace {

Coro<> poll_rates() {
    for (int i = 0;; ++i) {
        co_await sleep(5ms);
        if (i == 3) throw std::runtime_error("bad credentials");
    }
}

Coro<> serve() {
    for (;;) co_await sleep(50ms);
}

Coro<> async_main(bool fixed) {
    const Task<> rates = create_task(poll_rates(), "rates"), service = create_task(serve(), "service");
    if (!fixed) co_return co_await service;
    try {
        co_await gather(rates, service);
    } catch (const std::runtime_error& error) {
        std::cout << "no rates: " << error.what() << '\n';
    }
}

}  // namespace

int main(int argc, char** argv) { run(async_main(is_fixed(argc, argv))); }
