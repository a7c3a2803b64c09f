// The example web_server as a process, and visitors who keep their connection open.
#pragma once

#include <string>
#include <vector>

#include "support.hpp"

namespace coroscope::e2e {

class WebServer {
public:
    WebServer(const TemporaryDirectory& directory, std::vector<std::string> environment);
    Process& process() { return process_; }
    pid_t pid() const { return process_.pid(); }
    int port() const { return port_; }

private:
    static std::vector<std::string> with_port(std::vector<std::string> environment);

    Process process_;
    int port_ = 0;
};

class Visitor {
public:
    explicit Visitor(int port);
    ~Visitor();
    Visitor(const Visitor&) = delete;
    Visitor& operator=(const Visitor&) = delete;
    // The response to GET /PATH, head and body, on the open connection. Empty: the server closed it.
    std::string get(const std::string& path);
    // The server has closed the connection.
    bool closed();

private:
    int fd_ = -1;
};

}  // namespace coroscope::e2e
