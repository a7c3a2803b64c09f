// A request that failed is tried again after a pause in which nothing else of the program runs: sleep_for() keeps the
// thread, so every client waits. From outside: the service stutters whenever its database does. `fixed`: the pause is
// awaited.
//
//     COROSCOPE=1 ./blocking_retry    coroscope problems: slow_step
#include <coroscope/coroscope.hpp>
#include <iostream>
#include <thread>

#include "bug.hpp"

using namespace coroscope;
using namespace std::chrono_literals;

namespace {

Coro<bool> ask_database(int attempt) {
    co_await sleep(5ms);
    co_return attempt == 2;
}

Coro<> store_order(bool fixed) {
    for (int attempt = 0; !co_await ask_database(attempt); ++attempt) {
        if (fixed)
            co_await sleep(300ms);
        else
            std::this_thread::sleep_for(300ms);
    }
}

Coro<> answer_clients() {
    for (;;) co_await sleep(10ms);
}

Coro<> async_main(bool fixed) {
    const Task<> clients = create_task(answer_clients(), "clients");
    co_await create_task(store_order(fixed), "store-order");
    std::cout << "stored\n";
}

}  // namespace

int main(int argc, char** argv) { run(async_main(is_fixed(argc, argv))); }
