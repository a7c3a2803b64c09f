// Boost.Asio's side of the part `fairness`: the same work as programs/fairness.cpp. A yield is a `co_await post`. The
// context is told that one thread runs it, but keeps its locks: another thread posts to it.
#include <array>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <exception>
#include <optional>

#include "tests/bench/programs/fairness.hpp"

namespace {

namespace asio = boost::asio;
using fairness::Clock, fairness::Latencies;

using Executor = asio::io_context::executor_type;
using Awaitable = asio::awaitable<void, Executor>;
using Timer = asio::basic_waitable_timer<Clock, asio::wait_traits<Clock>, Executor>;
using Socket = asio::basic_stream_socket<asio::local::stream_protocol, Executor>;

constexpr asio::use_awaitable_t<Executor> use_awaitable;

Awaitable be_busy(std::chrono::nanoseconds step, const Latencies& latencies) {
    const Executor executor = co_await asio::this_coro::executor;
    while (!latencies.complete()) {
        fairness::work_for(step);
        co_await asio::post(executor, use_awaitable);
    }
}

Awaitable sleep_again_and_again(Latencies& latencies) {
    Timer timer(co_await asio::this_coro::executor);
    for (bool more = true; more;) {
        const Clock::time_point due = Clock::now() + fairness::pause;
        timer.expires_at(due);
        co_await timer.async_wait(use_awaitable);
        more = latencies.add(Clock::now() - due);
    }
}

Awaitable talk_to_echo(Socket& socket, Latencies& latencies) {
    std::array<char, 1> byte{};
    for (bool more = true; more;) {
        const Clock::time_point sent = Clock::now();
        co_await asio::async_write(socket, asio::buffer(byte), use_awaitable);
        co_await asio::async_read(socket, asio::buffer(byte), use_awaitable);
        more = latencies.add(Clock::now() - sent);
    }
}

void measure(fairness::Work work, Latencies& latencies) {
    asio::io_context context(1);
    const Executor executor = context.get_executor();
    std::optional<fairness::EchoThread> echo;
    std::optional<Socket> socket;
    std::optional<fairness::CallingThread> caller;
    const auto end = [](const std::exception_ptr& error) {
        if (error) std::rethrow_exception(error);
    };
    asio::co_spawn(executor, be_busy(work.step, latencies), end);
    switch (work.victim) {
        case fairness::Victim::sleep: asio::co_spawn(executor, sleep_again_and_again(latencies), end); break;
        case fairness::Victim::echo:
            echo.emplace();
            socket.emplace(executor, asio::local::stream_protocol(), echo->other_end());
            asio::co_spawn(executor, talk_to_echo(*socket, latencies), end);
            break;
        case fairness::Victim::threadsafe:
            caller.emplace(latencies, [executor](auto callback) { asio::post(executor, std::move(callback)); });
            break;
    }
    context.run();
}

}  // namespace

int main(int argc, char** argv) { return fairness::main_of(argc, argv, measure); }
