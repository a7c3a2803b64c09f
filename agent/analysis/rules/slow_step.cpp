// slow_step: one step of a task, or one callback, that kept its loop for longer than the app's threshold.
//
// The model lists only steps whose begin and end were both seen, with nothing lost between: their length is a fact.
#include <algorithm>

#include "agent/analysis/evidence.hpp"

namespace coroscope::analysis::rule {

namespace {

// Who was ready while the step ran and had to wait for its end.
struct Victims {
    std::size_t count = 0;
    model::TaskId worst = 0;
    std::uint64_t longest_ns = 0;
};

Victims victims_of(const model::Model& model, const model::LongStep& step) {
    Victims victims;
    for (const auto& loop : model.loops()) {
        if (loop->id != step.loop) continue;
        auto at = std::lower_bound(loop->slices.begin(), loop->slices.end(), step.end_ns,
                                   [](const model::Slice& slice, std::uint64_t time) { return slice.begin_ns < time; });
        // A loop runs what is ready in order: after the first that became ready later, there is none.
        for (; at != loop->slices.end() && at->ready_ns < step.end_ns; ++at) {
            if (at->ready_ns == 0 || at->task == step.task) continue;
            ++victims.count;
            const std::uint64_t waited_ns = step.end_ns - std::max(at->ready_ns, step.begin_ns);
            if (waited_ns <= victims.longest_ns) continue;
            victims.longest_ns = waited_ns;
            victims.worst = at->task;
        }
    }
    return victims;
}

std::string evidence_of(const model::Model& model, const model::LongStep& step, const Place& during,
                        const std::vector<Place>& began, const std::vector<Place>& ended) {
    std::string text = "the step took " + duration_text(step.end_ns - step.begin_ns) + " (threshold " +
                       duration_text(model.slow_step_ns()) + ")";
    if (during.line != 0) text += "; while it ran the thread was at " + place_text(during);
    if (step.callback) {
        if (!began.empty()) text += "; it was scheduled at " + place_text(innermost(began));
    } else {
        if (!began.empty()) text += "; it began at " + place_text(innermost(began));
        text += ended.empty() ? "; it ended with the end of the task" : "; it ended at " + place_text(innermost(ended));
    }
    if (const Victims victims = victims_of(model, step); victims.count != 0)
        text += "; " + count_text(victims.count, "task was", "tasks were") + " ready meanwhile and had to wait, " +
                task_text(model, victims.worst) + " for " + duration_text(victims.longest_ns);
    return text;
}

void check(const Rule&, const model::App& app, std::vector<Problem>& found) {
    const model::Model& model = app.model;
    const Stalls stalls(model);
    for (const model::LongStep& step : model.long_steps()) {
        Problem problem;
        problem.task = step.task;
        problem.time_ns = step.begin_ns;
        problem.duration_ns = step.end_ns - step.begin_ns;
        const std::vector<Place> began = places(model.stack(step.began_at));
        const std::vector<Place> ended = places(model.stack(step.ended_at));
        problem.stack = began.empty() ? ended : began;
        if (const model::Report* stall = stalls.during(step.task, step.begin_ns, step.end_ns))
            problem.native_stack = native_places(model, stall->frames);
        const Place during = innermost(problem.native_stack);
        problem.site = in_users_code(during) ? during : innermost(problem.stack);
        const std::string who = step.callback ? "a callback" : "a step of " + task_text(model, step.task);
        problem.summary = who + " kept the loop for " + duration_text(problem.duration_ns);
        problem.evidence = evidence_of(model, step, during, began, ended);
        problem.advice =
            "Nothing else of this loop runs during a step. Move blocking or long work off the loop with co_await "
            "to_thread(...), use the awaitable of the same thing (co_await sleep(...), not sleep_for), or split it "
            "with co_await yield().";
        found.push_back(std::move(problem));
    }
}

}  // namespace

extern const Rule slow_step{
    .name = "slow_step",
    .finds = "a step kept its loop for longer than the threshold",
    .severity = Severity::warning,
    .ongoing = false,
    .check = check,
};

}  // namespace coroscope::analysis::rule
