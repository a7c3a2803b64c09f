// stalled_loop: a step runs right now, and has for longer than the threshold.
#include "evidence.hpp"

namespace coroscope::analysis {

namespace {

class StalledLoop final : public Rule {
public:
    std::string_view kind() const override { return "stalled_loop"; }
    std::string_view description() const override { return "a step is running for too long now"; }

    void check(model::AppKey, const model::App& app, std::vector<Problem>& found) const override {
        const model::Model& model = app.model;
        for (const auto& loop : model.loops()) {
            if (!loop->open_slice || !loop->running) continue;
            const model::Slice& step = *loop->open_slice;
            // The app's own clock: the watchdog's report, or an event of another thread, tells that time went on.
            const std::uint64_t now = model.now_ns();
            if (now <= step.begin_ns || now - step.begin_ns < model.slow_step_ns()) continue;
            if (lost_between(model, step.begin_ns, now)) continue;
            Problem problem;
            problem.task = step.task;
            problem.time_ns = step.begin_ns;
            problem.duration_ns = now - step.begin_ns;
            problem.stack = places(model.stack(step.began_at));
            for (const model::Report& report : model.reports())
                if (report.kind == model::Report::Kind::stall && report.task == step.task &&
                    report.time_ns >= step.begin_ns)
                    problem.native_stack = native_places(model, report.frames);
            const Place during = innermost(problem.native_stack);
            problem.site = during.line != 0 ? during : innermost(problem.stack);
            const std::string end = app.connected ? "" : " (the app is gone)";
            problem.summary = "loop " + std::to_string(loop->id) + " hangs in " + task_text(model, step.task) +
                              " for " + duration_text(problem.duration_ns) + end;
            problem.evidence = "the step began " + duration_text(problem.duration_ns) + " ago and has not ended" + end;
            if (during.line != 0) problem.evidence += "; the thread is at " + place_text(during);
            problem.advice =
                "Look at the native stack: that call blocks the loop. Run it with co_await to_thread(...), or use its "
                "awaitable form.";
            found.push_back(std::move(problem));
        }
    }
};

}  // namespace

const Rule& stalled_loop_rule() {
    static const StalledLoop rule;
    return rule;
}

}  // namespace coroscope::analysis
