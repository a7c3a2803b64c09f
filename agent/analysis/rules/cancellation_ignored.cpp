// cancellation_ignored: a task was asked to end, the request arrived, and the task lives on.
//
// The app says when what was thrown into a task has gone without ending it: that is how a task swallows a request. If
// the task then waits again at the very await at which it was cancelled, it does not clean up: that is told after a
// second. Waiting elsewhere may be a clean-up, which has longer. A task that keeps what was thrown, to throw it on
// later, is only told if it runs many steps meanwhile. A request that was taken back (uncancel) is none.
#include <optional>

#include "agent/analysis/evidence.hpp"
#include "agent/words/ending.hpp"
#include "agent/words/task.hpp"
#include "agent/words/where.hpp"
#include "proto/words/amount.hpp"

namespace coroscope::analysis::rule {

namespace {

using model::CancelOrigin;

constexpr std::uint64_t second_ns = 1'000'000'000;
constexpr std::uint64_t clean_up_ns = 5 * second_ns;
constexpr std::uint64_t many_steps = 10;  // more than a clean-up should need

enum class Sign : std::uint8_t { none, waits_as_before, swallowed, runs_on };

// A runtime that does not say when a request arrives: only a call in the user's own code counts, because the library
// may take back what it asked for.
bool counts_unthrown(const model::Model& model, const model::Task& task) {
    if (task.cancel_thrown_ns != 0) return true;
    const model::Site* site = model.site_of(task.cancelled_at);
    return site != nullptr && in_users_code(place_of(*site));
}

Sign sign_of(const model::Model& model, const model::Task& task) {
    if (task.cancel_requests == 0 || task.incomplete) return Sign::none;
    const std::uint64_t now = model.now_ns();
    if (task.cancel_swallowed_ns != 0) {
        if (task.cancel_repeated_ns != 0 && now >= task.cancel_swallowed_ns + second_ns) return Sign::waits_as_before;
        return now >= task.cancel_swallowed_ns + clean_up_ns ? Sign::swallowed : Sign::none;
    }
    if (now < task.cancelled_ns + clean_up_ns || task.steps < task.cancelled_steps + many_steps) return Sign::none;
    return counts_unthrown(model, task) ? Sign::runs_on : Sign::none;
}

std::string evidence_of(const model::Model& model, const model::Task& task, Sign sign, const words::Where& now_at) {
    std::string text = "it was cancelled " + words::cancelled_by(model, task);
    if (task.cancel_thrown_ns != 0)
        text += "; Cancelled was thrown into it " + words::at_text(words::where(model, task.cancel_thrown_at));
    if (sign == Sign::waits_as_before) text += ", was caught and not thrown on, and the task waits there again";
    if (sign == Sign::swallowed) text += ", and was caught and not thrown on";
    text += "; it has run " + words::counted(task.steps - task.cancelled_steps, "step", "steps") +
            " since it was cancelled, and now is " + words::at_text(now_at);
    if (words::first_cancelled(model, task).cancel_origin == CancelOrigin::run_end)
        text += "; run() does not return before the task ends";
    for (const model::TaskId waiter : model.awaiters(task.id))
        text += "; " + words::task_phrase(model, waiter) + " waits for its end";
    return text;
}

void check_cancellation_ignored(const Rule&, const Inspection& seen, std::vector<Problem>& found) {
    const model::Model& model = seen.model;
    for (const model::Task* task : model.live_tasks()) {
        const Sign sign = sign_of(model, *task);
        if (sign == Sign::none) continue;
        Problem problem;
        problem.task = task->id;
        problem.time_ns = task->cancelled_ns;
        problem.duration_ns = model.now_ns() - task->cancelled_ns;
        const words::Where now_at = words::where(model, *task);
        const bool thrown = task->cancel_thrown_at != 0;
        problem.stack = places(thrown ? model.stack(task->cancel_thrown_at) : model.await_stack(*task));
        problem.site = thrown ? user_place(model, task->cancel_thrown_at) : place_of(now_at.frame);
        problem.summary = words::task_phrase(model, task->id) + " was cancelled " +
                          words::duration(problem.duration_ns) + " ago and lives on";
        problem.evidence = evidence_of(model, *task, sign, now_at);
        problem.advice =
            "Something catches Cancelled and goes on, a catch (...) in a loop perhaps: rethrow it after cleaning "
            "up. If it means to live on, let it say so with uncancel().";
        found.push_back(std::move(problem));
    }
}

}  // namespace

extern const Rule cancellation_ignored{
    .name = "cancellation_ignored",
    .finds = "a task was cancelled, caught that, and lives on",
    .severity = Severity::warning,
    .ongoing = true,
    .needs = vocabulary::has_cancel | vocabulary::has_lines,
    .check = check_cancellation_ignored,
};

}  // namespace coroscope::analysis::rule
