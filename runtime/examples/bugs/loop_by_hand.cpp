// A loop made by hand is destroyed while a task is still at work. From outside: the last line of the log is missing now
// and then. `fixed`: run() cancels what is left and waits for it, so the task writes its line.
//
//     COROSCOPE=1 ./loop_by_hand      coroscope problems: task_destroyed_pending
#include <coroscope/coroscope.hpp>
#include <iostream>

#include "bug.hpp"

using namespace coroscope;
using namespace std::chrono_literals;

namespace {

Coro<> write_log() {
    try {
        for (;;) co_await sleep(10ms);
    } catch (const Cancelled&) {
        std::cout << "the last line\n";
        throw;
    }
}

Coro<> work() {
    create_task(write_log(), "log");
    co_await sleep(25ms);
}

}  // namespace

int main(int argc, char** argv) {
    if (is_fixed(argc, argv)) {
        run(work());
    } else {
        EventLoop loop;
        loop.run_until_complete(work());
    }
    std::cout << "done\n";
}
