// end_waits_for_jobs: the end of a loop (of run()) waits for jobs on its pool threads: nothing cancels a thread.
#include <algorithm>

#include "agent/analysis/evidence.hpp"
#include "agent/analysis/jobs.hpp"
#include "proto/words/amount.hpp"

namespace coroscope::analysis::rule {

namespace {

constexpr std::uint64_t end_long_ns = 500'000'000;

// The jobs that ran when the loop began to end.
std::vector<const model::Resource*> jobs_at_the_end(const model::Model& model, std::uint64_t began_ns) {
    std::vector<const model::Resource*> all;
    for (const model::Resource* each : model.resources()) {
        const bool runs_on = each->ended_ns == 0 || each->ended_ns > began_ns;
        if (each->type == model::ResourceType::job && each->created_ns <= began_ns && runs_on) all.push_back(each);
    }
    return all;
}

void check_end_waits_for_jobs(const Rule&, const Inspection& seen, std::vector<Problem>& found) {
    const model::Model& model = seen.model;
    for (const auto& loop : model.loops()) {
        const bool lasts = loop->closing_since_ns != 0;
        const std::uint64_t took =
            lasts ? model.now_ns() - std::min(loop->closing_since_ns, model.now_ns()) : loop->closing_ns;
        if (took < end_long_ns) continue;
        const std::uint64_t began = lasts ? loop->closing_since_ns : loop->stopped_ns - loop->closing_ns;
        const auto jobs = jobs_at_the_end(model, began);
        Problem& problem = found.emplace_back();
        problem.ongoing = lasts;
        problem.time_ns = began;
        problem.duration_ns = took;
        problem.parts = job_parts(model, jobs);
        problem.summary = "the end of loop " + std::to_string(loop->id) + (lasts ? " waits" : " waited") + " for " +
                          words::counted(jobs.size(), "job on a pool thread", "jobs on pool threads") +
                          (lasts ? " since " : ": ") + words::duration(took);
        for (const Part& part : problem.parts) problem.evidence += part.text + "; ";
        problem.evidence += "the loop's end waits until each job has returned, because a thread cannot be cancelled";
        if (!jobs.empty()) {
            problem.task = jobs.front()->created_by;
            problem.site = problem.parts.front().site;
            problem.stack = places(model.stack(jobs.front()->created_at));
        }
        problem.advice =
            "Let the job end by itself: give what it waits for a time limit, or a flag that it looks at and that is "
            "set before the end.";
    }
}

}  // namespace

extern const Rule end_waits_for_jobs{
    .name = "end_waits_for_jobs",
    .finds = "the end of a loop waits for jobs on pool threads",
    .severity = Severity::warning,
    .ongoing = false,
    .needs = vocabulary::has_jobs,
    .check = check_end_waits_for_jobs,
};

}  // namespace coroscope::analysis::rule
