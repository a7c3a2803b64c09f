// The task that is to set a future returns early and does not. `fixed`: it is set on every path.
//
//     COROSCOPE=1 ./forgotten_future  coroscope problems: stuck_forever
#include <coroscope/coroscope.hpp>
#include <iostream>

#include "bug.hpp"

using namespace coroscope;
using namespace std::chrono_literals;

namespace {

Coro<> answer(Future<int> future, bool cached, bool fixed) {
    co_await sleep(10ms);
    if (cached && !fixed) co_return;
    future.set_result(42);
}

Coro<int> ask(bool fixed) {
    Future<int> future;
    create_task(answer(future, true, fixed), "answer");
    co_return co_await future;
}

Coro<> heartbeat() {
    for (;;) co_await sleep(500ms);
}

Coro<> async_main(bool fixed) {
    const Task<> beats = create_task(heartbeat(), "heartbeat");
    std::cout << "the answer is " << co_await create_task(ask(fixed), "ask") << '\n';
}

}  // namespace

int main(int argc, char** argv) { run(async_main(is_fixed(argc, argv))); }
