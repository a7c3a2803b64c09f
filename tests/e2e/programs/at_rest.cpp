// Programs whose tasks all wait, and nothing is wrong: somebody outside the loop will wake them. Each stays at rest for
// longer than a hang needs to be told, and ends.
#include <coroscope/coroscope.hpp>
#include <coroscope/net.hpp>
#include <iostream>
#include <string>
#include <thread>

using namespace coroscope;
using namespace std::chrono_literals;

namespace {

constexpr auto rest = 2s;

// Work for a task comes from a thread, as from a window's.
void for_a_thread() {
    Queue<int> clicks;
    Runner<> runner;
    EventLoop& loop = runner.loop();
    std::thread window([&] {
        std::this_thread::sleep_for(rest);
        loop.call_soon_threadsafe([&] { clicks.put_nowait(1); });
    });
    runner.run([&]() -> Coro<> { co_await clicks.get(); });
    window.join();
}

// A job that no task waits for sets a future at its end.
void for_a_job(bool own_pool) {
    ThreadPoolExecutor executor(1);
    run([&]() -> Coro<> {
        EventLoop& loop = EventLoop::running();
        const Future<void> done;
        const auto job = [&loop, done] {
            std::this_thread::sleep_for(rest);
            loop.call_soon_threadsafe([done] { done.set_result(); });
        };
        if (own_pool)
            executor.submit(job);
        else
            loop.submit(job);
        co_await done;
    });
}

// Two workers that feed each other, and a client that may connect.
Coro<> serve() {
    Queue<int> ping, pong;
    const auto pass_on = [](Queue<int>& from, Queue<int>& to) -> Coro<> {
        for (;;) to.put_nowait(co_await from.get());
    };
    const Task<> one = create_task(pass_on, std::ref(ping), std::ref(pong));
    ping.put_nowait(1);
    co_await pong.get();
    const Server server =
        co_await start_server([](StreamReader, StreamWriter) -> Coro<> { co_return; }, "127.0.0.1", 0);
    Event stop;
    std::thread([&stop, &loop = EventLoop::running()] {
        std::this_thread::sleep_for(rest);
        loop.call_soon_threadsafe([&stop] { stop.set(); });
    }).detach();
    co_await stop.wait();
}

// A wait with a limit, for something that nobody does.
Coro<> wait_with_a_limit() {
    Event never;
    try {
        co_await with_timeout(rest, [&never]() -> Coro<> { co_await never.wait(); });
    } catch (const TimeoutError&) {
    }
}

}  // namespace

int main(int argc, char** argv) {
    const std::string what = argc > 1 ? argv[1] : "";
    if (what == "thread") for_a_thread();
    if (what == "job") for_a_job(false);
    if (what == "executor") for_a_job(true);
    if (what == "server") run(serve());
    if (what == "limit") run(wait_with_a_limit());
    std::cout << "rested\n";
}
