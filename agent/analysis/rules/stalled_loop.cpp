// stalled_loop: a step runs right now, and has for longer than the threshold.
//
// "Now" is the newest time the app told: the watchdog's report of the hang, or an event of another thread. A step of
// which the begin was lost is not known to run.
#include <algorithm>

#include "agent/analysis/evidence.hpp"
#include "agent/words/task.hpp"
#include "agent/words/where.hpp"
#include "proto/words/amount.hpp"

namespace coroscope::analysis::rule {

namespace {

// The time up to which its loop is known to have run: a crash is the end.
std::uint64_t known_until_ns(const model::Model& model) {
    for (const model::Report& report : model.reports())
        if (report.kind == model::ReportKind::crashed) return std::min(report.time_ns, model.now_ns());
    return model.now_ns();
}

Problem problem_of(const model::App& app, const model::Loop& loop, const model::Slice& step, std::uint64_t lasts_ns) {
    const model::Model& model = app.model;
    Problem problem;
    problem.task = step.task;
    problem.time_ns = step.begin_ns;
    problem.duration_ns = lasts_ns;
    problem.stack = places(model.stack(step.began_at));
    const model::Report* stall = Stalls(model).during(step.task, loop.id, step.begin_ns, model.now_ns());
    if (stall != nullptr) problem.native_stack = native_places(model, stall->frames);
    const Place during = innermost(problem.native_stack);
    const words::Where began = words::where(model, step.began_at);
    problem.site = in_users_code(during) ? during : place_of(began.frame);
    const std::string lasts = words::duration(lasts_ns);
    const std::string end = app.connected ? "" : "; then the app was gone";
    problem.summary =
        "loop " + std::to_string(loop.id) + " hangs in " + words::task_phrase(model, step.task) + " for " + lasts + end;
    problem.evidence = "the step has lasted " + lasts + " (threshold " + words::duration(model.slow_step_ns()) +
                       ") and has not ended" + end;
    problem.evidence += stall_text(stall, problem.native_stack, app.connected ? "is" : "was");
    if (began.known())
        problem.evidence += (step.task == 0 ? "; it was scheduled " : "; the step began ") + words::at_text(began);
    if (const Victims victims = victims_so_far(model, loop, step); victims.count != 0)
        problem.evidence += "; " + words::counted(victims.count, "task is", "tasks are") + " ready and must wait, " +
                            words::task_phrase(model, victims.worst) + " for " + words::duration(victims.longest_ns) +
                            " so far";
    problem.advice =
        "The innermost frame of the native stack blocks the loop: run that call with co_await to_thread(...), or "
        "use its awaitable form.";
    return problem;
}

void check_stalled_loop(const Rule&, const Inspection& seen, std::vector<Problem>& found) {
    const model::Model& model = seen.model;
    const std::uint64_t now_ns = known_until_ns(model);
    for (const auto& loop : model.loops()) {
        if (!loop->open_slice || !loop->running) continue;
        const model::Slice& step = *loop->open_slice;
        if (now_ns <= step.begin_ns || now_ns - step.begin_ns < model.slow_step_ns()) continue;
        found.push_back(problem_of(seen.app, *loop, step, now_ns - step.begin_ns));
    }
}

}  // namespace

extern const Rule stalled_loop{
    .name = "stalled_loop",
    .finds = "a step is running for too long now",
    .severity = Severity::error,
    .ongoing = true,
    .check = check_stalled_loop,
};

}  // namespace coroscope::analysis::rule
