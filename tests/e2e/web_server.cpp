#include "web_server.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>

namespace coroscope::e2e {

std::vector<std::string> WebServer::with_port(std::vector<std::string> environment) {
    environment.emplace_back("PORT=0");
    return environment;
}

WebServer::WebServer(const TemporaryDirectory& directory, std::vector<std::string> environment)
    : process_(directory, {example("web_server")}, with_port(std::move(environment))) {
    const std::string before = "localhost:";
    const bool up = wait_until([&] { return process_.out().find(before) != std::string::npos || !process_.running(); });
    if (!up || !process_.running()) throw std::runtime_error("web_server did not start: " + process_.err());
    const std::string out = process_.out();
    port_ = std::atoi(out.c_str() + out.find(before) + before.size());
}

Visitor::Visitor(int port) {
    fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        throw std::runtime_error("cannot connect to port " + std::to_string(port));
    }
}

Visitor::~Visitor() { ::close(fd_); }

std::string Visitor::get(const std::string& path) {
    const std::string request = "GET /" + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n";
    if (::send(fd_, request.data(), request.size(), MSG_NOSIGNAL) < 0) return {};
    std::string response;
    const auto complete = [&] {
        const std::size_t head = response.find("\r\n\r\n");
        return head != std::string::npos && response.size() > head + 4;
    };
    while (!complete()) {
        char buffer[4096];
        pollfd readable{fd_, POLLIN, 0};
        if (::poll(&readable, 1, 30'000) != 1) return {};
        const ssize_t count = ::recv(fd_, buffer, sizeof buffer, 0);
        if (count <= 0) return {};
        response.append(buffer, static_cast<std::size_t>(count));
    }
    return response;
}

bool Visitor::closed() {
    char byte = 0;
    return ::recv(fd_, &byte, 1, MSG_DONTWAIT | MSG_PEEK) == 0;
}

}  // namespace coroscope::e2e
