// Every request starts a task that waits for its cancellation, and nobody ends that task when the request is done. From
// outside: the memory grows with every request. `fixed`: the task is cancelled.
//
//     COROSCOPE=1 ./forgotten_watchers    coroscope problems: task_leak
#include <coroscope/coroscope.hpp>
#include <iostream>

#include "bug.hpp"

using namespace coroscope;
using namespace std::chrono_literals;

namespace {

constexpr int requests = 1'600;

Coro<> watch(Event& shutdown) {
    co_await shutdown.wait();
    std::cout << "a request is cut off\n";
}

Coro<> serve(Event& shutdown, bool fixed) {
    const Task<> watcher = create_task(watch(shutdown));
    co_await sleep(1ms);
    if (fixed) watcher.cancel();
}

Coro<> async_main(bool fixed) {
    Event shutdown;
    for (int i = 0; i < requests; ++i) co_await serve(shutdown, fixed);
    std::cout << "served " << requests << " requests\n";
}

}  // namespace

int main(int argc, char** argv) { run(async_main(is_fixed(argc, argv))); }
