// Now and then all clients are told something at once, and each of them works for 20 ms then. No step is slow, but
// together they keep the loop. From outside: timers and connections are late now and then. `fixed`: threads do the
// work.
//
//     COROSCOPE=1 ./stampede          coroscope problems: loop_lag
#include <coroscope/coroscope.hpp>
#include <iostream>

#include "bug.hpp"

using namespace coroscope;
using namespace std::chrono_literals;

namespace {

constexpr int clients = 12, changes = 5;

void render() {
    const auto end = std::chrono::steady_clock::now() + 20ms;
    while (std::chrono::steady_clock::now() < end) continue;
}

Coro<> tell_client(bool fixed) {
    if (fixed)
        co_await to_thread(render);
    else
        render();
}

// Between two changes the loop has many short steps to run.
Coro<> chat() {
    Queue<int> questions(1), answers(1);
    auto friendly = [&]() -> Coro<> {
        for (;;) co_await answers.put(co_await questions.get());
    };
    const Task<> other = create_task(friendly);
    for (int i = 0; i < 50; ++i) {
        for (int j = 0; j < 50; ++j) {
            co_await questions.put(j);
            co_await answers.get();
        }
        co_await sleep(1ms);
    }
    other.cancel();
}

Coro<> async_main(bool fixed) {
    for (int i = 0; i < changes; ++i) {
        co_await chat();
        TaskGroup group;
        for (int j = 0; j < clients; ++j) group.create_task(tell_client(fixed), "client-" + std::to_string(j));
        co_await group.join();
    }
    std::cout << "all clients know\n";
}

}  // namespace

int main(int argc, char** argv) { run(async_main(is_fixed(argc, argv))); }
