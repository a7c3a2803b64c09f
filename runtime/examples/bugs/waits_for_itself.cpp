// A task blocks its thread until another task of the same loop has an answer, which that thread would have to compute.
// From outside: nothing goes on any more, and no CPU is used. `fixed`: the task is awaited.
//
//     COROSCOPE=1 ./waits_for_itself  coroscope problems: stalled_loop
#include <coroscope/coroscope.hpp>
#include <future>
#include <iostream>
#include <utility>

#include "bug.hpp"

using namespace coroscope;
using namespace std::chrono_literals;

namespace {

Coro<int> compute() {
    co_await sleep(5ms);
    co_return 42;
}

Coro<> fulfil(std::promise<int> promise) { promise.set_value(co_await compute()); }

// An interface of old, which knows nothing of coroutines.
int compute_now() {
    std::promise<int> promise;
    std::future<int> answer = promise.get_future();
    create_task(fulfil(std::move(promise)), "fulfil");
    return answer.get();
}

Coro<> async_main(bool fixed) {
    co_await sleep(25ms);
    const int answer = fixed ? co_await compute() : compute_now();
    std::cout << "the answer is " << answer << '\n';
}

}  // namespace

int main(int argc, char** argv) { run(async_main(is_fixed(argc, argv))); }
