// A program that runs until it is killed, for tests that look at it from outside. Says "ready" when all its tasks wait.
// long_runner rests | usleep | spins | switches | forks | closes
#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <string>

#include "coroscope/coroscope.hpp"

namespace {

using namespace coroscope;
using namespace std::chrono_literals;

Coro<> take(Queue<int>& jobs) {
    for (;;) co_await jobs.get();
}

Coro<> consume(Queue<int>& jobs) { co_await take(jobs); }

Coro<> produce(Queue<int>& jobs) {
    for (;;) {
        co_await sleep(1h);
        co_await jobs.put(1);
    }
}

Coro<> hold(Lock& lock) {
    const auto held = co_await lock.acquire();
    co_await sleep(1h);
}

Coro<> want(Lock& lock) { const auto held = co_await lock.acquire(); }

void say_ready() {
    std::puts("ready");
    std::fflush(stdout);
}

void sleep_for_ever() {
    for (;;) ::usleep(600'000'000);
}

void spin_for_ever() {
    static std::atomic<unsigned long> turns{0};
    for (;;) turns.fetch_add(1, std::memory_order_relaxed);
}

Coro<> hang(std::string how) {
    co_await sleep(1ms);
    say_ready();
    if (how == "usleep") sleep_for_ever();
    if (how == "spins") spin_for_ever();
}

// Debug mode by the program itself, twice.
Coro<> switch_debug() {
    EventLoop& loop = EventLoop::running();
    for (int i = 0; i < 2; ++i) {
        if (loop.get_debug()) std::puts("on too early");
        loop.set_debug(true);
        const std::string name = "session " + std::to_string(i + 1);
        co_await create_task(sleep(1ms), name);
        if (!loop.get_debug()) std::puts("not on");
        loop.set_debug(false);
    }
    if (loop.get_debug()) std::puts("still on");
}

// As a daemon does, or a sandbox: every descriptor but the standard ones and the loop's own is closed.
void close_what_is_high() {
    for (int fd = 100; fd < 1024; ++fd) ::close(fd);
    static_cast<void>(::fcntl(1, F_DUPFD_CLOEXEC, 700));  // and its number is another's now
}

Coro<> main_task(std::string how) {
    if (how == "switches") {
        co_await switch_debug();
        co_return;
    }
    if (how == "closes") close_what_is_high();
    Queue<int> jobs;
    Lock lock;
    auto consumer = create_task(consume(jobs), "consumer");
    auto producer = create_task(produce(jobs), "producer");
    auto holder = create_task(hold(lock), "holder");
    auto wanting = create_task(want(lock), "wanting");
    auto hanging = create_task(hang(how), "hanging");
    co_await wanting;
}

}  // namespace

int main(int argc, char** argv) {
    const std::string how = argc > 1 ? argv[1] : "rests";
    if (how == "forks") {
        EventLoop parents;  // it listens before the fork
        if (::fork() != 0) {
            for (;;) ::pause();
        }
        std::printf("%d\n", static_cast<int>(::getpid()));
    }
    run(main_task(how));
    return 0;
}
