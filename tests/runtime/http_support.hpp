// A server with some routes, and a client that speaks raw HTTP.
#pragma once

#include "coroscope/http.hpp"
#include "net_support.hpp"

namespace coroscope::test {

inline Coro<http::Response> hello(http::Request& request) {
    co_return http::Response::text("Hello, " + request.match_info().get("name", "Anonymous") + "!");
}

inline Coro<http::Response> echo_body(http::Request& request) { co_return http::Response::text(request.body()); }

inline Coro<http::Response> slow(http::Request&) {
    co_await sleep(50ms);
    co_return http::Response::text("slow");
}

inline Coro<http::Response> fail(http::Request&) {
    co_await yield();
    throw std::runtime_error("no luck");
}

inline Coro<http::Response> teapot(http::Request&) {
    co_await yield();
    throw http::HttpError(418, "short and stout");
}

inline Coro<http::Response> split_the_response(http::Request& request) {
    http::Response response;
    response.headers.add("X-Name", request.match_info().get("name"));
    co_return response;
}

inline Coro<http::Response> nothing(http::Request&) { co_return http::Response(204); }

inline http::Application test_application() {
    http::Application app;
    app.add_routes({http::get("/", hello), http::get("/slow", slow), http::get("/fail", fail),
                    http::get("/teapot", teapot), http::get("/nothing", nothing), http::post("/body", echo_body),
                    http::get("/x/{name}/split", split_the_response), http::get("/{name}", hello)});
    return app;
}

struct Answer {
    Answer() {}
    int status = 0;
    std::string head, body;
};

inline Coro<Answer> read_answer(StreamReader& reader, bool without_body = false) {
    Answer answer;
    answer.head = co_await reader.read_until("\r\n\r\n");
    answer.status = std::stoi(answer.head.substr(9, 3));
    const std::size_t at = answer.head.find("Content-Length: ");
    if (at != std::string::npos && !without_body) {
        const std::size_t length = std::stoul(answer.head.substr(at + 16));
        answer.body = co_await reader.read_exactly(length);
    }
    co_return answer;
}

class Site {
public:
    explicit Site(http::ServerLimits limits = {}) : runner(test_application(), limits), site(runner, "127.0.0.1", 0) {}
    Coro<> start() { co_await site.start(); }
    Coro<Connection> connect() { return open_connection("127.0.0.1", site.port()); }
    // One request on a connection of its own.
    Coro<Answer> ask(std::string request) {
        Connection client = co_await connect();
        client.writer.write(request);
        co_return co_await read_answer(client.reader, request.starts_with("HEAD"));
    }
    Coro<Answer> get(std::string target) { return ask("GET " + target + " HTTP/1.1\r\nHost: x\r\n\r\n"); }
    http::AppRunner runner;
    http::TCPSite site;
};

}  // namespace coroscope::test
