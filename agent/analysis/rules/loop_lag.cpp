// loop_lag: an iteration of a loop took longer than the threshold although no single step did: many small ones. asyncio
// logs nothing then. The model has no iteration of which events were lost.
#include <algorithm>

#include "agent/analysis/evidence.hpp"
#include "agent/words/task.hpp"
#include "proto/words/amount.hpp"

namespace coroscope::analysis::rule {

namespace {

void add(const model::Model& model, const model::Loop& loop, const model::Iteration& iteration,
         std::vector<Problem>& found) {
    auto at = std::lower_bound(loop.slices.begin(), loop.slices.end(), iteration.begin_ns,
                               [](const model::Slice& slice, std::uint64_t time) { return slice.begin_ns < time; });
    const model::Slice* longest = nullptr;
    std::size_t steps = 0;
    std::uint64_t in_steps_ns = 0;
    for (; at != loop.slices.end() && at->begin_ns < iteration.end_ns; ++at, ++steps) {
        in_steps_ns += at->end_ns - at->begin_ns;
        if (longest == nullptr || at->end_ns - at->begin_ns > longest->end_ns - longest->begin_ns) longest = &*at;
    }
    if (longest == nullptr) return;  // retired by the limits: what it was made of is not known
    if (longest->end_ns - longest->begin_ns >= model.slow_step_ns()) return;  // slow_step tells it
    // It was not in its steps: it was stopped between them, say, or waited for the jobs of threads before its end.
    if (in_steps_ns < (iteration.end_ns - iteration.begin_ns) / 2) return;
    Problem problem;
    problem.task = longest->task;
    problem.time_ns = iteration.begin_ns;
    problem.duration_ns = iteration.end_ns - iteration.begin_ns;
    problem.stack = places(model.stack(longest->began_at));
    problem.site = user_place(model, longest->began_at);
    problem.summary = std::to_string(steps) + " steps in a row kept loop " + std::to_string(loop.id) + " for " +
                      words::duration(problem.duration_ns);
    problem.evidence = "one iteration of the loop took " + words::duration(problem.duration_ns) + " in " +
                       std::to_string(steps) + " steps, none of them slow by itself; the longest, " +
                       words::duration(longest->end_ns - longest->begin_ns) + ", was of " +
                       words::task_phrase(model, longest->task);
    problem.advice =
        "Timers and I/O had to wait for all of them. Limit how many tasks are ready at once (a Semaphore, a "
        "bounded Queue), "
        "or move the work of each to threads with to_thread(...).";
    found.push_back(std::move(problem));
}

void check_loop_lag(const Rule&, const Inspection& seen, std::vector<Problem>& found) {
    const model::Model& model = seen.model;
    const std::uint64_t threshold = model.slow_step_ns();
    for (const auto& loop : model.loops()) {
        if (loop->longest_iteration_ns < threshold) continue;
        for (const model::Iteration& iteration : loop->iterations) {
            const std::uint64_t took = iteration.end_ns - iteration.begin_ns;
            if (took < threshold || iteration.steps < 2) continue;
            add(model, *loop, iteration, found);
        }
    }
}

}  // namespace

extern const Rule loop_lag{
    .name = "loop_lag",
    .finds = "many small steps added up to a long iteration of the loop",
    .severity = Severity::warning,
    .ongoing = false,
    .needs = vocabulary::has_polls,
    .check = check_loop_lag,
};

}  // namespace coroscope::analysis::rule
