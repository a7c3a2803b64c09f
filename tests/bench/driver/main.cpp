// coroscope-bench: runs the benchmarks, prints one table with medians, ratios and targets, and writes JSON.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <exception>
#include <filesystem>

#include "context.hpp"

namespace {

using coroscope::bench::Context;

struct Part {
    const char* name;
    const char* about;
    void (*run)(Context&);
};

constexpr Part parts[] = {
    {"hook", "one probe hook, off and on, beside a bare ring", coroscope::bench::bench_hook},
    {"encode", "records to a serialised batch", coroscope::bench::bench_encode},
    {"fold", "batches to the model", coroscope::bench::bench_fold},
    {"end_to_end", "the highest event rate from an app to the agent's model without a loss",
     coroscope::bench::bench_end_to_end},
    {"runtime", "tasks, queues, timers: debug off, standby, on without and with an agent, and Boost.Asio",
     coroscope::bench::bench_runtime},
    {"runtime_peers", "tasks, queues, timers, cancellation: debug off, beside Asio, libuv, Go, asyncio, uvloop",
     coroscope::bench::bench_runtime_peers},
    {"runtime_uncontended", "locks and queues that no task waits for: debug off and on",
     coroscope::bench::bench_runtime_uncontended},
    {"runtime_memory", "bytes a sleeping task; what a task costs among 1e3 to 1e6",
     coroscope::bench::bench_runtime_memory},
    {"runtime_echo", "a TCP echo server's CPU a request, beside the peers' servers",
     coroscope::bench::bench_runtime_echo},
    {"runtime_http", "the web server's CPU a request under wrk, beside the peers' servers",
     coroscope::bench::bench_runtime_http},
    {"fairness", "how long others wait beside a busy task that yields: debug off, beside Asio, Go, asyncio",
     coroscope::bench::bench_fairness},
    {"echo", "a TCP echo server's CPU a request, beside raw epoll and Boost.Asio", coroscope::bench::bench_echo},
    {"debug", "what debug mode costs in each of its forms: tasks, queues, servers", coroscope::bench::bench_debug},
    {"memory", "what an app without an agent grows by", coroscope::bench::bench_memory},
};

std::string own_directory() { return std::filesystem::read_symlink("/proc/self/exe").parent_path().string(); }

void list() {
    for (const Part& part : parts) std::printf("%-19s %s\n", part.name, part.about);
}

void run_part(Context& context, const Part& part) {
    const auto began = std::chrono::steady_clock::now();
    std::fprintf(stderr, "%-19s ", part.name);
    try {
        part.run(context);
    } catch (const std::exception& error) {
        context.report.failure(part.name, error.what());
    }
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
    std::fprintf(stderr, "%5.1f s\n", took.count());
}

int run(coroscope::bench::Options options, const std::string& bin) {
    Context context(std::move(options), bin);
    bool any = false;
    for (const Part& part : parts) {
        if (!std::regex_search(part.name, context.options.chosen)) continue;
        any = true;
        run_part(context, part);
    }
    if (!any) {
        std::fprintf(stderr, "coroscope-bench: no part has such a name; --list names them\n");
        return 2;
    }
    context.report.print_table();
    context.report.write_json(context.options.json_directory);
    const std::size_t missed = context.report.missed(), failed = context.report.failures();
    std::printf("%zu missed, %zu not measured; JSON in %s\n", missed, failed, context.options.json_directory.c_str());
    return failed == 0 ? 0 : 1;  // a miss is a result, not a failure of the run
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app("Runs the benchmarks in turn and prints medians, ratios and which targets are met.",
                 "coroscope-bench");
    coroscope::bench::Options options;
    std::string regex;
    bool only_list = false;
    options.json_directory = own_directory() + "/../bench";
    app.add_option("REGEX", regex, "Only parts whose name it matches");
    app.add_option("--rounds", options.rounds, "How often each variant is measured")
        ->check(CLI::Range(1, 1000))
        ->capture_default_str();
    app.add_option("--seconds", options.seconds, "Of one measurement")
        ->check(CLI::Range(0.01, 60.0))
        ->capture_default_str();
    app.add_option("--json", options.json_directory, "Directory of the JSON files");
    app.add_flag("--list", only_list, "Say which parts there are");
    app.footer("tests/bench/README.md says what each row means. Exit code 0: all was measured, met or missed.");
    CLI11_PARSE(app, argc, argv);
    if (only_list) {
        list();
        return 0;
    }
    try {
        options.chosen = std::regex(regex);
        options.json_directory = std::filesystem::weakly_canonical(options.json_directory).string();
        return run(std::move(options), own_directory());
    } catch (const std::exception& error) {
        std::fprintf(stderr, "coroscope-bench: %s\n", error.what());
        return 1;
    }
}
