// Workers fail, and main waits in join() for items that nobody will finish. `fixed`: what a worker throws is caught for
// each item, and task_done() is called in any case.
//
//     COROSCOPE=1 ./dead_workers      coroscope problems: stuck_forever
#include <coroscope/coroscope.hpp>
#include <iostream>
#include <stdexcept>
#include <vector>

#include "bug.hpp"

using namespace coroscope;
using namespace std::chrono_literals;

namespace {

Coro<> handle(int item) {
    co_await sleep(5ms);
    if (item % 2 == 1) throw std::runtime_error("cannot parse item " + std::to_string(item));
}

Coro<> work(Queue<int>& queue, bool fixed) {
    for (;;) {
        const int item = co_await queue.get();
        if (!fixed) {
            co_await handle(item);
        } else {
            try {
                co_await handle(item);
            } catch (const std::runtime_error& error) {
                std::cerr << error.what() << '\n';
            }
        }
        queue.task_done();
    }
}

Coro<> heartbeat() {
    for (;;) co_await sleep(500ms);
}

Coro<> async_main(bool fixed) {
    Queue<int> queue;
    const Task<> beats = create_task(heartbeat(), "heartbeat");
    std::vector<Task<>> workers;
    for (int i = 0; i < 3; ++i) workers.push_back(create_task(work(queue, fixed), "worker-" + std::to_string(i)));
    for (int i = 0; i < 9; ++i) co_await queue.put(i);
    co_await queue.join();
    std::cout << "all items are done\n";
}

}  // namespace

int main(int argc, char** argv) { run(async_main(is_fixed(argc, argv))); }
