// A device is asked with read(2), which blocks the loop until the device answers: 20 ms each time, which no single step
// is long enough to show. From outside: everything is a little late. `fixed`: the device is a stream.
//
//     COROSCOPE=1 COROSCOPE_BLOCKING=1 ./slow_device     coroscope problems: blocking_call
#include <sys/socket.h>
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

constexpr int questions = 20;

char ask(int device) {
    char answer = '?';
    if (::write(device, "?", 1) != 1) return '!';
    return ::read(device, &answer, 1) == 1 ? answer : '!';
}

Coro<> watch(int device) {
    for (int i = 0; i < questions; ++i) {
        std::cout << ask(device) << std::flush;
        co_await yield();
    }
}

Coro<> watch_stream(int device) {
    Connection stream = make_connection(Socket(::dup(device)));
    for (int i = 0; i < questions; ++i) {
        stream.writer.write("?");
        co_await stream.writer.drain();
        std::cout << co_await stream.reader.read(1) << std::flush;
    }
}

void answer_slowly(int end) {
    char question = 0;
    while (::read(end, &question, 1) == 1) {
        std::this_thread::sleep_for(20ms);
        if (::write(end, "4", 1) != 1) return;
    }
}

}  // namespace

int main(int argc, char** argv) {
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) return 1;
    std::thread device(answer_slowly, ends[1]);
    run(is_fixed(argc, argv) ? watch_stream(ends[0]) : watch(ends[0]));
    ::close(ends[0]);
    device.join();
    std::cout << '\n';
}
