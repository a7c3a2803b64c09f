// Two tasks and a lock: the keeper takes the lock and sleeps, the visitor waits for it. Ends when it is killed.
#include <coroscope/coroscope.hpp>

using namespace std::chrono_literals;

coroscope::Coro<> keep(coroscope::Lock& lock) {
    auto held = co_await lock.acquire();
    for (;;) co_await coroscope::sleep(1s);
}

coroscope::Coro<> visit(coroscope::Lock& lock) { auto held = co_await lock.acquire(); }

coroscope::Coro<> async_main() {
    coroscope::Lock lock;
    auto keeper = coroscope::create_task(keep(lock), "keeper");
    auto visitor = coroscope::create_task(visit(lock), "visitor");
    co_await visitor;
}

int main() { coroscope::run(async_main()); }
