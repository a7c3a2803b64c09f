// What every part of the benchmark gets: where programs are, how long and how often to measure, where results go.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "child.hpp"
#include "report.hpp"
#include "tests/support/temporary_directory.hpp"

namespace coroscope::bench {

struct Options {
    int rounds = 5;         // each variant is measured so often, in turn with the others
    double seconds = 0.08;  // of one measurement
    std::string json_directory;
    std::regex chosen{""};
};

class Context {
public:
    Context(Options options, std::string bin_directory);

    Options options;
    Report report;

    std::string program(const std::string& name) const;  // one of ours: <bin>/bench/NAME
    std::string example(const std::string& name) const;  // one of ours: <bin>/examples/NAME
    std::string coroscope() const;                       // the agent and its commands
    // How a peer's program is called: one in <bin>/bench, or a script there for Debian's Python. Nothing if it was not
    // built, or what it needs is not installed: then it is left out.
    std::optional<std::vector<std::string>> peer(const std::string& program, const char* option);
    std::string missing_peers() const;  // what was left out so far
    std::string peers_missing_advice() const { return "install with ./dev setup bench, then build anew"; }
    std::string directory() const { return directory_.path().string(); }  // for sockets and files, removed at the end
    const std::string& log() const { return log_; }
    // Environment for COROSCOPE=`value`; "": debug mode off.
    Environment debug_environment(const std::string& value) const;
    void tick() const;  // one dot on stderr: it goes on
    // A path for a unix socket that nobody listens on.
    std::string free_socket(const std::string& name) const { return "unix:" + directory_.file(name + ".sock"); }
    // An agent of its own, listening on free_socket(name).
    std::unique_ptr<Child> start_agent(const std::string& name) const;

private:
    std::string existing(const std::string& path) const;

    std::string bin_;
    std::set<std::string> missing_;
    std::optional<bool> has_uvloop_;
    test::TemporaryDirectory directory_;
    std::string log_;
};

// One Google Benchmark function in a process of its own: its real (or manual) time in ns an operation, and its
// counters; the median's, if the program repeats it. `seconds` 0: it knows itself how long.
struct Measurement {
    double ns = 0;
    double cpu_ns = 0;  // of the thread that ran it
    std::map<std::string, double> counters;
};
Measurement measure(const Context& context, const std::string& program, const std::string& benchmark,
                    const Environment& environment, double seconds = 0);

// The parts. Each adds its rows and figures to context.report.
void bench_hook(Context& context);
void bench_encode(Context& context);
void bench_fold(Context& context);
void bench_end_to_end(Context& context);
void bench_runtime(Context& context);
void bench_runtime_peers(Context& context);
void bench_runtime_uncontended(Context& context);
void bench_runtime_memory(Context& context);
void bench_runtime_echo(Context& context);
void bench_runtime_http(Context& context);
void bench_fairness(Context& context);
void bench_echo(Context& context);
void bench_debug(Context& context);
void bench_memory(Context& context);

}  // namespace coroscope::bench
