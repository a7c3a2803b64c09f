// Resources that are opened and closed asynchronously: closed in the right order also when an exception flies. The
// document's program needs aiohttp and the Internet; this one has a session and a response of its own, that take their
// time.
#include <coroscope/coroscope.hpp>

#include <iostream>
#include <stdexcept>
#include <string>

using namespace std::chrono_literals;

class Response {
public:
    explicit Response(std::string url) : url_(std::move(url)) {}
    coroscope::Coro<std::string> text() {
        co_await coroscope::sleep(20ms);
        if (url_.ends_with("/broken")) throw std::runtime_error("connection lost while reading " + url_);
        co_return "<html>" + url_ + "</html>";
    }
    coroscope::Coro<> aclose() {
        co_await coroscope::sleep(10ms);
        std::cout << "response closed" << std::endl;
    }

private:
    std::string url_;
};

class ClientSession {
public:
    ClientSession() {}
    coroscope::Coro<Response> get(std::string url) {
        co_await coroscope::sleep(20ms);
        co_return Response(std::move(url));
    }
    coroscope::Coro<> aclose() {
        co_await coroscope::sleep(10ms);
        std::cout << "session closed" << std::endl;
    }
};

coroscope::Coro<std::string> read_text(Response& response) { co_return co_await response.text(); }

coroscope::Coro<std::string> fetch(ClientSession& session) {
    co_return co_await coroscope::async_with(session.get("http://example.com"), read_text);
}

coroscope::Coro<std::string> fetch_broken(ClientSession& session) {
    co_return co_await coroscope::async_with(session.get("http://example.com/broken"), read_text);
}

coroscope::Coro<> async_main() {
    const std::string html = co_await coroscope::async_with(ClientSession(), fetch);
    std::cout << html << std::endl;
    try {
        co_await coroscope::async_with(ClientSession(), fetch_broken);
    } catch (const std::runtime_error& error) {
        std::cout << "error: " << error.what() << std::endl;
    }
}

int main() { coroscope::run(async_main()); }
