// How long others wait beside a task that is busy and yields: our runtime and its peers, in turn.
#include <algorithm>
#include <cstdlib>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "context.hpp"

namespace coroscope::bench {

namespace {

constexpr const char* part = "fairness";
constexpr const char *ours = "coroscope", *asio = "Asio", *go = "Go", *asyncio = "asyncio";

struct Work {
    const char *word, *name;  // what the programs call it; in the table
};

constexpr Work works[] = {
    {"sleep_5ms", "sleep, beside steps of 5 ms"},
    {"sleep_0", "sleep, beside bare yields"},
    {"echo_5ms", "echo, beside steps of 5 ms"},
    {"echo_0", "echo, beside bare yields"},
    {"threadsafe_5ms", "call from a thread, beside steps of 5 ms"},
    {"threadsafe_0", "call from a thread, beside bare yields"},
};

struct Runtime {
    const char *name, *program;
};

constexpr Runtime runtimes[] = {
    {ours, "fairness"}, {asio, "fairness_asio"}, {go, "fairness_go"}, {asyncio, "fairness.py"}};

std::string row(const Work& work, const char* runtime) { return std::string(work.name) + ": " + runtime; }

std::optional<std::vector<std::string>> command_of(Context& context, const Runtime& runtime) {
    if (runtime.name == ours) return std::vector<std::string>{context.program(runtime.program)};
    return context.peer(runtime.program, nullptr);
}

// The 95th percentile of the latencies, in us. Nothing: the peer is not there.
std::optional<double> measure_once(Context& context, const Runtime& runtime, const Work& work) {
    constexpr double times_longer = 6;  // beside steps of 5 ms a latency takes up to 15 ms
    std::optional<std::vector<std::string>> command = command_of(context, runtime);
    if (!command) return std::nullopt;
    command->push_back(work.word);
    command->push_back(std::to_string(context.options.seconds * times_longer));
    const std::string output = run_child(*command, context.debug_environment(""), context.log());
    const double ns = std::strtod(output.c_str(), nullptr);
    if (ns <= 0) {
        throw std::runtime_error(std::string(runtime.program) + " " + work.word + " measured nothing; see " +
                                 context.log());
    }
    return ns / 1000;
}

// Twice what asyncio's users know is no fault, nor is anything below a millisecond.
void figure(Report& report, const Work& work) {
    if (!report.has(part, row(work, asyncio))) return;
    constexpr double always_good_us = 1000;
    const double limit_us = std::max(2 * report.median(part, row(work, asyncio)), always_good_us);
    report.figure({part, std::string(work.name) + ": / max(2 x asyncio, 1 ms)", "x",
                   report.median(part, row(work, ours)) / limit_us, Figure::Limit::at_most, 1});
}

}  // namespace

void bench_fairness(Context& context) {
    Report& report = context.report;
    report.grid(part, {ours, asio, go, asyncio});
    std::vector<const Runtime*> left;
    for (const Runtime& runtime : runtimes) left.push_back(&runtime);
    for (const Work& work : works) {
        for (int round = 0; round < context.options.rounds; ++round) {
            std::erase_if(left, [&](const Runtime* runtime) {
                const std::optional<double> us = measure_once(context, *runtime, work);
                if (us) report.sample(part, row(work, runtime->name), "us", *us);
                return !us;
            });
        }
        context.tick();
        figure(report, work);
    }
    if (const auto missing = context.missing_peers(); !missing.empty())
        report.note(part, row(works[0], ours), missing + ": " + context.peers_missing_advice());
}

}  // namespace coroscope::bench
