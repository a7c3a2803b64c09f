// Locks, queues and the like that no task waits for: debug mode off, and on with nobody listening.
#include "context.hpp"

namespace coroscope::bench {

namespace {

struct Work {
    const char *benchmark, *name;
};

constexpr Work works[] = {
    {"lock", "lock, acquire + release"},
    {"lock_awaited", "lock, acquire + release, awaited"},
    {"semaphore", "semaphore, acquire + release"},
    {"queue", "queue, put + get"},
    {"queue_awaited", "queue, put + get, awaited"},
    {"event", "event, set + clear"},
};

}  // namespace

void bench_runtime_uncontended(Context& context) {
    const Environment off = context.debug_environment("");
    const Environment on = context.debug_environment(context.free_socket("nobody"));
    Report& report = context.report;
    for (const Work& work : works) {
        const std::string row_off = std::string(work.name) + ": debug off", row_on = std::string(work.name) + ": on";
        for (int round = 0; round < context.options.rounds; ++round) {
            const auto ns = [&](const Environment& environment) {
                return measure(context, "uncontended", work.benchmark, environment, context.options.seconds).cpu_ns;
            };
            report.sample("runtime_uncontended", row_off, "ns", ns(off));
            report.sample("runtime_uncontended", row_on, "ns", ns(on));
        }
        context.tick();
        const double more =
            report.median("runtime_uncontended", row_on) - report.median("runtime_uncontended", row_off);
        report.figure({"runtime_uncontended", std::string(work.name) + ", on - off", "ns", more, Figure::Limit::at_most,
                       4});  // two operations, 2 ns each
    }
}

}  // namespace coroscope::bench
