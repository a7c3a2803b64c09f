// The runtime beside Boost.Asio: the same work, ours with debug mode off, in standby, on with no agent in reach, on
// with one.
#include "context.hpp"

namespace coroscope::bench {

namespace {

struct Work {
    const char *benchmark, *name, *unit;
    bool is_target;  // on with agent must be faster than Asio
};

constexpr Work works[] = {
    {"await", "await a child", "ns", false},
    {"spawn_join", "spawn + join", "ns", true},
    {"yield", "yield", "ns", false},
    {"pipeline/2", "queue pipeline, 2 stages, an item", "ns", true},
    {"pipeline/3", "queue pipeline, 3 stages, an item", "ns", true},
    {"sleeps", "10,000 sleeps, CPU each", "ns", false},
};

struct Variant {
    const char *program, *name;
    Environment environment;
};

}  // namespace

void bench_runtime(Context& context) {
    const auto agent = context.start_agent("runtime");
    const std::vector<Variant> variants = {
        {"tasks_asio", "Boost.Asio", {}},
        {"tasks", "debug off", context.debug_environment("")},
        {"tasks", "standby", context.debug_environment("standby")},
        {"tasks", "on, no agent", context.debug_environment(context.free_socket("nobody"))},
        {"tasks", "on, with agent", context.debug_environment(context.free_socket("runtime"))}};

    Report& report = context.report;
    const auto row = [](const Work& work, const char* variant) { return std::string(work.name) + ": " + variant; };
    for (const Work& work : works) {
        for (int round = 0; round < context.options.rounds; ++round) {
            for (const Variant& variant : variants) {
                const Measurement measured =
                    measure(context, variant.program, work.benchmark, variant.environment, context.options.seconds);
                report.sample("runtime", row(work, variant.name), work.unit, measured.ns);
                if (work.is_target)  // what a machine without a free core for the agent does not spoil
                    report.sample("runtime", row(work, variant.name) + ": thread CPU", work.unit, measured.cpu_ns);
            }
        }
        context.tick();
    }
    const auto ratio = [&](const std::string& ours, const std::string& theirs) {
        return report.ratio("runtime", ours, theirs);
    };
    for (const Work& work : works) {
        const std::string off = row(work, "debug off"), on = row(work, "on, with agent"),
                          asio = row(work, "Boost.Asio");
        report.figure({"runtime", off + " / Asio", "x", ratio(off, asio), Figure::Limit::none, 0});
        report.figure({"runtime", row(work, "standby / debug off"), "x", ratio(row(work, "standby"), off),
                       Figure::Limit::none, 0});
        report.figure({"runtime", on + " / Asio", "x", ratio(on, asio),
                       work.is_target ? Figure::Limit::at_most : Figure::Limit::none, 1});
        if (!work.is_target) continue;
        report.figure({"runtime", on + " / Asio, thread CPU", "x", ratio(on + ": thread CPU", asio + ": thread CPU"),
                       Figure::Limit::none, 0});
    }
}

}  // namespace coroscope::bench
