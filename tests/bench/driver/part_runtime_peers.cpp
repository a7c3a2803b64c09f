// The runtime, debug mode off, beside its peers: every work on every runtime, in turn.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <stdexcept>

#include "context.hpp"

namespace coroscope::bench {

namespace {

constexpr const char* part = "runtime_peers";
constexpr const char *ours = "coroscope", *asio = "Asio", *asio_usual = "Asio usual", *libuv = "libuv", *go = "Go",
                     *asyncio = "asyncio", *uvloop = "uvloop";

struct Work {
    const char* benchmark;   // of programs/tasks.cpp and peers/tasks_asio.cpp
    const char* peers_word;  // of the other peers' programs
    const char *name, *unit;
    double target;     // ours / the best peer with tasks, at most; 0: none
    double published;  // the best figure of TooManyCooks, libcoro, Cobalt, cppcoro, concurrencpp or tokio / Asio's; 0:
                       // none
    bool takes_long;   // fewer rounds, one for Python
};

// `published` is from one run over all of them on another machine (g++ 12.2 -O2, clang for TooManyCooks).
constexpr Work works[] = {
    {"await", "await", "await a child", "ns", 0.75, 11.1 / 14.7, false},
    {"fib", "fib", "fib, a call", "ns", 0.75, 13.2 / 20.5, false},
    {"spawn_join", "spawn_join", "spawn + join, one at a time", "ns", 0.9, 23.0 / 322, false},
    {"spawn_cold/1000000/0/.*", "spawn_cold", "spawn 1e6 (Python 1e5) + join, cold", "ns", 0, 123.0 / 821, true},
    {"spawn_warm/1000000/1/.*", "spawn_warm", "spawn 1e6 (Python 1e5) + join, warm", "ns", 0.9, 64.0 / 383, true},
    {"gather", "gather", "gather 1e5, each", "ns", 0.9, 80.0 / 2219, true},
    {"yield", "yield", "yield", "ns", 0.3, 14.0 / 70, false},
    {"switch", "switch", "ping-pong, a switch", "ns", 0.3, 15.0 / 393, false},
    {"pipeline/3", "pipeline", "two-queue pipeline, an item", "ns", 0.2, 51.0 / 765, false},
    {"sleeps_many/100000", "sleeps_1e5", "1e5 sleeps, CPU each", "ns", 0.5, 3143.0 / 8894, true},
    {"sleeps_many/1000000", "sleeps_1e6", "1e6 sleeps, CPU each", "ns", 0.5, 1819.0 / 2729, true},
    {"timeout", "timeout", "timeout, made and taken off", "ns", 0.1, 479.0 / 5816, false},
    {"cancel", "cancel", "cancel + join, by exception", "ns", 0, 0, false},
    {"cancel_unwind", nullptr, "cancel + join, by unwinding", "ns", 0, 354.0 / 3824, false},
};

struct Runtime {
    const char* name;
    const char *program, *option;  // nullptr: Google Benchmark programs of ours
    bool has_tasks;                // a rival; libuv has callbacks only
};

constexpr Runtime runtimes[] = {{ours, "tasks", nullptr, true},
                                {asio, "tasks_asio", nullptr, true},
                                {asio_usual, "tasks_asio_usual", nullptr, true},
                                {libuv, "tasks_libuv", nullptr, false},
                                {go, "tasks_go", nullptr, true},
                                {asyncio, "tasks.py", nullptr, true},
                                {uvloop, "tasks.py", "--uvloop", true}};

bool is_google_benchmark(const Runtime& runtime) {
    return runtime.name == ours || runtime.name == asio || runtime.name == asio_usual;
}
bool is_python(const Runtime& runtime) { return runtime.name == asyncio || runtime.name == uvloop; }

std::string row(const Work& work, const char* runtime) { return std::string(work.name) + ": " + runtime; }

// A peer's program prints one number, or leaves with 3: it has no such thing. Nothing then.
std::optional<double> measure_peer(Context& context, const Runtime& runtime, const std::string& word) {
    std::optional<std::vector<std::string>> command = context.peer(runtime.program, runtime.option);
    if (!command) return std::nullopt;
    command->push_back(word);
    command->push_back(std::to_string(context.options.seconds));
    Child child(*command, {}, context.log());
    const std::string output = child.rest(std::chrono::seconds(60));
    const int code = child.wait(std::chrono::seconds(20));
    if (code == 3) return std::nullopt;
    if (code != 0)
        throw std::runtime_error(std::string(runtime.program) + " " + word + " failed; see " + context.log());
    return std::strtod(output.c_str(), nullptr);
}

std::optional<double> measure_once(Context& context, const Runtime& runtime, const Work& work) {
    if (!is_google_benchmark(runtime)) {
        if (work.peers_word == nullptr) return std::nullopt;
        return measure_peer(context, runtime, work.peers_word);
    }
    if (work.peers_word == nullptr && runtime.name != ours) return std::nullopt;
    const bool counts_itself = work.takes_long;
    return measure(context, runtime.program, work.benchmark, context.debug_environment(""),
                   counts_itself ? 0 : context.options.seconds)
        .ns;
}

void figures(Report& report, const Work& work) {
    const char* best = nullptr;
    for (const Runtime& runtime : runtimes) {
        if (runtime.name == ours || !runtime.has_tasks || !report.has(part, row(work, runtime.name))) continue;
        if (best == nullptr || report.median(part, row(work, runtime.name)) < report.median(part, row(work, best)))
            best = runtime.name;
    }
    if (best != nullptr) {
        const double ratio = report.ratio(part, row(work, ours), row(work, best));
        report.figure({part, std::string(work.name) + ": / best peer, " + best, "x", ratio,
                       work.target > 0 ? Figure::Limit::at_most : Figure::Limit::none, work.target});
    }
    if (work.benchmark == std::string("cancel")) {
        report.figure({part, std::string(work.name) + ": / Asio", "x",
                       report.ratio(part, row(work, ours), row(work, asio)), Figure::Limit::at_most, 0.75});
    }
    if (work.published > 0 && work.target > 0) {
        report.figure({part, std::string(work.name) + ": / Asio usual, best published", "x",
                       report.ratio(part, row(work, ours), row(work, asio_usual)), Figure::Limit::at_most,
                       work.published * work.target});
    }
}

}  // namespace

void bench_runtime_peers(Context& context) {
    Report& report = context.report;
    report.grid(part, {ours, asio, asio_usual, libuv, go, asyncio, uvloop});
    for (const Work& work : works) {
        const int rounds = work.takes_long ? std::max(1, context.options.rounds - 2) : context.options.rounds;
        std::vector<const Runtime*> left;
        for (const Runtime& runtime : runtimes) left.push_back(&runtime);
        for (int round = 0; round < rounds; ++round) {
            std::erase_if(left, [&](const Runtime* runtime) {
                if (work.takes_long && round > 0 && is_python(*runtime)) return true;
                const std::optional<double> ns = measure_once(context, *runtime, work);
                if (ns) report.sample(part, row(work, runtime->name), work.unit, *ns);
                return !ns;
            });
        }
        context.tick();
        figures(report, work);
    }
    if (const auto missing = context.missing_peers(); !missing.empty())
        report.note(part, std::string("await a child: ") + ours, missing + ": " + context.peers_missing_advice());
}

// What a sleeping task takes, and whether starting and joining one stays as cheap when there are many.
void bench_runtime_memory(Context& context) {
    Report& report = context.report;
    const std::string memory = "runtime_memory";
    report.grid(memory, {ours, asio, asio_usual, libuv, go, asyncio, uvloop});
    constexpr const char* counts[] = {"1e3", "1e4", "1e5", "1e6"};
    constexpr const char* numbers[] = {"1000", "10000", "100000", "1000000"};
    const auto name = [](const char* what, const char* count, const char* runtime) {
        return std::string(what) + ", " + count + ": " + runtime;
    };
    for (std::size_t i = 0; i < std::size(counts); ++i) {
        for (const Runtime& runtime : runtimes) {
            for (int round = 0; round < (is_python(runtime) ? 1 : 3); ++round) {
                if (is_google_benchmark(runtime)) {
                    const Environment off = context.debug_environment("");
                    const std::string number = numbers[i];
                    const Measurement bytes = measure(context, runtime.program, "bytes/" + number + "/.*", off);
                    report.sample(memory, name("bytes a sleeping task", counts[i], runtime.name), "B",
                                  bytes.counters.at("bytes"));
                    const Measurement ns = measure(context, runtime.program, "growth/" + number, off, 0.05);
                    report.sample(memory, name("spawn, yield, join", counts[i], runtime.name), "ns", ns.ns);
                    continue;
                }
                if (const auto bytes = measure_peer(context, runtime, std::string("bytes_") + counts[i]))
                    report.sample(memory, name("bytes a sleeping task", counts[i], runtime.name), "B", *bytes);
                if (const auto ns = measure_peer(context, runtime, std::string("growth_") + counts[i]))
                    report.sample(memory, name("spawn, yield, join", counts[i], runtime.name), "ns", *ns);
            }
            context.tick();
        }
    }
    report.figure({memory, "bytes a sleeping task, of 1e5", "B",
                   report.median(memory, name("bytes a sleeping task", "1e5", ours)), Figure::Limit::at_most, 256});
    report.figure(
        {memory, "bytes a sleeping task, of 1e6 / of 1e4", "x",
         report.ratio(memory, name("bytes a sleeping task", "1e6", ours), name("bytes a sleeping task", "1e4", ours)),
         Figure::Limit::at_most, 1.1});
}

}  // namespace coroscope::bench
