// slow_step: one step of a task, or one callback, that kept its loop for longer than the app's threshold.
#include <algorithm>

#include "evidence.hpp"

namespace coroscope::analysis {

namespace {

// The report of the watchdog that looked at the thread while this step ran.
const model::Report* stall_during(const model::Model& model, const model::LongStep& step) {
    for (const model::Report& report : model.reports())
        if (report.kind == model::Report::Kind::stall && report.task == step.task && report.time_ns >= step.begin_ns &&
            report.time_ns <= step.end_ns)
            return &report;
    return nullptr;
}

// Who was ready and had to wait: the tasks whose next step began after this one, and that were ready before its end.
std::string victims_of(const model::Model& model, const model::LongStep& step) {
    std::size_t count = 0;
    std::uint64_t longest_ns = 0;
    model::TaskId worst = 0;
    for (const auto& loop : model.loops()) {
        if (loop->id != step.loop) continue;
        auto at = std::lower_bound(loop->slices.begin(), loop->slices.end(), step.end_ns,
                                   [](const model::Slice& slice, std::uint64_t time) { return slice.begin_ns < time; });
        for (std::size_t looked = 0; at != loop->slices.end() && looked < 10'000; ++at, ++looked) {
            if (at->ready_ns == 0 || at->ready_ns >= step.end_ns || at->task == step.task) continue;
            ++count;
            const std::uint64_t waited = step.end_ns - std::max(at->ready_ns, step.begin_ns);
            if (waited > longest_ns) {
                longest_ns = waited;
                worst = at->task;
            }
        }
    }
    if (count == 0) return {};
    return "; " + std::to_string(count) + (count == 1 ? " task was" : " tasks were") +
           " ready meanwhile and had to wait, " + task_text(model, worst) + " for " + duration_text(longest_ns);
}

class SlowStep final : public Rule {
public:
    std::string_view kind() const override { return "slow_step"; }
    std::string_view description() const override { return "a step kept its loop for longer than the threshold"; }

    void check(model::AppKey, const model::App& app, std::vector<Problem>& found) const override {
        const model::Model& model = app.model;
        for (const model::LongStep& step : model.long_steps()) {
            if (lost_between(model, step.begin_ns, step.end_ns)) continue;
            Problem problem;
            problem.task = step.task;
            problem.time_ns = step.begin_ns;
            problem.duration_ns = step.end_ns - step.begin_ns;
            const std::vector<Place> began = places(model.stack(step.began_at));
            const std::vector<Place> ended = places(model.stack(step.ended_at));
            problem.stack = began.empty() ? ended : began;
            if (const model::Report* stall = stall_during(model, step))
                problem.native_stack = native_places(model, stall->frames);
            const Place during = innermost(problem.native_stack);
            problem.site = during.line != 0 ? during : innermost(problem.stack);
            const std::string who = task_text(model, step.task);
            problem.summary = "a step of " + who + " kept the loop for " + duration_text(problem.duration_ns);
            if (step.callback) problem.summary = "a callback kept the loop for " + duration_text(problem.duration_ns);
            problem.evidence = "the step took " + duration_text(problem.duration_ns) + " (threshold " +
                               duration_text(model.slow_step_ns()) + ")";
            if (during.line != 0) problem.evidence += "; while it ran the thread was at " + place_text(during);
            if (!began.empty()) problem.evidence += "; it began at " + place_text(innermost(began));
            problem.evidence +=
                ended.empty() ? "; it ended with the end of the task" : "; it ended at " + place_text(innermost(ended));
            problem.evidence += victims_of(model, step);
            problem.advice =
                "Nothing else of this loop runs during a step. Move blocking or long work off the loop with co_await "
                "to_thread(...), use "
                "the awaitable of the same thing (co_await sleep(...), not sleep_for), or split it with co_await "
                "yield().";
            found.push_back(std::move(problem));
        }
    }
};

}  // namespace

const Rule& slow_step_rule() {
    static const SlowStep rule;
    return rule;
}

}  // namespace coroscope::analysis
