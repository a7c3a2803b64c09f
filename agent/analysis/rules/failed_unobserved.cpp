// failed_unobserved: a task ended with an error, nobody has looked at it, and nobody is about to.
//
// Whoever waits for the task, and the group, gather or wait that it belongs to while that exists, is about to look.
// Where the last handle to the task is dropped, the app reports exception_never_retrieved, which tells the same
// better. Where events were lost after the task's end, somebody may have looked.
#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "agent/analysis/evidence.hpp"
#include "agent/words/ending.hpp"
#include "agent/words/task.hpp"
#include "agent/words/where.hpp"
#include "proto/words/amount.hpp"

namespace coroscope::analysis::rule {

namespace {

using model::ResourceType;

constexpr std::uint64_t patience_ns = 1'000'000'000;

bool takes_errors(ResourceType type) {
    return type == ResourceType::task_group || type == ResourceType::gather || type == ResourceType::wait ||
           type == ResourceType::as_completed;
}

// Who would look at the errors of tasks.
class Lookers {
public:
    explicit Lookers(const model::Model& model) : model_(model) {
        for (const model::Task* task : model.live_tasks())
            if (const model::TaskId awaited = model::awaited_task(*task)) awaited_.insert(awaited);
        for (const model::Resource* resource : model.resources()) {
            if (!takes_errors(resource->type)) continue;
            for (const model::TaskId member : resource->members) groups_[member].push_back(resource);
        }
        for (const model::Report& report : model.reports())
            if (report.kind == model::ReportKind::exception_never_retrieved) reported_.insert(report.task);
        for (const model::Gap& gap : model.gaps()) lost_until_ns_ = std::max(lost_until_ns_, gap.last_ns);
    }

    // Somebody is about to look at the task's error, has told it already, or may have looked unseen.
    bool may_know(const model::Task& task) const {
        return reported_.contains(task.id) || awaited_.contains(task.id) || task.done_ns <= lost_until_ns_ ||
               std::ranges::any_of(groups_of(task), [&](const model::Resource* group) { return is_open(*group); });
    }
    // The last one of those that it belonged to; nullptr: none is known.
    const model::Resource* group_of(const model::Task& task) const {
        const auto& groups = groups_of(task);
        return groups.empty() ? nullptr : groups.back();
    }

private:
    const std::vector<const model::Resource*>& groups_of(const model::Task& task) const {
        static const std::vector<const model::Resource*> none;
        const auto found = groups_.find(task.id);
        return found == groups_.end() ? none : found->second;
    }
    bool is_open(const model::Resource& group) const {
        if (group.closed_ns != 0) return false;
        const model::Task* owner = model_.task(group.created_by);
        return group.created_by == 0 || (owner != nullptr && owner->state != model::State::done);
    }

    const model::Model& model_;
    std::unordered_set<model::TaskId> awaited_, reported_;
    std::unordered_map<model::TaskId, std::vector<const model::Resource*>> groups_;
    std::uint64_t lost_until_ns_ = 0;
};

bool has_stopped(const model::App& app, model::LoopId id) {
    if (!app.connected && app.orderly) return true;
    const auto& loops = app.model.loops();
    const auto loop = std::ranges::find_if(loops, [&](const auto& each) { return each->id == id; });
    return loop != loops.end() && !(*loop)->running;
}

bool is_candidate(const model::App& app, const model::Task& task) {
    if (task.outcome != model::Outcome::error || task.retrieved_ns != 0 || task.done_ns == 0) return false;
    if (task.error == 0 && task.error_at == 0) return false;  // its runtime does not tell
    return app.model.now_ns() >= task.done_ns + patience_ns || has_stopped(app, task.loop);
}

struct Group {
    std::string evidence, advice;
};

Group group_text(const model::Resource* group) {
    switch (group == nullptr ? ResourceType::unknown : group->type) {
        case ResourceType::gather:
            return {"the gather() that it belonged to threw something else: the first error, or its own cancellation",
                    "Use gather(return_exceptions, ...), which gives every error, or a TaskGroup, which throws all of "
                    "them."};
        case ResourceType::task_group:
            return {"its task group was left before a join() had thrown the error",
                    "End the group with join(), or use with_task_group(), which always joins and throws the errors."};
        case ResourceType::wait:
        case ResourceType::as_completed:
            return {"it belonged to a wait for several tasks, which throws no error of a task",
                    "Ask each task that is done for its result() or exception()."};
        default: break;
    }
    return {"nobody waits for it, and nobody has asked for its result",
            "Await the task, or create it in a TaskGroup, which passes the error on to whoever joins it."};
}

void add(const model::App& app, const model::Task& task, const model::Resource* group, std::vector<Problem>& found) {
    const model::Model& model = app.model;
    const Group text = group_text(group);
    const std::string error = words::error(model, task);
    Problem& problem = found.emplace_back();
    problem.task = task.id;
    problem.time_ns = task.done_ns;
    const auto path = words::error_path(model, task);
    const model::NodeId from = path.front()->error_at;
    problem.site = user_place(model, from != 0 ? from : creation_of(model, task.root));
    problem.stack = places(from != 0 ? model.stack(from) : model.creation_stack(task));
    problem.summary = words::task_phrase(model, task.id) + " failed and nobody looked: " + error;
    problem.evidence = error + ", thrown " + words::thrown_text(model, path) + "; the task was created " +
                       words::at_text(words::where(model, creation_of(model, task.root)));
    if (task.parent != 0) problem.evidence += " by " + words::task_phrase(model, task.parent);
    problem.evidence += " and failed " + words::duration(model.now_ns() - task.done_ns) + " ";
    problem.evidence += has_stopped(app, task.loop) ? "before the end; " : "ago; ";
    problem.evidence += text.evidence;
    problem.advice = text.advice;
}

void check_failed_unobserved(const Rule&, const Inspection& seen, std::vector<Problem>& found) {
    if (seen.model.batches_lost() != 0) return;
    std::vector<const model::Task*> candidates;
    for (const model::Task* task : seen.model.done_tasks())
        if (is_candidate(seen.app, *task)) candidates.push_back(task);
    if (candidates.empty()) return;
    const Lookers lookers(seen.model);
    for (const model::Task* task : candidates)
        if (!lookers.may_know(*task)) add(seen.app, *task, lookers.group_of(*task), found);
}

}  // namespace

extern const Rule failed_unobserved{
    .name = "failed_unobserved",
    .finds = "a task failed, and nobody has looked at its error",
    .severity = Severity::error,
    .ongoing = false,
    .needs = vocabulary::has_outcomes | vocabulary::has_errors,
    .check = check_failed_unobserved,
};

}  // namespace coroscope::analysis::rule
