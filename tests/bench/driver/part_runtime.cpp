// The runtime beside Boost.Asio: the same work, ours with debug mode off, on with no agent in reach, on with one.
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
        {"asio_tasks", "Boost.Asio", {}},
        {"tasks", "debug off", context.debug_environment("")},
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
            }
        }
        context.tick();
    }
    for (const Work& work : works) {
        const double asio = report.median("runtime", row(work, "Boost.Asio"));
        for (const char* variant : {"debug off", "on, with agent"}) {
            const bool target = work.is_target && variant == std::string("on, with agent");
            report.figure({"runtime", row(work, variant) + " / Asio", "x",
                           report.median("runtime", row(work, variant)) / asio,
                           target ? Figure::Limit::at_most : Figure::Limit::none, 1});
        }
    }
}

}  // namespace coroscope::bench
