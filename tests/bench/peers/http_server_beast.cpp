// The web server of examples/web_server.cpp, written with Boost.Beast and Asio coroutines: a peer to compare with.
// `http_server_beast [PORT]`: without, or 0: any. One thread, keep-alive, the same routes, headers and texts; a header
// limit and an idle timeout as there. SIGINT and SIGTERM end it.
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <iostream>
#include <string>

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;

namespace {

// The Date header, made once a second.
const std::string& date() {
    static std::time_t made = 0;
    static std::string text;
    const std::time_t now = std::time(nullptr);
    if (now != made) {
        char buffer[64];
        std::tm parts{};
        ::gmtime_r(&now, &parts);
        text.assign(buffer, std::strftime(buffer, sizeof buffer, "%a, %d %b %Y %H:%M:%S GMT", &parts));
        made = now;
    }
    return text;
}

http::response<http::string_body> answer(const http::request<http::string_body>& request) {
    http::response<http::string_body> response(http::status::ok, request.version());
    const std::string_view target(request.target().data(), request.target().size());
    const std::string_view name = target.size() > 1 ? target.substr(1) : std::string_view("Anonymous");
    if (request.method() != http::verb::get || name.find('/') != std::string_view::npos) {
        response.result(http::status::not_found);
        response.body() = "404: Not Found";
    } else {
        response.body() = "Hello, " + std::string(name) + "!";
    }
    response.set(http::field::content_type, "text/plain; charset=utf-8");
    response.set(http::field::date, date());
    response.set(http::field::server, "beast");
    response.keep_alive(request.keep_alive());
    response.prepare_payload();
    return response;
}

asio::awaitable<void> serve(beast::tcp_stream stream) {
    beast::flat_buffer buffer;
    beast::error_code error;
    auto token = asio::redirect_error(asio::use_awaitable, error);
    for (;;) {
        stream.expires_after(std::chrono::seconds(75));
        http::request_parser<http::string_body> parser;
        parser.header_limit(16 * 1024);
        co_await http::async_read(stream, buffer, parser, token);
        if (error) co_return;
        const auto response = answer(parser.get());
        co_await http::async_write(stream, response, token);
        if (error || !response.keep_alive()) break;
    }
    stream.socket().shutdown(tcp::socket::shutdown_send, error);
}

asio::awaitable<void> accept(tcp::acceptor& acceptor) {
    for (;;) {
        tcp::socket socket = co_await acceptor.async_accept(asio::use_awaitable);
        socket.set_option(tcp::no_delay(true));
        asio::co_spawn(acceptor.get_executor(), serve(beast::tcp_stream(std::move(socket))), asio::detached);
    }
}

}  // namespace

int main(int argc, char** argv) {
    const auto port = static_cast<unsigned short>(argc > 1 ? std::atoi(argv[1]) : 0);
    asio::io_context context(1);
    asio::signal_set signals(context, SIGINT, SIGTERM);
    signals.async_wait([&](const boost::system::error_code&, int) { context.stop(); });
    tcp::acceptor acceptor(context, tcp::endpoint(asio::ip::address_v4::loopback(), port));
    asio::co_spawn(context, accept(acceptor), asio::detached);
    std::cout << "Server started at http://localhost:" << acceptor.local_endpoint().port() << std::endl;
    context.run();
}
