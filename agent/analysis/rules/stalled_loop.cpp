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

std::size_t waiting_for(const model::Model& model, const model::Loop& loop) {
    const auto tasks = model.live_tasks();
    return static_cast<std::size_t>(std::count_if(tasks.begin(), tasks.end(), [&](const model::Task* task) {
        return task->loop == loop.id && (task->state == model::State::ready || task->state == model::State::created);
    }));
}

Problem problem_of(const model::App& app, const model::Loop& loop, const model::Slice& step, std::uint64_t lasts_ns) {
    const model::Model& model = app.model;
    Problem problem;
    problem.task = step.task;
    problem.time_ns = step.begin_ns;
    problem.duration_ns = lasts_ns;
    problem.stack = places(model.stack(step.began_at));
    if (const model::Report* stall = Stalls(model).during(step.task, step.begin_ns, model.now_ns()))
        problem.native_stack = native_places(model, stall->frames);
    const Place during = innermost(problem.native_stack);
    const words::Where began = words::where(model, step.began_at);
    problem.site = in_users_code(during) ? during : place_of(began.frame);
    const std::string lasts = words::duration(lasts_ns);
    const std::string end = app.connected ? "" : "; then the app was gone";
    problem.summary =
        "loop " + std::to_string(loop.id) + " hangs in " + words::task_phrase(model, step.task) + " for " + lasts + end;
    problem.evidence = "the step has lasted " + lasts + " (threshold " + words::duration(model.slow_step_ns()) +
                       ") and has not ended" + end;
    if (during.line != 0) problem.evidence += "; the thread is at " + place_text(during);
    if (began.known()) problem.evidence += "; the step began " + words::at_text(began);
    if (const std::size_t waiting = waiting_for(model, loop); waiting != 0)
        problem.evidence += "; " + words::counted(waiting, "task is", "tasks are") + " ready and must wait";
    problem.advice =
        "The innermost frame of the native stack blocks the loop: run that call with co_await to_thread(...), or "
        "use its awaitable form.";
    return problem;
}

void check(const Rule&, const model::App& app, std::vector<Problem>& found) {
    const model::Model& model = app.model;
    const std::uint64_t now_ns = model.now_ns();
    for (const auto& loop : model.loops()) {
        if (!loop->open_slice || !loop->running) continue;
        const model::Slice& step = *loop->open_slice;
        if (now_ns <= step.begin_ns || now_ns - step.begin_ns < model.slow_step_ns()) continue;
        found.push_back(problem_of(app, *loop, step, now_ns - step.begin_ns));
    }
}

}  // namespace

extern const Rule stalled_loop{
    .name = "stalled_loop",
    .finds = "a step is running for too long now",
    .severity = Severity::error,
    .ongoing = true,
    .check = check,
};

}  // namespace coroscope::analysis::rule
