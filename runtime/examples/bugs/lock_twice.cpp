// A task takes a lock that it holds already, two calls deeper. `fixed`: the inner function expects the lock to be held.
//
//     COROSCOPE=1 ./lock_twice        coroscope problems: deadlock
#include <coroscope/coroscope.hpp>
#include <iostream>

#include "bug.hpp"

using namespace coroscope;
using namespace std::chrono_literals;

namespace {

struct Cache {
    Lock lock;
    int refreshed = 0;
};

Coro<> refresh(Cache& cache, bool is_held) {
    if (is_held) {
        ++cache.refreshed;
        co_return;
    }
    const auto held = co_await cache.lock.acquire();
    ++cache.refreshed;
}

Coro<> look_up(Cache& cache, bool fixed) {
    const auto held = co_await cache.lock.acquire();
    co_await sleep(1ms);
    co_await refresh(cache, fixed);
}

Coro<> async_main(bool fixed) {
    Cache cache;
    co_await create_task(look_up(cache, fixed), "look-up");
    std::cout << "refreshed " << cache.refreshed << " times\n";
}

}  // namespace

int main(int argc, char** argv) { run(async_main(is_fixed(argc, argv))); }
