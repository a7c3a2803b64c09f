// A task keeps a lock while it waits for a slow server, and all that only want to look into the cache wait with it.
// From outside: now and then every request takes as long as the slowest one. `fixed`: it asks first, and takes the lock
// only to write down the answer.
//
//     COROSCOPE=1 ./lock_over_request     coroscope problems: lock_held_long
#include <coroscope/coroscope.hpp>
#include <iostream>

#include "bug.hpp"

using namespace coroscope;
using namespace std::chrono_literals;

namespace {

struct Cache {
    Lock lock;
    int price = 0;
};

Coro<int> ask_slow_server() {
    co_await sleep(1500ms);
    co_return 7;
}

Coro<> refresh(Cache& cache, bool fixed) {
    if (fixed) {
        const int price = co_await ask_slow_server();
        const auto held = co_await cache.lock.acquire();
        cache.price = price;
    } else {
        const auto held = co_await cache.lock.acquire();
        cache.price = co_await ask_slow_server();
    }
}

Coro<> look_up(Cache& cache) {
    co_await sleep(10ms);
    const auto held = co_await cache.lock.acquire();
}

Coro<> async_main(bool fixed) {
    Cache cache;
    TaskGroup group;
    group.create_task(refresh(cache, fixed), "refresh");
    for (int i = 0; i < 3; ++i) group.create_task(look_up(cache), "look-up-" + std::to_string(i));
    co_await group.join();
    std::cout << "the price is " << cache.price << '\n';
}

}  // namespace

int main(int argc, char** argv) { run(async_main(is_fixed(argc, argv))); }
