// A program that gets into trouble, as its argument says.
#include <poll.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <coroscope/coroscope.hpp>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <iostream>
#include <map>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>

namespace {

using namespace std::chrono_literals;
using coroscope::Coro;

volatile int* nowhere = nullptr;
volatile int zero = 0;

template <class Call>
void tell(const char* name, Call call) {
    errno = 0;
    const long result = call();
    const int error = result < 0 ? errno : 0;
    std::cout << name << " returned " << result << ' ' << std::strerror(error) << std::endl;
}

timespec soon() {
    timespec time{};
    ::clock_gettime(CLOCK_REALTIME, &time);
    ++time.tv_sec;
    return time;
}

// Calls that a signal would end early.
Coro<> calls() {
    co_await coroscope::sleep(1ms);
    tell("usleep", [] { return ::usleep(200'000); });
    co_await coroscope::sleep(1ms);
    tell("poll", [] { return ::poll(nullptr, 0, 200); });
    co_await coroscope::sleep(1ms);
    tell("sleep", [] { return ::sleep(1); });
    co_await coroscope::sleep(1ms);
    sem_t semaphore;
    ::sem_init(&semaphore, 0, 0);
    const timespec until = soon();
    tell("sem_timedwait", [&] { return ::sem_timedwait(&semaphore, &until); });
    co_await coroscope::sleep(1ms);
    std::array<int, 2> ends{};
    const timeval limit{0, 200'000};
    char byte = 0;
    if (::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()) == 0 &&
        ::setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) == 0)
        tell("recv", [&] { return ::recv(ends[0], &byte, 1, 0); });
}

Coro<> tick() {
    for (;;) co_await coroscope::sleep(10ms);
}

// Hangs until a signal with a handler comes: SIGUSR1.
[[gnu::noinline]] void hang() { ::pause(); }

std::mutex held_while_it_hangs;
void log_with_the_lock(coroscope::LogLevel, std::string_view text) {
    const std::lock_guard lock(held_while_it_hangs);
    std::cout << text << std::endl;
}

Coro<> hangs_in_a_call() {
    ::signal(SIGUSR1, [](int) {});
    std::vector<coroscope::Task<>> ticking;
    for (int i = 0; i < 8; ++i) ticking.push_back(coroscope::create_task(tick()));
    co_await coroscope::sleep(5ms);
    {
        const std::lock_guard lock(held_while_it_hangs);
        hang();
    }
    for (auto& each : ticking) each.cancel();
}

// Busy with short steps until a signal comes.
std::atomic<bool> over{false};
Coro<> busy() {
    ::signal(SIGUSR1, [](int) { over = true; });
    std::cout << "busy" << std::endl;
    while (!over) {
        for (int i = 0; i < 100'000; ++i) asm volatile("");
        co_await coroscope::yield();
    }
}

Coro<> parse(int line, const std::function<void()>& trouble) {
    co_await coroscope::sleep(1ms);
    if (line == 20) trouble();
}

Coro<> parse_all(std::function<void()> trouble) {
    for (int line = 0; line < 100; ++line)
        co_await coroscope::create_task(parse(line, trouble), "parse-" + std::to_string(line));
}

[[gnu::noinline]] void write_nowhere() { *nowhere = 1; }  // here
[[gnu::noinline]] void divide() { *const_cast<volatile int*>(&zero) = 100 / zero; }

[[gnu::noinline]] int descend(int depth) {  // for ever
    volatile char room[1000] = {};
    room[depth % 1000] = 1;
    return depth < 0 ? 0 : descend(depth + 1) + room[depth % 999];
}

void throw_it() { throw std::runtime_error("no such line"); }
void throw_out_of_noexcept() noexcept { throw_it(); }

void own_handler(int) {
    constexpr char text[] = "own handler\n";
    [[maybe_unused]] const ssize_t written = ::write(STDOUT_FILENO, text, sizeof text - 1);
    ::_exit(3);
}

}  // namespace

int main(int argc, char** argv) {
    const std::string what = argc > 1 ? argv[1] : "";
    const std::map<std::string, std::function<void()>> crashes{
        {"segv", write_nowhere},
        {"fpe", divide},
        {"overflow", [] { zero = descend(1); }},
        {"abort", [] { std::abort(); }},
        {"uncaught", throw_out_of_noexcept},
        {"terminate", [] { std::terminate(); }},
        {"own-handler", write_nowhere},
        {"segv-with-a-log", write_nowhere},
    };
    if (what == "segv-with-a-log") coroscope::set_log_handler(log_with_the_lock);
    if (what == "own-handler") ::signal(SIGSEGV, own_handler);
    if (what == "calls") {
        coroscope::run(calls());
    } else if (what == "hang") {
        coroscope::run(hangs_in_a_call());
    } else if (what == "hang-with-the-log's-lock") {
        coroscope::set_log_handler(log_with_the_lock);
        coroscope::run(hangs_in_a_call());
    } else if (what == "busy") {
        coroscope::run(busy());
    } else if (const auto crash = crashes.find(what); crash != crashes.end()) {
        coroscope::run(parse_all(crash->second));
    } else {
        return 2;
    }
}
