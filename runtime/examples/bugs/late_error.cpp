// Whoever asks gives up after a while. The answer comes later, is an error, and finds nobody. From outside: a timeout,
// and never why. `fixed`: what comes late is looked at.
//
//     COROSCOPE=1 ./late_error        coroscope problems: future_exception_never_retrieved
#include <coroscope/coroscope.hpp>
#include <exception>
#include <iostream>
#include <stdexcept>

#include "bug.hpp"

using namespace coroscope;
using namespace std::chrono_literals;

namespace {

Coro<> answer(Future<int> future) {
    co_await sleep(50ms);
    future.set_exception(std::runtime_error("the printer is out of paper"));
}

Coro<int> patiently(Future<int> future) { co_return co_await shield(future); }

void log_error(Future<int> late) {
    try {
        late.result();
    } catch (const std::exception& error) {
        std::cerr << "too late: " << error.what() << '\n';
    }
}

Coro<> ask(bool fixed) {
    Future<int> future;
    const Task<> answering = create_task(answer(future), "printer");
    try {
        co_await wait_for(patiently(future), 10ms);
    } catch (const TimeoutError&) {
        std::cout << "no answer\n";
        if (fixed) future.add_done_callback(log_error);
    }
}

Coro<> async_main(bool fixed) {
    co_await ask(fixed);
    co_await sleep(100ms);
}

}  // namespace

int main(int argc, char** argv) { run(async_main(is_fixed(argc, argv))); }
