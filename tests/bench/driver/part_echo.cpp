// A TCP echo server's CPU a request: all servers run side by side, one at a time is under load, in turn.
#include <cstdio>
#include <stdexcept>

#include "context.hpp"

namespace coroscope::bench {

namespace {

constexpr int connections = 100;
constexpr double seconds_a_turn = 0.3;  // short: the turns of a round see the machine in one state

struct Server {
    std::string name;
    std::unique_ptr<Child> process;
    std::string port;
};

Server start(const Context& context, const char* name, const char* program, const Environment& environment) {
    Server server;
    server.name = name;
    server.process =
        std::make_unique<Child>(std::vector<std::string>{context.program(program)}, environment, context.log());
    const auto port = server.process->line(std::chrono::seconds(10));
    if (!port) throw std::runtime_error(std::string(program) + " does not start; see " + context.log());
    server.port = *port;
    return server;
}

void load(Context& context, const Server& server, double seconds, bool count) {
    const std::string output = run_child({context.program("echo_load"), server.port, std::to_string(connections),
                                          std::to_string(seconds), std::to_string(server.process->pid())},
                                         {}, context.log());
    double cpu_ns = 0, requests = 0;
    if (std::sscanf(output.c_str(), "%lf %lf", &cpu_ns, &requests) != 2) {
        throw std::runtime_error("echo_load measured nothing; see " + context.log());
    }
    if (!count) return;
    context.report.sample("echo", server.name, "ns CPU/req", cpu_ns);
    context.report.sample("echo", server.name + ": throughput", "requests/s", requests);
}

}  // namespace

void bench_echo(Context& context) {
    const auto agent = context.start_agent("echo");
    std::vector<Server> servers;
    servers.push_back(start(context, "raw epoll", "echo_server_epoll", {}));
    servers.push_back(start(context, "Boost.Asio", "echo_server_asio", {}));
    servers.push_back(start(context, "debug off", "echo_server_coroscope", context.debug_environment("")));
    servers.push_back(start(context, "on, no agent", "echo_server_coroscope",
                            context.debug_environment(context.free_socket("nobody"))));
    servers.push_back(start(context, "on, with agent", "echo_server_coroscope",
                            context.debug_environment(context.free_socket("echo"))));

    for (const Server& server : servers) load(context, server, 0.1, false);
    for (int round = 0; round < context.options.rounds * 4 - 1; ++round) {
        for (const Server& server : servers) load(context, server, seconds_a_turn, true);
        context.tick();
    }
    for (Server& server : servers) server.process->terminate();

    Report& report = context.report;
    const auto ratio = [&](const char* of, const char* to) { return report.ratio("echo", of, to); };
    report.figure({"echo", "debug off / raw epoll", "x", ratio("debug off", "raw epoll"), Figure::Limit::none, 0});
    report.figure({"echo", "debug off / Boost.Asio", "x", ratio("debug off", "Boost.Asio"), Figure::Limit::none, 0});
    report.figure(
        {"echo", "on, with agent / debug off", "x", ratio("on, with agent", "debug off"), Figure::Limit::at_most, 1.1});
    report.figure(
        {"echo", "on, no agent / debug off", "x", ratio("on, no agent", "debug off"), Figure::Limit::at_most, 1.1});
}

}  // namespace coroscope::bench
