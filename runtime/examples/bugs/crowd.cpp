// All pictures are worked on at once. Each step is short, but a task that is ready waits until hundreds of others had
// their turn. From outside: the first picture is done hardly earlier than the last one, and everything else is slow
// meanwhile. `fixed`: a semaphore lets a few be worked on at a time.
//
//     COROSCOPE=1 ./crowd             coroscope problems: starved
#include <coroscope/coroscope.hpp>
#include <iostream>

#include "bug.hpp"

using namespace coroscope;
using namespace std::chrono_literals;

namespace {

constexpr int pictures = 400, parts = 3;

void scale_part() {
    const auto end = std::chrono::steady_clock::now() + 2ms;
    while (std::chrono::steady_clock::now() < end) continue;
}

Coro<> scale(Semaphore& limit) {
    const auto permit = co_await limit.acquire();
    for (int i = 0; i < parts; ++i) {
        co_await yield();
        scale_part();
    }
}

Coro<> async_main(bool fixed) {
    Semaphore limit(fixed ? 4 : pictures);
    TaskGroup group;
    for (int i = 0; i < pictures; ++i) group.create_task(scale(limit), "picture-" + std::to_string(i));
    co_await group.join();
    std::cout << "scaled\n";
}

}  // namespace

int main(int argc, char** argv) { run(async_main(is_fixed(argc, argv))); }
