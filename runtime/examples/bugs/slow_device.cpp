// A device is read with read(2), which blocks the loop until the device has a value: 20 ms each time, which no single
// step is long enough to show. From outside: everything is a little late. `fixed`: the device is a stream.
//
//     COROSCOPE=1 COROSCOPE_BLOCKING=1 ./slow_device     coroscope problems: blocking_call
#include <unistd.h>

#include <array>
#include <coroscope/coroscope.hpp>
#include <coroscope/net.hpp>
#include <iostream>
#include <thread>

#include "bug.hpp"

using namespace coroscope;
using namespace std::chrono_literals;

namespace {

constexpr int values = 20;

char read_value(int device) {
    char value = 0;
    return ::read(device, &value, 1) == 1 ? value : '?';
}

Coro<> watch(int device) {
    for (int i = 0; i < values; ++i) {
        const char value = read_value(device);
        std::cout << value << std::flush;
        co_await yield();
    }
}

Coro<> watch_stream(int device) {
    StreamReader stream = connect_read_pipe(::dup(device));
    for (int i = 0; i < values; ++i) std::cout << co_await stream.read(1) << std::flush;
}

}  // namespace

int main(int argc, char** argv) {
    std::array<int, 2> ends{};  // a pipe stands for the device
    if (::pipe(ends.data()) != 0) return 1;
    std::thread device([to = ends[1]] {
        for (int i = 0; i < values; ++i) {
            std::this_thread::sleep_for(20ms);
            if (::write(to, "4", 1) != 1) return;
        }
    });
    run(is_fixed(argc, argv) ? watch_stream(ends[0]) : watch(ends[0]));
    device.join();
    std::cout << '\n';
}
