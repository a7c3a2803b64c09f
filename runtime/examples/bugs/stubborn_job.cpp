// The program's end waits for a job on a thread that nothing ends. `fixed`: the job looks at a flag.
//
//     COROSCOPE=1 ./stubborn_job      coroscope problems: end_waits_for_jobs
#include <atomic>
#include <coroscope/coroscope.hpp>
#include <iostream>
#include <thread>

#include "bug.hpp"

using namespace coroscope;
using namespace std::chrono_literals;

namespace {

std::atomic<bool> leave = false;

void wait_for_a_key() {
    while (!leave) std::this_thread::sleep_for(5ms);
}

Coro<> keyboard() { co_await to_thread(wait_for_a_key); }

Coro<> async_main(bool fixed) {
    const Task<> keys = create_task(keyboard(), "keyboard");
    co_await sleep(20ms);
    std::cout << "leaving\n" << std::flush;
    leave = fixed;
}

}  // namespace

int main(int argc, char** argv) { run(async_main(is_fixed(argc, argv))); }
