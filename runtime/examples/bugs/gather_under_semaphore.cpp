// Each task holds a permit while it waits for tasks that need one. `fixed`: the permit is given back before.
//
//     COROSCOPE=1 ./gather_under_semaphore    coroscope problems: deadlock
#include <coroscope/coroscope.hpp>
#include <iostream>

#include "bug.hpp"

using namespace coroscope;
using namespace std::chrono_literals;

namespace {

Coro<> fetch(Semaphore& limit) {
    const auto permit = co_await limit.acquire();
    co_await sleep(5ms);
}

Coro<> crawl(Semaphore& limit, bool fixed) {
    auto permit = co_await limit.acquire();
    co_await sleep(5ms);
    if (fixed) permit.release();
    co_await gather(fetch(limit), fetch(limit));
}

Coro<> heartbeat() {
    for (;;) co_await sleep(500ms);
}

Coro<> async_main(bool fixed) {
    Semaphore limit(2);
    const Task<> beats = create_task(heartbeat(), "heartbeat");
    co_await gather(crawl(limit, fixed), crawl(limit, fixed));
    std::cout << "all is fetched\n";
}

}  // namespace

int main(int argc, char** argv) { run(async_main(is_fixed(argc, argv))); }
