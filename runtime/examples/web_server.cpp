// The document's simple asynchronous web server. `web_server [PORT]`, or PORT in the environment; 8080 otherwise, 0:
// any free port. Ctrl-C ends it.
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <iostream>

#include "coroscope/coroscope.hpp"
#include "coroscope/http.hpp"
#include "coroscope/signals.hpp"

using namespace coroscope;

Coro<http::Response> handle(http::Request& request) {
    const std::string name = request.match_info().get("name", "Anonymous");
    co_return http::Response::text("Hello, " + name + "!");
}

Coro<> async_main(std::uint16_t port) {
    http::Application app;
    app.add_routes({http::get("/", handle), http::get("/{name}", handle)});
    http::AppRunner runner(std::move(app));
    co_await runner.setup();
    http::TCPSite site(runner, "localhost", port);
    co_await site.start();
    std::cout << "Server started at " << site.name() << std::endl;
    co_await wait_for_signal(SIGINT, SIGTERM);
    co_await runner.cleanup();
}

int main(int argc, char** argv) {
    const char* text = argc > 1 ? argv[1] : std::getenv("PORT");
    std::uint16_t port = 8080;
    if (text != nullptr) {
        const char* end = text + std::strlen(text);
        if (const auto [rest, error] = std::from_chars(text, end, port); error != std::errc() || rest != end) {
            std::cerr << "web_server: '" << text << "' is no port; give a number from 0 to 65535\n";
            return 2;
        }
    }
    try {
        run(async_main(port));
    } catch (const std::exception& error) {
        std::cerr << "web_server: " << error.what() << '\n';
        return 1;
    }
}
