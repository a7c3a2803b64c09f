// What the app itself reports, because it alone can know: a rule for each kind of report.
//
// A kind that has no row here needs none: its problem says where it happened and what the app wrote.
#include <algorithm>
#include <array>

#include "evidence.hpp"

namespace coroscope::analysis {

namespace {

using Kind = model::ReportKind;

// Where the task of a report was created: known even if the task itself is no longer retained.
std::vector<Place> creation(const model::Model& model, const model::Report& report) {
    const model::Task* task = model.task(report.task);
    return creation_places(model, task != nullptr && task->root != 0 ? task->root : report.stack);
}

// That, or, if it is unknown, where its coroutine is defined.
Place creation_place(const model::Model& model, const model::Report& report) {
    const Place created = innermost(creation(model, report));
    return created.line != 0 ? created : innermost(places(model.stack(report.stack)));
}

// Each fills in what its kind of report says beyond the stacks.
using Tell = void(const model::Model& model, const model::Report& report, Problem& problem);

void tell_never_awaited(const model::Model& model, const model::Report& report, Problem& problem) {
    const model::Site* coroutine = model.site(report.site);
    const Place own = coroutine == nullptr ? Place{"?", "", 0} : place_of(*coroutine);
    const Place created = innermost(problem.native_stack);
    problem.site = created.line != 0 ? created : own;
    problem.summary = "coroutine '" + own.function + "' was never awaited";
    problem.evidence = "coroutine '" + own.function + "' (" + place_text(own) + ") was destroyed before it ran";
    if (created.line != 0) problem.evidence += "; it was created at " + place_text(created);
    if (report.task != 0) problem.evidence += " in " + task_text(model, report.task);
    problem.advice =
        "A coroutine does nothing until it is awaited: write co_await before the call, or give it to create_task() to "
        "run it concurrently.";
}

void tell_exception_never_retrieved(const model::Model& model, const model::Report& report, Problem& problem) {
    problem.site = creation_place(model, report);
    if (auto created = creation(model, report); !created.empty()) problem.stack = std::move(created);
    problem.summary = task_text(model, report.task) + " failed and nobody looked: " + report.text;
    problem.evidence = report.text + ", thrown by " + task_text(model, report.task) + ", created at " +
                       place_text(problem.site) + "; its last handle was dropped before anybody asked for its result";
    problem.advice = "Await the task, or create it in a TaskGroup, which passes the error on to whoever joins it.";
}

void tell_task_destroyed_pending(const model::Model& model, const model::Report& report, Problem& problem) {
    problem.site = innermost(problem.stack);
    problem.summary = task_text(model, report.task) + " was destroyed but it is pending";
    problem.evidence = "it was waiting at " + place_text(problem.site) + " when its loop was destroyed; created at " +
                       place_text(creation_place(model, report));
    problem.advice =
        "End the loop with run(), which cancels what is left and waits for it, or call cancel_all_tasks() before the "
        "loop is destroyed.";
}

void tell_callback_exception(const model::Model&, const model::Report& report, Problem& problem) {
    problem.site = innermost(problem.stack);
    problem.summary = "a callback threw: " + report.text;
    problem.evidence = report.text.empty() ? "an exception that says nothing" : report.text;
    problem.advice = "Nobody awaits a callback, so nobody gets its exception: catch it inside, or use a task.";
}

struct Row {
    Kind kind;
    std::string_view name, finds;
    Severity severity;
    Tell* tell;
};
constexpr std::array rows{
    Row{Kind::never_awaited, "never_awaited", "a coroutine object was destroyed before it ran", Severity::warning,
        tell_never_awaited},
    Row{Kind::exception_never_retrieved, "exception_never_retrieved", "a task failed and nobody looked",
        Severity::error, tell_exception_never_retrieved},
    Row{Kind::task_destroyed_pending, "task_destroyed_pending", "a task was destroyed before it was done",
        Severity::error, tell_task_destroyed_pending},
    Row{Kind::callback_exception, "callback_exception", "a callback on the loop threw", Severity::error,
        tell_callback_exception},
};

void check(const Rule& rule, const model::App& app, std::vector<Problem>& found) {
    const Row& row = *std::ranges::find(rows, rule.name, &Row::name);
    for (const model::Report& report : app.model.reports()) {
        if (report.kind != row.kind) continue;
        Problem& problem = found.emplace_back();
        problem.task = report.task;
        problem.time_ns = report.time_ns;
        problem.stack = places(app.model.stack(report.stack));
        problem.native_stack = native_places(app.model, report.frames);
        row.tell(app.model, report, problem);
    }
}

}  // namespace

std::vector<Rule> report_rules() {
    std::vector<Rule> all;
    for (const Row& row : rows) all.push_back({row.name, row.finds, row.severity, false, check});
    return all;
}

}  // namespace coroscope::analysis
