// What debug mode costs, in each of its forms, beside the same programs with debug mode off: CPU time of all threads.
#include <unistd.h>

#include <iterator>

#include "servers.hpp"

namespace coroscope::bench {

namespace {

constexpr const char* part = "debug";

struct Form {
    const char* name;
    Environment environment;
};

// Off; in standby; on with an agent; and the other forms are that and something more.
std::vector<Form> forms(Context& context) {
    const Environment on = context.debug_environment(context.free_socket(part));
    const auto and_more = [&](const char* name, const char* value) {
        Environment environment = on;
        environment[name] = value;
        return environment;
    };
    return {{"off", context.debug_environment("")},
            {"standby", context.debug_environment("standby")},
            {"on", on},
            {"profile at 97 Hz", and_more("COROSCOPE_PROFILE", "97")},
            {"blocking calls", and_more("COROSCOPE_BLOCKING", "1")}};
}

std::string row(const std::string& work, const std::string& form) { return work + ": " + form; }

void tasks(Context& context, const std::vector<Form>& all) {
    struct Work {
        const char *benchmark, *name;
    };
    constexpr Work works[] = {{"spawn_join", "spawn + join"}, {"pipeline/2", "queue pipeline, 2 stages"}};
    for (const Work& work : works) {
        for (int round = 0; round < context.options.rounds; ++round)
            for (const Form& form : all)
                context.report.sample(
                    part, row(work.name, form.name), "ns",
                    measure(context, "tasks", work.benchmark, form.environment, context.options.seconds).cpu_ns);
        context.tick();
    }
}

void servers(Context& context, const std::vector<Form>& all) {
    constexpr double seconds_a_turn = 0.3;
    std::vector<LoadedServer> echo, http;
    const bool has_wrk = ::access("/usr/bin/wrk", X_OK) == 0;
    for (const Form& form : all) {
        echo.push_back(start_server(context, row("echo", form.name), {context.program("echo_server_coroscope")},
                                    form.environment));
        if (has_wrk)
            http.push_back(
                start_server(context, row("HTTP", form.name), {context.example("web_server"), "0"}, form.environment));
    }
    if (!has_wrk) context.report.note(part, "HTTP", "not measured: no wrk; " + context.peers_missing_advice());
    for (const LoadedServer& server : echo) load_echo(context, part, server, 0.1, false);
    for (const LoadedServer& server : http) load_http(context, part, server, 1, false);
    for (int round = 0; round < context.options.rounds * 2 + 1; ++round) {
        for (const LoadedServer& server : echo) load_echo(context, part, server, seconds_a_turn);
        context.tick();
    }
    for (int round = 0; round < context.options.rounds; ++round) {
        for (const LoadedServer& server : http) load_http(context, part, server, 1);
        context.tick();
    }
    for (LoadedServer& server : echo) server.process->terminate();
    for (LoadedServer& server : http) server.process->terminate();
}

}  // namespace

void bench_debug(Context& context) {
    const auto agent = context.start_agent(part);
    const std::vector<Form> all = forms(context);
    tasks(context, all);
    servers(context, all);
    Report& report = context.report;
    for (const char* work : {"spawn + join", "queue pipeline, 2 stages", "echo", "HTTP"}) {
        const bool is_server = work == std::string("echo") || work == std::string("HTTP");
        if (report.median(part, row(work, "off")) == 0) continue;
        const auto ratio = [&](const char* of, const char* to) {
            return report.ratio(part, row(work, of), row(work, to));
        };
        report.figure(
            {part, row(work, "standby") + " / off", "x", ratio("standby", "off"), Figure::Limit::at_most, 1.01});
        report.figure({part, row(work, "on") + " / off", "x", ratio("on", "off"),
                       is_server ? Figure::Limit::at_most : Figure::Limit::none, 1.1});
        report.figure({part, row(work, "profile at 97 Hz") + " / on", "x", ratio("profile at 97 Hz", "on"),
                       is_server ? Figure::Limit::at_most : Figure::Limit::none, 1.02});
        report.figure(
            {part, row(work, "blocking calls") + " / on", "x", ratio("blocking calls", "on"), Figure::Limit::none, 0});
    }
}

}  // namespace coroscope::bench
