// cancellation_ignored: a task was asked to end, has run many steps since, and still lives.
//
// A Timeout, a TaskGroup or a join also cancel, and may take it back (uncancel), which the wire does not tell: only a
// call of cancel() in the user's own code counts, and only while none of those came after it.
#include "agent/analysis/evidence.hpp"
#include "agent/words/task.hpp"
#include "agent/words/where.hpp"
#include "proto/words/amount.hpp"

namespace coroscope::analysis::rule {

namespace {

constexpr std::uint64_t long_ns = 5'000'000'000;
constexpr std::uint64_t many_steps = 10;  // more than a clean-up should need

Place place_of_call(const model::Model& model, model::NodeId call) {
    const model::Site* site = model.site_of(call);
    return site == nullptr ? Place{} : place_of(*site);
}

void check(const Rule&, const model::App& app, std::vector<Problem>& found) {
    const model::Model& model = app.model;
    for (const model::Task* task : model.live_tasks()) {
        if (task->cancel_requests == 0 || task->incomplete) continue;
        if (task->cancelled_ns + long_ns > model.now_ns() || task->steps < task->cancelled_steps + many_steps) continue;
        const Place asked = place_of_call(model, task->cancelled_at);
        if (!in_users_code(asked)) continue;
        Problem problem;
        problem.task = task->id;
        problem.time_ns = task->cancelled_ns;
        problem.duration_ns = model.now_ns() - task->cancelled_ns;
        problem.stack = places(model.await_stack(*task));
        const words::Where now_at = words::where(model, *task);
        problem.site = place_of(now_at.frame);
        problem.summary = words::task_phrase(model, task->id) + " was cancelled " +
                          words::duration(problem.duration_ns) + " ago and lives on";
        problem.evidence = "cancel() was called at " + place_text(asked) + "; it has run " +
                           words::counted(task->steps - task->cancelled_steps, "step", "steps") +
                           " since, and now is " + words::at_text(now_at);
        problem.advice =
            "Something catches Cancelled and goes on, a catch (...) in a loop perhaps: rethrow it after cleaning "
            "up. If it means to live on, let it say so with uncancel().";
        found.push_back(std::move(problem));
    }
}

}  // namespace

extern const Rule cancellation_ignored{
    .name = "cancellation_ignored",
    .finds = "a task lives on long after it was cancelled",
    .severity = Severity::warning,
    .ongoing = true,
    .needs = vocabulary::has_cancel | vocabulary::has_lines,
    .check = check,
};

}  // namespace coroscope::analysis::rule
