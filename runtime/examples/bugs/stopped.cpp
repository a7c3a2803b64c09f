// Somebody stops the whole process for a while, as a tool does that writes a core of it. From outside: all clients
// wait, and the code that ran at that moment looks slow, but is not. `fixed`: nobody stops it.
//
//     COROSCOPE=1 ./stopped           coroscope problems: no_cpu
#include <coroscope/coroscope.hpp>
#include <coroscope/net.hpp>
#include <iostream>

#include "bug.hpp"

using namespace coroscope;
using namespace std::chrono_literals;

namespace {

void compute() {
    const auto end = std::chrono::steady_clock::now() + 5ms;
    while (std::chrono::steady_clock::now() < end) continue;
}

Coro<> keep_computing() {
    for (;;) {
        compute();
        co_await yield();
    }
}

Coro<> async_main(bool fixed) {
    const Task<> computing = create_task(keep_computing(), "computing");
    Process tool =
        co_await create_subprocess_shell(fixed ? "sleep 0.5" : "kill -STOP $PPID; sleep 1; kill -CONT $PPID");
    std::cout << "the tool ended with " << co_await tool.wait() << '\n';
}

}  // namespace

int main(int argc, char** argv) { run(async_main(is_fixed(argc, argv))); }
