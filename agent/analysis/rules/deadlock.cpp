// deadlock: tasks that wait for each other in a circle. Only waits for one known task count; a task of whose events
// some were lost does not.
#include <algorithm>
#include <unordered_set>

#include "agent/analysis/evidence.hpp"
#include "agent/words/task.hpp"
#include "agent/words/where.hpp"

namespace coroscope::analysis::rule {

namespace {

Problem circle(const model::Model& model, const std::vector<model::TaskId>& tasks) {
    Problem problem;
    const model::Task& first = *model.task(tasks.front());
    problem.task = first.id;
    problem.time_ns = first.changed_ns;
    problem.stack = places(model.await_stack(first));
    problem.site = user_place(model, model.stands_at(first));
    problem.summary =
        std::to_string(tasks.size()) + (tasks.size() == 1 ? " task waits for itself" : " tasks wait for each other");
    for (const model::TaskId id : tasks) {
        const model::Task& task = *model.task(id);
        problem.evidence += words::task_phrase(model, id) + " waits " + words::at_text(words::where(model, task)) +
                            " for " + words::task_phrase(model, model::awaited_task(task)) + "; ";
        problem.time_ns = std::max(problem.time_ns, task.changed_ns);
    }
    problem.evidence += "none of them can go on unless it is cancelled or its time runs out";
    problem.advice =
        "Break the circle: let one of them give its result through a Future or Queue before it waits, or wait with "
        "a limit (wait_for).";
    return problem;
}

void check(const Rule&, const model::App& app, std::vector<Problem>& found) {
    const model::Model& model = app.model;
    std::unordered_set<model::TaskId> known;  // looked at: on no circle, or on one that was told
    for (const model::Task* start : model.live_tasks()) {
        std::vector<model::TaskId> way;
        const model::Task* at = start;
        while (at != nullptr && !at->incomplete && model::awaited_task(*at) != 0 && known.insert(at->id).second) {
            way.push_back(at->id);
            at = model.task(model::awaited_task(*at));
        }
        if (at == nullptr) continue;
        const auto begin = std::find(way.begin(), way.end(), at->id);
        if (begin != way.end()) found.push_back(circle(model, std::vector<model::TaskId>(begin, way.end())));
    }
}

}  // namespace

extern const Rule deadlock{
    .name = "deadlock",
    .finds = "tasks wait for each other in a circle",
    .severity = Severity::error,
    .ongoing = true,
    .needs = vocabulary::has_waits,
    .check = check,
};

}  // namespace coroscope::analysis::rule
