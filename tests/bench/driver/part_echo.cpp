// A TCP echo server's CPU a request, with debug mode off and on, beside the floor and Boost.Asio.
#include "servers.hpp"

namespace coroscope::bench {

void bench_echo(Context& context) {
    constexpr double seconds_a_turn = 0.3;  // short: the turns of a round see the machine in one state
    const auto agent = context.start_agent("echo");
    const auto start = [&](const char* name, const char* program, const Environment& environment) {
        return start_server(context, name, {context.program(program)}, environment);
    };
    const Environment off = context.debug_environment(""), alone = context.debug_environment(context.free_socket("no")),
                      on = context.debug_environment(context.free_socket("echo"));
    std::vector<LoadedServer> servers;
    servers.push_back(start("raw epoll", "echo_server_epoll", {}));
    servers.push_back(start("Boost.Asio", "echo_server_asio", {}));
    servers.push_back(start("debug off", "echo_server_coroscope", off));
    servers.push_back(start("on, no agent", "echo_server_coroscope", alone));
    servers.push_back(start("on, with agent", "echo_server_coroscope", on));

    for (const LoadedServer& server : servers) load_echo(context, "echo", server, 0.1, false);
    for (int round = 0; round < context.options.rounds * 4 - 1; ++round) {
        for (const LoadedServer& server : servers) load_echo(context, "echo", server, seconds_a_turn);
        context.tick();
    }
    for (LoadedServer& server : servers) server.process->terminate();

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
