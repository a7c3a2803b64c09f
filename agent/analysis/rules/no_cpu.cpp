// no_cpu: a step was long by the clock because the process was stopped, or because its thread could have run and got no
// CPU. No line of the program is to blame.
//
// The app measures it (ReportKind::step_cost). Of a step that it could not measure, slow_step tells the length alone.
#include "agent/analysis/evidence.hpp"
#include "agent/words/task.hpp"
#include "proto/words/amount.hpp"

namespace coroscope::analysis::rule {

namespace {

void check_no_cpu(const Rule&, const Inspection& seen, std::vector<Problem>& found) {
    const model::Model& model = seen.model;
    for (const model::LongStep& step : model.long_steps()) {
        if (!had_no_cpu(model, step)) continue;
        Problem problem;
        problem.task = step.task;
        problem.time_ns = step.begin_ns;
        problem.duration_ns = step.took_ns();
        problem.stack = places(model.stack(model.node(step.began_at) != nullptr ? step.began_at : step.ended_at));
        const std::string who = step.callback ? "a callback" : "a step of " + words::task_phrase(model, step.task);
        problem.summary =
            "the process was stopped or got no CPU for " + words::duration(step.no_cpu_ns) + " while " + who + " ran";
        problem.evidence = who + " lasted " + words::duration(step.took_ns()) + " by the clock, with " +
                           words::between(step.cpu_least_ns, step.cpu_most_ns) + " of CPU time; for at least " +
                           words::duration(step.no_cpu_ns) +
                           " the process was stopped, or the thread was ready to run and waited for a CPU; the rest is "
                           "below the threshold of " +
                           words::duration(model.slow_step_ns());
        problem.advice =
            "The code of the step is not the cause. Look outside of the program: was it stopped (SIGSTOP, a debugger), "
            "is a limit on its CPU time reached (nr_throttled in its cgroup's cpu.stat), are there more busy threads "
            "than CPUs?";
        found.push_back(std::move(problem));
    }
}

}  // namespace

extern const Rule no_cpu{
    .name = "no_cpu",
    .finds = "a step was long because the process was stopped or got no CPU",
    .severity = Severity::warning,
    .ongoing = false,
    .check = check_no_cpu,
};

}  // namespace coroscope::analysis::rule
