#include "servers.hpp"

#include <time.h>

#include <cstdio>
#include <cstdlib>
#include <stdexcept>

namespace coroscope::bench {

namespace {

constexpr int connections = 100;

double cpu_seconds(pid_t process) {
    clockid_t clock{};
    timespec time{};
    if (::clock_getcpuclockid(process, &clock) != 0 || ::clock_gettime(clock, &time) != 0)
        throw std::runtime_error("a server has ended under load");
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

// The number that follows `label` in what wrk printed; 0: wrk had nothing to say about it.
double number_after(const std::string& text, const std::string& label) {
    const std::size_t at = text.find(label);
    return at == std::string::npos ? 0 : std::strtod(text.c_str() + at + label.size(), nullptr);
}

double number_before(const std::string& text, const std::string& label) {
    const std::size_t at = text.find(label);
    if (at == std::string::npos) return 0;
    return std::strtod(text.c_str() + text.find_last_of("\n", at) + 1, nullptr);
}

}  // namespace

LoadedServer start_server(const Context& context, const std::string& name, const std::vector<std::string>& command,
                          const Environment& environment) {
    LoadedServer server;
    server.name = name;
    server.process = std::make_unique<Child>(command, environment, context.log());
    const auto line = server.process->line(std::chrono::seconds(10));
    if (!line) throw std::runtime_error(command.back() + " does not start; see " + context.log());
    server.port = line->substr(line->find_last_not_of("0123456789") + 1);
    return server;
}

void load_echo(Context& context, const std::string& part, const LoadedServer& server, double seconds, bool count) {
    const std::string output = run_child({context.program("echo_load"), server.port, std::to_string(connections),
                                          std::to_string(seconds), std::to_string(server.process->pid())},
                                         {}, context.log());
    double cpu_ns = 0, requests = 0;
    if (std::sscanf(output.c_str(), "%lf %lf", &cpu_ns, &requests) != 2) {
        throw std::runtime_error("echo_load measured nothing; see " + context.log());
    }
    if (!count) return;
    context.report.sample(part, server.name, "ns CPU/req", cpu_ns);
    context.report.sample(part, server.name + ": throughput", "requests/s", requests);
}

void load_http(Context& context, const std::string& part, const LoadedServer& server, int seconds, bool count) {
    const double before = cpu_seconds(server.process->pid());
    const std::string output =
        run_child({"/usr/bin/wrk", "-t1", "-c" + std::to_string(connections), "-d" + std::to_string(seconds) + "s",
                   "http://127.0.0.1:" + server.port + "/Rosa"},
                  {}, context.log());
    const double cpu = cpu_seconds(server.process->pid()) - before;
    const double requests = number_before(output, " requests in");
    if (requests < 1) throw std::runtime_error("wrk got no answer from " + server.name);
    if (!count) return;
    context.report.sample(part, server.name, "ns CPU/req", cpu * 1e9 / requests);
    context.report.sample(part, server.name + ": throughput", "requests/s", number_after(output, "Requests/sec:"));
    const double errors = number_after(output, "connect ") + number_after(output, ", read ") +
                          number_after(output, ", write ") + number_after(output, ", timeout ") +
                          number_after(output, "Non-2xx or 3xx responses:");
    context.report.sample(part, server.name + ": errors", "", errors);
}

}  // namespace coroscope::bench
