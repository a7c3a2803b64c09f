// Orders come in faster than they are worked off, and the queue between has no limit. From outside: the memory grows,
// and each order is answered later than the one before. `fixed`: the queue has a limit, so put() waits while it is
// full.
//
//     COROSCOPE=1 ./slow_consumer     coroscope problems: queue_backlog
#include <coroscope/coroscope.hpp>
#include <iostream>

#include "bug.hpp"

using namespace coroscope;
using namespace std::chrono_literals;

namespace {

Coro<> take_orders(Queue<int>& queue) {
    for (int order = 1;; ++order) {
        co_await queue.put(order);
        co_await sleep(4ms);
    }
}

Coro<> work_off(Queue<int>& queue) {
    for (;;) {
        co_await queue.get();
        co_await sleep(40ms);
        queue.task_done();
    }
}

Coro<> async_main(bool fixed) {
    Queue<int> queue(fixed ? 20 : 0);
    const Task<> worker = create_task(work_off(queue), "worker");
    const Task<> customers = create_task(take_orders(queue), "customers");
    co_await sleep(3s);
    std::cout << "closed for today\n";
}

}  // namespace

int main(int argc, char** argv) { run(async_main(is_fixed(argc, argv))); }
