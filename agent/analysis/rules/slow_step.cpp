// slow_step: one step of a task, or one callback, that kept its loop for longer than the app's threshold.
//
// The model lists only steps whose begin and end were both seen, with nothing lost between: their length is a fact.
#include <algorithm>

#include "agent/analysis/evidence.hpp"
#include "agent/words/task.hpp"
#include "agent/words/where.hpp"
#include "proto/words/amount.hpp"

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

std::string evidence_of(const model::Model& model, const model::LongStep& step, const Place& during) {
    std::string text = "the step took " + words::duration(step.end_ns - step.begin_ns) + " (threshold " +
                       words::duration(model.slow_step_ns()) + ")";
    if (during.line != 0) text += "; while it ran the thread was at " + place_text(during);
    const words::Where began = words::where(model, step.began_at), ended = words::where(model, step.ended_at);
    if (began.known()) text += (step.callback ? "; it was scheduled " : "; it began ") + words::at_text(began);
    if (!step.callback)
        text += ended.known() ? "; it ended " + words::at_text(ended) : "; it ended with the end of the task";
    if (const Victims victims = victims_of(model, step); victims.count != 0)
        text += "; " + words::counted(victims.count, "task was", "tasks were") + " ready meanwhile and had to wait, " +
                words::task_phrase(model, victims.worst) + " for " + words::duration(victims.longest_ns);
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
        const model::NodeId known_at = model.node(step.began_at) != nullptr ? step.began_at : step.ended_at;
        problem.stack = places(model.stack(known_at));
        if (const model::Report* stall = stalls.during(step.task, step.begin_ns, step.end_ns))
            problem.native_stack = native_places(model, stall->frames);
        const Place during = innermost(problem.native_stack);
        problem.site = in_users_code(during) ? during : user_place(model, known_at);
        const std::string who = step.callback ? "a callback" : "a step of " + words::task_phrase(model, step.task);
        problem.summary = who + " kept the loop for " + words::duration(problem.duration_ns);
        problem.evidence = evidence_of(model, step, during);
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
