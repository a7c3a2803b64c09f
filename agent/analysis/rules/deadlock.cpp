// deadlock: tasks that wait for each other in a circle, by joins, locks, semaphores and queues.
#include <algorithm>

#include "agent/analysis/evidence.hpp"
#include "agent/analysis/why.hpp"
#include "agent/words/task.hpp"
#include "proto/words/amount.hpp"

namespace coroscope::analysis::rule {

namespace {

constexpr std::size_t most_parts = 100, most_sentences = 8;

// "task 'a' (f) waits for itself"; "'a' and 'b' wait for each other"; "4 tasks wait for each other: 'a', 'b', ..."
std::string summary_of(const model::Model& model, const std::vector<model::TaskId>& tasks) {
    constexpr std::size_t most_named = 5;
    if (tasks.size() == 1) return words::task_phrase(model, tasks.front()) + " waits for itself";
    std::string names;
    for (std::size_t i = 0; i < tasks.size() && i < most_named; ++i)
        names += (i == 0 ? "'" : ", '") + words::task_name(model, tasks[i]) + "'";
    if (tasks.size() > most_named) names += " ...";
    return std::to_string(tasks.size()) + " tasks wait for each other: " + names;
}

std::string advice_of(const model::Model& model, const std::vector<model::TaskId>& tasks) {
    const bool all_locks = std::ranges::all_of(tasks, [&](model::TaskId task) {
        const model::Resource* resource = model.resource(model.task(task)->wait.resource());
        return resource != nullptr && resource->type == model::ResourceType::lock;
    });
    if (all_locks && tasks.size() == 1)
        return "A lock is not re-entrant: take it in the outer call only, and give what is called inside a form that "
               "expects the lock to be held.";
    if (all_locks)
        return "Take these locks in the same order everywhere, or hold one at a time; wait with a limit (wait_for) "
               "where that is not possible.";
    return "Break the circle: let one of the tasks give up what it holds, or give its result through a Future or "
           "Queue, "
           "before it waits; or wait with a limit (wait_for).";
}

void check_deadlock(const Rule&, const Inspection& seen, std::vector<Problem>& found) {
    const model::Model& model = seen.model;
    const WaitGraph& graph = seen.waits();
    for (const WaitGraph::Circle& circle : graph.circles()) {
        Problem& problem = found.emplace_back();
        const model::Task& first = *model.task(circle.tasks.front());
        problem.task = first.id;
        problem.stack = places(model.await_stack(first));
        problem.site = user_place(model, model.stands_at(first));
        problem.certainty = circle.certainty;
        problem.summary = summary_of(model, circle.tasks);
        for (const model::TaskId task : circle.tasks) {
            problem.time_ns = std::max(problem.time_ns, model.task(task)->changed_ns);
            if (problem.parts.size() < most_parts) problem.parts.push_back(wait_part(model, graph, task));
        }
        for (std::size_t i = 0; i < std::min(problem.parts.size(), most_sentences); ++i)
            problem.evidence += problem.parts[i].text + ". ";
        if (circle.tasks.size() > most_sentences)
            problem.evidence += "And so on, for " + std::to_string(circle.tasks.size()) + " tasks. ";
        if (!circle.waiting.empty())
            problem.evidence +=
                words::counted(circle.waiting.size(), "more task waits", "more tasks wait") + " for these. ";
        problem.evidence += "None of them can go on unless it is cancelled.";
        problem.duration_ns = model.now_ns() - std::min(problem.time_ns, model.now_ns());
        problem.advice = advice_of(model, circle.tasks);
    }
}

}  // namespace

extern const Rule deadlock{
    .name = "deadlock",
    .finds = "tasks wait for each other in a circle",
    .severity = Severity::error,
    .ongoing = true,
    .needs = vocabulary::has_waits,
    .check = check_deadlock,
};

}  // namespace coroscope::analysis::rule
