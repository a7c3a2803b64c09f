// thread_pool_exhausted: all threads of a pool are busy, and jobs have waited for one for a while: look-ups of hosts
// and reading of files wait behind them, too.
#include <algorithm>

#include "agent/analysis/evidence.hpp"
#include "agent/analysis/jobs.hpp"
#include "agent/words/task.hpp"
#include "proto/words/amount.hpp"

namespace coroscope::analysis::rule {

namespace {

constexpr std::uint64_t queued_long_ns = 500'000'000;

std::string list(const std::vector<Part>& parts) {
    constexpr std::size_t most = 4;
    std::string text;
    for (std::size_t i = 0; i < std::min(parts.size(), most); ++i) text += (i == 0 ? "" : "; ") + parts[i].text;
    if (parts.size() > most) text += "; and more";
    return text;
}

void check_thread_pool_exhausted(const Rule&, const Inspection& seen, std::vector<Problem>& found) {
    const model::Model& model = seen.model;
    for (const model::Resource* pool : model.resources()) {
        if (pool->type != model::ResourceType::thread_pool || pool->closed_ns != 0 || pool->capacity == 0) continue;
        const auto waiting = waiting_jobs(model, pool->id);
        if (waiting.empty() || waiting.front()->created_ns + queued_long_ns > model.now_ns()) continue;
        const auto running = running_jobs(model, pool->id);
        if (running.size() < static_cast<std::size_t>(pool->capacity)) continue;
        Problem& problem = found.emplace_back();
        const std::vector<Part> run = job_parts(model, running), wait = job_parts(model, waiting);
        problem.parts = run;
        problem.parts.insert(problem.parts.end(), wait.begin(), wait.end());
        problem.task = running.front()->created_by;
        problem.site = run.front().site;
        problem.stack = places(model.stack(running.front()->created_at));
        problem.time_ns = waiting.front()->created_ns;
        problem.duration_ns = model.now_ns() - waiting.front()->created_ns;
        problem.summary = "all " + std::to_string(pool->capacity) + " threads of " + model.resource_words(pool->id) +
                          " are busy: " + words::counted(waiting.size(), "job waits", "jobs wait") +
                          ", the first since " + words::duration(problem.duration_ns);
        problem.evidence = "running: " + list(run) + ". Waiting: " + list(wait);
        problem.advice =
            "Give long jobs a pool of their own (ThreadPoolExecutor with run_in_executor), so that short ones do not "
            "wait behind them, or begin fewer at once (a Semaphore).";
    }
}

}  // namespace

extern const Rule thread_pool_exhausted{
    .name = "thread_pool_exhausted",
    .finds = "all threads of a pool are busy and jobs wait for one",
    .severity = Severity::warning,
    .ongoing = true,
    .needs = vocabulary::has_jobs,
    .check = check_thread_pool_exhausted,
};

}  // namespace coroscope::analysis::rule
