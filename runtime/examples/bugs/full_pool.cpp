// Slow jobs keep all threads of the pool, and a job that takes a millisecond waits behind them. `fixed`: they have
// a pool of their own, and no more of them begin at once than it has threads.
//
//     COROSCOPE=1 ./full_pool         coroscope problems: thread_pool_exhausted
#include <coroscope/coroscope.hpp>
#include <iostream>
#include <thread>
#include <vector>

#include "bug.hpp"

using namespace coroscope;
using namespace std::chrono_literals;

namespace {

void crunch() { std::this_thread::sleep_for(1s); }

Coro<> report(ThreadPoolExecutor& own_pool, Semaphore& threads, bool fixed) {
    if (!fixed) co_return co_await to_thread(crunch);
    const auto thread = co_await threads.acquire();
    co_await run_in_executor(own_pool, crunch);
}

Coro<> ask() {
    co_await to_thread([] { return 42; });
}

Coro<> async_main(bool fixed) {
    ThreadPoolExecutor own_pool(8);
    Semaphore threads(8);
    std::vector<Task<>> reports;
    for (int i = 0; i < 40; ++i)
        reports.push_back(create_task(report(own_pool, threads, fixed), "report-" + std::to_string(i)));
    co_await sleep(10ms);
    co_await create_task(ask(), "ask");
    std::cout << "answered\n";
    for (const Task<>& each : reports) co_await each;
}

}  // namespace

int main(int argc, char** argv) { run(async_main(is_fixed(argc, argv))); }
