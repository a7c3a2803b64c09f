// Servers under load: started side by side, loaded one at a time. What counts is the CPU time a request, user and
// system, of all threads of the server's process.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "context.hpp"

namespace coroscope::bench {

struct LoadedServer {
    std::string name;
    std::unique_ptr<Child> process;
    std::string port;
};

// A server prints its port, or an address that ends in it, on its first line. Throws std::runtime_error if it does not.
LoadedServer start_server(const Context& context, const std::string& name, const std::vector<std::string>& command,
                          const Environment& environment = {});

// 64 bytes there and back on each of 100 connections (programs/echo_load.cpp). `count` false: warms up only.
void load_echo(Context& context, const std::string& part, const LoadedServer& server, double seconds,
               bool count = true);

// `wrk` on 100 keep-alive connections. Answers that are no 2xx, and errors of the sockets, go to the row `NAME:
// errors`.
void load_http(Context& context, const std::string& part, const LoadedServer& server, int seconds, bool count = true);

}  // namespace coroscope::bench
