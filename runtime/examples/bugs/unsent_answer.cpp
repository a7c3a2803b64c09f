// The program ends while most of its answer has not been sent: nobody waited for that. From outside: the other side
// gets half of it, and only if it is long. `fixed`: it waits until the connection is closed.
//
//     COROSCOPE=1 ./unsent_answer     coroscope problems: unclosed_transport
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <coroscope/coroscope.hpp>
#include <coroscope/net.hpp>
#include <iostream>
#include <string>
#include <thread>

#include "bug.hpp"

using namespace coroscope;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t answer_size = 2'000'000;

Coro<> answer(int socket, bool fixed) {
    Connection client = make_connection(Socket(socket));
    client.writer.write(std::string(answer_size, 'x'));
    client.writer.close();
    if (fixed) co_await client.writer.wait_closed();
}

Coro<> async_main(int socket, bool fixed) { co_await create_task(answer(socket, fixed), "answer"); }

std::size_t read_slowly(int socket) {
    std::array<char, 65536> buffer{};
    std::size_t sum = 0;
    for (ssize_t count = 1; count > 0; sum += static_cast<std::size_t>(count)) {
        std::this_thread::sleep_for(1ms);
        count = ::read(socket, buffer.data(), buffer.size());
        if (count < 0) break;
    }
    ::close(socket);
    return sum;
}

}  // namespace

int main(int argc, char** argv) {
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) return 1;
    std::size_t came = 0;
    std::thread client([&came, from = ends[1]] { came = read_slowly(from); });
    run(async_main(ends[0], is_fixed(argc, argv)));
    client.join();
    std::cout << came << " of " << answer_size << " bytes came\n";
}
