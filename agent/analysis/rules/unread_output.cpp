// unread_output: a task waits for a subprocess to end, and the subprocess waits for somebody to read its output.
#include <algorithm>

#include "agent/analysis/evidence.hpp"
#include "agent/words/task.hpp"
#include "agent/words/where.hpp"
#include "proto/words/amount.hpp"

namespace coroscope::analysis::rule {

namespace {

constexpr std::uint64_t exit_long_ns = 500'000'000;
constexpr std::uint64_t room_for_no_write = 4'096;  // less free room than this: a write of a page blocks

bool is_full(const model::Resource& pipe) {
    return pipe.capacity != 0 && pipe.level + room_for_no_write > static_cast<std::uint64_t>(pipe.capacity);
}

void check_unread_output(const Rule&, const Inspection& seen, std::vector<Problem>& found) {
    const model::Model& model = seen.model;
    for (const model::Resource* pipe : model.resources()) {
        const model::Resource* process = model.resource(pipe->parent);
        if (pipe->type != model::ResourceType::stream || process == nullptr || pipe->closed_ns != 0) continue;
        if (!is_full(*pipe) || !model.waiters(pipe->id).empty()) continue;
        for (const model::TaskId id : model.waiters(process->id)) {
            const model::Task& task = *model.task(id);
            if (task.wait.verb != model::Verb::exit || model.in_state_ns(task) < exit_long_ns) continue;
            Problem& problem = found.emplace_back();
            problem.task = id;
            problem.time_ns = task.changed_ns;
            problem.duration_ns = model.in_state_ns(task);
            problem.stack = places(model.await_stack(task));
            problem.site = user_place(model, model.stands_at(task));
            const std::string pid = "process " + std::to_string(process->system_id);
            problem.summary = words::task_phrase(model, id) + " waits for the end of " + pid +
                              ", which waits for somebody to read its " + pipe->name;
            problem.evidence = words::task_phrase(model, id) + " waits since " + words::duration(problem.duration_ns) +
                               " " + words::at_text(words::where(model, task)) + " for the end of " + pid +
                               (process->name.empty() ? "" : " (" + process->name + ")") + "; " +
                               std::to_string(pipe->level) + " bytes of its " + pipe->name +
                               " are unread, the pipe is full, and no task reads it";
            problem.advice =
                "Use communicate(), which reads while it waits; or read the pipe to its end before wait().";
        }
    }
}

}  // namespace

extern const Rule unread_output{
    .name = "unread_output",
    .finds = "a task waits for a subprocess whose output nobody reads",
    .severity = Severity::error,
    .ongoing = true,
    .needs = vocabulary::has_waits,
    .check = check_unread_output,
};

}  // namespace coroscope::analysis::rule
