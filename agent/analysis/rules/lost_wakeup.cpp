// lost_wakeup: a task is ready and its loop sleeps: it was woken from another thread, of which the loop knows nothing.
#include <algorithm>

#include "agent/analysis/evidence.hpp"
#include "agent/words/task.hpp"
#include "agent/words/where.hpp"
#include "proto/words/amount.hpp"

namespace coroscope::analysis::rule {

namespace {

constexpr std::uint64_t overdue_ns = 500'000'000;

const model::Loop* sleeping_loop(const model::Model& model, const model::Task& task) {
    const auto loop = std::ranges::find(model.loops(), task.loop, [](const auto& each) { return each->id; });
    if (loop == model.loops().end() || !(*loop)->polling) return nullptr;
    return (*loop)->polling_since_ns + overdue_ns <= model.now_ns() ? loop->get() : nullptr;
}

void check_lost_wakeup(const Rule&, const Inspection& seen, std::vector<Problem>& found) {
    const model::Model& model = seen.model;
    for (const model::Task* task : model.live_tasks()) {
        const bool ready = task->state == model::State::ready || task->state == model::State::created;
        if (!ready || !model.state_known(*task) || task->changed_ns + overdue_ns > model.now_ns()) continue;
        const model::Loop* loop = sleeping_loop(model, *task);
        if (loop == nullptr || loop->polling_since_ns > task->changed_ns) continue;
        Problem& problem = found.emplace_back();
        problem.task = task->id;
        problem.time_ns = task->changed_ns;
        problem.duration_ns = model.in_state_ns(*task);
        problem.stack = places(model.await_stack(*task));
        problem.site = user_place(model, model.stands_at(*task));
        problem.summary = words::task_phrase(model, task->id) + " is ready since " +
                          words::duration(problem.duration_ns) + ", and its loop sleeps";
        problem.evidence = "it stands " + words::at_text(words::where(model, *task)) + "; it was woken while loop " +
                           std::to_string(loop->id) +
                           " slept in its poll, and the loop still sleeps: the call came from another thread";
        problem.advice =
            "From another thread use call_soon_threadsafe() or run_coroutine_threadsafe(): nothing else wakes the "
            "loop, or is safe.";
    }
}

}  // namespace

extern const Rule lost_wakeup{
    .name = "lost_wakeup",
    .finds = "a task is ready and its loop sleeps",
    .severity = Severity::error,
    .ongoing = true,
    .needs = vocabulary::has_ready | vocabulary::has_polls,
    .check = check_lost_wakeup,
};

}  // namespace coroscope::analysis::rule
