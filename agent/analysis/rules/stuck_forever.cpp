// stuck_forever: a task waits for what cannot come: nothing on its loop can happen, what it needs is held by a task
// that has ended, or all tasks that fed what it waits on have failed. Tasks in a circle are told by `deadlock`.
#include <algorithm>

#include "agent/analysis/evidence.hpp"
#include "agent/analysis/why.hpp"
#include "agent/words/task.hpp"
#include "proto/words/amount.hpp"

namespace coroscope::analysis::rule {

namespace {

using DeadEnd = WaitGraph::DeadEnd;

std::string cause_text(const model::Model& model, const DeadEnd& end) {
    switch (end.cause) {
        case DeadEnd::Cause::owner_ended: return "A task that has ended releases nothing any more.";
        case DeadEnd::Cause::orphaned:
            return "All other handles of the future are gone: nobody is left who could set it.";
        case DeadEnd::Cause::feeders_failed: return "No other task has fed it so far.";
        case DeadEnd::Cause::nothing_can_happen: break;
    }
    std::string text =
        "Nothing can end the wait: the loop has nothing ready, no timer, no job on a thread, and watches no descriptor";
    text += model.other_threads() ? "; the process has no other thread that could wake it."
                                  : "; whether the process has other threads is not known.";
    return text;
}

std::string advice_of(const model::Task& task) {
    using model::Verb;
    switch (task.wait.verb) {
        case Verb::all_done:
            return "Call task_done() for every item, also when its work fails (try/catch around the work), and look at "
                   "the workers: await them in a TaskGroup, or gather() them beside the join.";
        case Verb::get: return "Let the producer close the queue (shutdown()) when it ends, also on an error.";
        case Verb::result: return "Set the future on every path, also on errors (set_exception) and early returns.";
        case Verb::acquire: return "Hold what acquire() returns in a scope, so that it is released on every path.";
        default: return "Make sure that what it waits for happens on every path, or wait with a limit (wait_for).";
    }
}

void check_stuck_forever(const Rule&, const Inspection& seen, std::vector<Problem>& found) {
    const model::Model& model = seen.model;
    const WaitGraph& graph = seen.waits();
    for (const DeadEnd& end : graph.dead_ends()) {
        const model::Task& task = *model.task(end.task);
        Problem& problem = found.emplace_back();
        problem.task = task.id;
        problem.time_ns = task.changed_ns;
        problem.duration_ns = model.in_state_ns(task);
        problem.stack = places(model.await_stack(task));
        problem.site = user_place(model, model.stands_at(task));
        problem.certainty = end.certainty;
        problem.summary = words::task_phrase(model, task.id) + " waits for ever for " + words::wait(model, task);
        problem.parts.push_back(wait_part(model, graph, task.id));
        for (const WaitGraph::Edge& ended : graph.need(task.id).ended)
            problem.parts.push_back({ended.to, user_place(model, ended.use.at), feeder_text(model, ended), 1});
        problem.evidence = problem.parts.front().text + ". " + cause_text(model, end);
        if (!end.waiting.empty())
            problem.evidence +=
                " " + words::counted(end.waiting.size(), "more task waits", "more tasks wait") + " for it.";
        problem.advice = advice_of(task);
    }
}

}  // namespace

extern const Rule stuck_forever{
    .name = "stuck_forever",
    .finds = "a task waits for what cannot come any more",
    .severity = Severity::error,
    .ongoing = true,
    .needs = vocabulary::has_waits,
    .check = check_stuck_forever,
};

}  // namespace coroscope::analysis::rule
