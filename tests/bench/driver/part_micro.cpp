// The parts that are one thread's work: hook, encode, fold.
#include <algorithm>

#include "context.hpp"

namespace coroscope::bench {

void bench_hook(Context& context) {
    struct Variant {
        const char *benchmark, *name;
    };
    constexpr Variant variants[] = {{"empty", "empty loop"},
                                    {"off", "hook off"},
                                    {"stamp", "rdtsc"},
                                    {"bare_ring", "rdtsc + bare ring write"},
                                    {"on", "hook on"}};
    Report& report = context.report;
    const int rounds = context.options.rounds * 2 + 1;  // short, and the differences are small
    for (int round = 0; round < rounds; ++round) {
        for (const Variant& variant : variants) {
            const Measurement measured = measure(context, "hook", variant.benchmark, context.debug_environment(""));
            report.sample("hook", variant.name, "ns", measured.ns);
        }
        context.tick();
    }
    // One cycle more or less: the processor's clock changes more between two runs. The least of each is at its fastest.
    const double off = report.least("hook", "hook off") - report.least("hook", "empty loop");
    report.figure({"hook", "off - empty loop", "ns", off, Figure::Limit::at_most, 0.5});
    const double ratio = report.ratio("hook", "hook on", "rdtsc + bare ring write");
    report.figure({"hook", "on / (rdtsc + bare ring write)", "x", ratio, Figure::Limit::at_most, 1.15});
}

void bench_encode(Context& context) {
    Report& report = context.report;
    struct Variant {
        const char *benchmark, *name;
    };
    constexpr Variant variants[] = {{"encode/steps", "steps of long-lived tasks"},
                                    {"encode/short_lived", "short-lived tasks"}};
    for (int round = 0; round < context.options.rounds; ++round) {
        for (const Variant& variant : variants) {
            const Measurement measured =
                measure(context, "encode", variant.benchmark, context.debug_environment(""), context.options.seconds);
            report.sample("encode", variant.name, "ns/event", 1e9 / measured.counters.at("events"));
            report.sample("encode", std::string(variant.name) + ": size", "bytes/event",
                          measured.counters.at("bytes_per_event"));
        }
        context.tick();
    }
}

void bench_fold(Context& context) {
    Report& report = context.report;
    struct Variant {
        const char *benchmark, *name;
    };
    constexpr Variant variants[] = {{"BM_fold_spawn_and_join", "short-lived tasks"},
                                    {"BM_fold_ping_pong/1000", "steps of a thousand tasks"},
                                    {"BM_fold_ping_pong/1000000", "steps of a million tasks"},
                                    {"BM_parse_and_fold_spawn_and_join", "from bytes: short-lived tasks"},
                                    {"BM_parse_and_fold_ping_pong/1000", "from bytes: steps of a thousand tasks"}};
    for (int round = 0; round < context.options.rounds; ++round) {
        for (const Variant& variant : variants) {
            const Measurement measured =
                measure(context, "fold", variant.benchmark, context.debug_environment(""), context.options.seconds);
            report.sample("fold", variant.name, "M events/s", measured.counters.at("items_per_second") / 1e6);
        }
        context.tick();
    }
    double slowest = report.median("fold", variants[0].name);
    for (const Variant& variant : variants) slowest = std::min(slowest, report.median("fold", variant.name));
    report.figure({"fold", "slowest of these", "M events/s", slowest, Figure::Limit::at_least, 7});
}

}  // namespace coroscope::bench
