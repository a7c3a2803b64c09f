// slow_step: one step of a task, or one callback, that kept its loop for longer than the app's threshold.
//
// A step that was long because its thread had no CPU is not told here, but by no_cpu. The model lists only steps whose
// begin and end were both seen, with nothing lost between: their length is a fact.
#include <algorithm>

#include "agent/analysis/evidence.hpp"
#include "agent/words/task.hpp"
#include "agent/words/where.hpp"
#include "proto/words/amount.hpp"

namespace coroscope::analysis::rule {

namespace {

// Whether it computed, waited, or both.
std::string cost_text(const model::LongStep& step) {
    if (!step.measured) return {};
    const std::string cpu = words::between(step.cpu_least_ns, step.cpu_most_ns);
    std::string text = step.cpu_least_ns >= step.took_ns() / 2 ? "; it computed for " + cpu + " of that (CPU time)"
                                                               : "; it had " + cpu + " of CPU time";
    if (step.no_cpu_ns >= step.took_ns() / 10)
        text += "; for at least " + words::duration(step.no_cpu_ns) + " the process was stopped or got no CPU";
    return text;
}

std::string evidence_of(const model::Model& model, const model::LongStep& step, const std::string& during) {
    std::string text = "the step took " + words::duration(step.took_ns()) + " (threshold " +
                       words::duration(model.slow_step_ns()) + ")" + cost_text(step) + during;
    const words::Where began = words::where(model, step.began_at), ended = words::where(model, step.ended_at);
    if (began.known()) text += (step.callback ? "; it was scheduled " : "; it began ") + words::at_text(began);
    if (!step.callback)
        text += ended.known() ? "; it ended " + words::at_text(ended) : "; it ended with the end of the task";
    if (const Victims victims = victims_of(model, step); victims.count != 0)
        text += "; " + words::counted(victims.count, "task was", "tasks were") + " ready meanwhile and had to wait, " +
                words::task_phrase(model, victims.worst) + " for " + words::duration(victims.longest_ns);
    return text;
}

void check_slow_step(const Rule&, const Inspection& seen, std::vector<Problem>& found) {
    const model::Model& model = seen.model;
    const Stalls stalls(model);
    for (const model::LongStep& step : model.long_steps()) {
        if (had_no_cpu(model, step)) continue;  // no_cpu tells it
        Problem problem;
        problem.task = step.task;
        problem.time_ns = step.begin_ns;
        problem.duration_ns = step.took_ns();
        const model::NodeId known_at = model.node(step.began_at) != nullptr ? step.began_at : step.ended_at;
        problem.stack = places(model.stack(known_at));
        const model::Report* stall = stalls.during(step.task, step.loop, step.begin_ns, step.end_ns);
        if (stall != nullptr) problem.native_stack = native_places(model, stall->frames);
        const Place during = innermost(problem.native_stack);
        problem.site = in_users_code(during) ? during : user_place(model, known_at);
        const std::string who = step.callback ? "a callback" : "a step of " + words::task_phrase(model, step.task);
        problem.summary = who + " kept the loop for " + words::duration(problem.duration_ns);
        problem.evidence = evidence_of(model, step, stall_text(stall, problem.native_stack, "was"));
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
    .check = check_slow_step,
};

}  // namespace coroscope::analysis::rule
