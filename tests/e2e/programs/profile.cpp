// Two functions that compute, one of them three times as much as the other, each in a coroutine that another awaits.
#include <coroscope/coroscope.hpp>
#include <cstdint>
#include <iostream>

namespace {

using namespace std::chrono_literals;
using coroscope::Coro;

constexpr int rounds = 40;
constexpr std::uint64_t some = 4'000'000;

[[gnu::noinline]] std::uint64_t mix(std::uint64_t value, std::uint64_t times) {
    for (std::uint64_t i = 0; i < times; ++i) value = value * 6364136223846793005u + (value >> 33);
    return value;
}
[[gnu::noinline]] std::uint64_t heavy(std::uint64_t value) {
    value = mix(value, 3 * some);
    return value + 1;
}
[[gnu::noinline]] std::uint64_t light(std::uint64_t value) {
    value = mix(value, some);
    return value + 1;
}

Coro<std::uint64_t> work_hard(std::uint64_t value) {
    co_await coroscope::sleep(1ms);
    co_return heavy(value);
}
Coro<std::uint64_t> work_a_little(std::uint64_t value) {
    co_await coroscope::sleep(1ms);
    co_return light(value);
}

Coro<std::uint64_t> serve() {
    std::uint64_t value = 1;
    for (int i = 0; i < rounds; ++i) {
        value = co_await work_hard(value);
        value = co_await work_a_little(value);
    }
    co_return value;
}

Coro<> async_main() {
    auto task = coroscope::create_task(serve());
    std::cout << co_await task << std::endl;
}

}  // namespace

int main() { coroscope::run(async_main()); }
