// A thread sets an event of a loop that sleeps: nobody wakes up. `fixed`: it asks the loop to do it.
//
//     COROSCOPE=1 ./foreign_thread    coroscope problems: wrong_thread, lost_wakeup
#include <coroscope/coroscope.hpp>
#include <iostream>
#include <thread>

#include "bug.hpp"

using namespace coroscope;
using namespace std::chrono_literals;

namespace {

Coro<> wait_until_set(Event& ready) {
    co_await ready.wait();
    std::cout << "woken\n";
}

}  // namespace

int main(int argc, char** argv) {
    const bool fixed = is_fixed(argc, argv);
    Event ready;
    Runner<> runner;
    EventLoop& loop = runner.loop();
    std::thread other([&] {
        std::this_thread::sleep_for(100ms);
        if (fixed)
            loop.call_soon_threadsafe([&] { ready.set(); });
        else
            ready.set();
    });
    runner.run(wait_until_set(ready));
    other.join();
}
