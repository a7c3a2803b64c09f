// The runtime's side of the part `fairness`: how long others wait beside a task that is busy and yields. The peers are
// peers/fairness_asio.cpp, fairness.go and fairness.py.
#include "tests/bench/programs/fairness.hpp"

#include <array>
#include <stdexcept>

#include "coroscope/coroscope.hpp"
#include "coroscope/net.hpp"

namespace {

using namespace coroscope;
using fairness::Clock, fairness::Latencies;

Coro<> be_busy(std::chrono::nanoseconds step, const Latencies& latencies) {
    while (!latencies.complete()) {
        fairness::work_for(step);
        co_await yield();
    }
}

Coro<> sleep_again_and_again(Latencies& latencies) {
    for (bool more = true; more;) {
        const Clock::time_point due = Clock::now() + fairness::pause;
        co_await sleep(fairness::pause);
        more = latencies.add(Clock::now() - due);
    }
}

Coro<> talk_to_echo(Latencies& latencies) {
    const fairness::EchoThread echo;
    Socket socket(echo.other_end());
    std::array<std::byte, 1> byte{};
    for (bool more = true; more;) {
        const Clock::time_point sent = Clock::now();
        co_await socket.send_all(byte);
        if (co_await socket.recv(byte) == 0) throw std::runtime_error("the echo has ended");
        more = latencies.add(Clock::now() - sent);
    }
}

Coro<> be_called(Latencies& latencies, Task<>& busy) {
    EventLoop& loop = EventLoop::running();
    const fairness::CallingThread caller(latencies,
                                         [&loop](auto callback) { loop.call_soon_threadsafe(std::move(callback)); });
    co_await busy;
}

Coro<> measure(fairness::Work work, Latencies& latencies) {
    Task<> busy = create_task(be_busy(work.step, latencies));
    switch (work.victim) {
        case fairness::Victim::sleep: co_await sleep_again_and_again(latencies); break;
        case fairness::Victim::echo: co_await talk_to_echo(latencies); break;
        case fairness::Victim::threadsafe: co_await be_called(latencies, busy); break;
    }
    co_await busy;
}

}  // namespace

int main(int argc, char** argv) {
    return fairness::main_of(
        argc, argv, [](fairness::Work work, Latencies& latencies) { coroscope::run(measure(work, latencies)); });
}
