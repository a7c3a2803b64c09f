// Servers on the runtime, debug mode off, beside the same servers on its peers: echo and HTTP.
#include <unistd.h>

#include <stdexcept>

#include "servers.hpp"

namespace coroscope::bench {

namespace {

constexpr const char* ours = "coroscope";

struct Peer {
    const char *name, *program;
    const char* option;  // nullptr: none
};

std::vector<LoadedServer> start_all(Context& context, const std::string& part, const std::vector<std::string>& own,
                                    const std::vector<Peer>& peers) {
    std::vector<LoadedServer> servers;
    servers.push_back(start_server(context, ours, own, context.debug_environment("")));
    for (const Peer& peer : peers) {
        std::optional<std::vector<std::string>> command = context.peer(peer.program, peer.option);
        if (!command) {
            context.report.note(part, peer.name, "not measured: " + context.peers_missing_advice());
            continue;
        }
        servers.push_back(start_server(context, peer.name, *command));
    }
    return servers;
}

void figures(Report& report, const std::string& part, const std::vector<LoadedServer>& servers, const char* rival,
             double bound) {
    for (const LoadedServer& server : servers) {
        if (server.name == ours) continue;
        const bool is_rival = server.name == rival;
        report.figure({part, std::string(ours) + " / " + server.name, "x", report.ratio(part, ours, server.name),
                       is_rival ? Figure::Limit::at_most : Figure::Limit::none, bound});
    }
}

}  // namespace

void bench_runtime_echo(Context& context) {
    const std::string part = "runtime_echo";
    std::vector<LoadedServer> servers = start_all(context, part, {context.program("echo_server_coroscope")},
                                                  {{"raw epoll", "echo_server_epoll", nullptr},
                                                   {"Boost.Asio", "echo_server_asio", nullptr},
                                                   {"libuv", "echo_server_libuv", nullptr},
                                                   {"Go", "echo_server_go", nullptr},
                                                   {"uvloop streams", "echo_server.py", "--uvloop"},
                                                   {"asyncio streams", "echo_server.py", nullptr}});
    for (const LoadedServer& server : servers) load_echo(context, part, server, 0.1, false);
    for (int round = 0; round < context.options.rounds * 2 + 1; ++round) {
        for (const LoadedServer& server : servers) load_echo(context, part, server, 0.3);
        context.tick();
    }
    for (LoadedServer& server : servers) server.process->terminate();
    figures(context.report, part, servers, "raw epoll", 1.05);
}

void bench_runtime_http(Context& context) {
    const std::string part = "runtime_http";
    if (::access("/usr/bin/wrk", X_OK) != 0) throw std::runtime_error("no wrk: " + context.peers_missing_advice());
    std::vector<LoadedServer> servers = start_all(context, part, {context.example("web_server"), "0"},
                                                  {{"Boost.Beast", "http_server_beast", nullptr},
                                                   {"raw epoll, by hand", "http_server_epoll", nullptr},
                                                   {"libuv, by hand", "http_server_libuv", nullptr},
                                                   {"Go net/http", "http_server_go", nullptr},
                                                   {"uvloop streams, by hand", "http_server.py", "--uvloop"},
                                                   {"asyncio streams, by hand", "http_server.py", nullptr}});
    const int rounds = std::max(3, context.options.rounds - 2);
    for (const LoadedServer& server : servers) load_http(context, part, server, 1, false);
    for (int round = 0; round < rounds; ++round) {
        for (const LoadedServer& server : servers) load_http(context, part, server, 2);
        context.tick();
    }
    for (LoadedServer& server : servers) server.process->terminate();
    figures(context.report, part, servers, "Boost.Beast", 1.1);
    context.report.figure({part, "errors while serving", "",
                           context.report.median(part, std::string(ours) + ": errors"), Figure::Limit::at_most, 0});
}

}  // namespace coroscope::bench
