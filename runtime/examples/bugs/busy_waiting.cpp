// A task asks again and again whether there is something to do, and only gives the others their turn in between. From
// outside: all works, and a CPU is busy while nothing happens. `fixed`: an event says so.
//
//     COROSCOPE=1 ./busy_waiting      coroscope problems: self_waking
#include <coroscope/coroscope.hpp>
#include <iostream>

#include "bug.hpp"

using namespace coroscope;
using namespace std::chrono_literals;

namespace {

Coro<> send_when(Event& ready, bool fixed) {
    if (fixed) co_await ready.wait();
    while (!ready.is_set()) co_await yield();
    std::cout << "sent\n";
}

Coro<> async_main(bool fixed) {
    Event ready;
    const Task<> sender = create_task(send_when(ready, fixed), "sender");
    co_await sleep(1500ms);
    ready.set();
    co_await sender;
}

}  // namespace

int main(int argc, char** argv) { run(async_main(is_fixed(argc, argv))); }
