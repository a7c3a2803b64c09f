// An echo server on Boost.Asio, as echo_server_coroscope.cpp is one on the runtime. Prints its port, serves until
// killed.
#include <array>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <cstdio>

namespace {

namespace asio = boost::asio;

using Executor = asio::io_context::executor_type;
using UseAwaitable = asio::use_awaitable_t<Executor>;
using Awaitable = asio::awaitable<void, Executor>;
using Socket = asio::basic_stream_socket<asio::ip::tcp, Executor>;
using Acceptor = asio::basic_socket_acceptor<asio::ip::tcp, Executor>;

constexpr UseAwaitable use_awaitable;

Awaitable echo(Socket socket) {
    socket.set_option(asio::ip::tcp::no_delay(true));
    std::array<char, 4096> buffer;
    try {
        for (;;) {
            const std::size_t count = co_await socket.async_read_some(asio::buffer(buffer), use_awaitable);
            co_await asio::async_write(socket, asio::buffer(buffer, count), use_awaitable);
        }
    } catch (const boost::system::system_error&) {  // the peer has closed
    }
}

Awaitable serve(Acceptor& acceptor, Executor executor) {
    for (;;) {
        Socket socket = co_await acceptor.async_accept(use_awaitable);
        asio::co_spawn(executor, echo(std::move(socket)), asio::detached);
    }
}

}  // namespace

int main() {
    asio::io_context context(BOOST_ASIO_CONCURRENCY_HINT_UNSAFE_IO);
    Acceptor acceptor(context.get_executor(), {asio::ip::address_v4::loopback(), 0});
    std::printf("%d\n", acceptor.local_endpoint().port());
    std::fflush(stdout);
    asio::co_spawn(context.get_executor(), serve(acceptor, context.get_executor()), asio::detached);
    context.run();
}
