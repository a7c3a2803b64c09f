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

void tell_future_exception_never_retrieved(const model::Model&, const model::Report& report, Problem& problem) {
    problem.site = innermost(problem.stack);
    problem.summary = "a future failed and nobody looked: " + report.text;
    problem.evidence = report.text + "; the last handle of the future was dropped before anybody asked for its result";
    problem.advice = "Await the future, or ask it for its exception.";
}

// A kind of report that this version has no words for: what the app wrote, under the name that the app gave the kind.
void tell_unknown(const model::Model& model, const model::Report& report, Problem& problem) {
    const auto number = static_cast<std::uint32_t>(report.kind);
    problem.site = innermost(problem.stack);
    problem.summary = std::string(model.term(vocabulary::Table::report_kind, number)) + ": " + report.text;
    problem.evidence = report.text.empty() ? "the app wrote no text" : report.text;
    problem.advice = "This version of coroscope does not know this kind of report: a newer version may say more.";
}

struct Row {
    Kind kind;
    Tell* tell;
};
// Names and severities are the vocabulary's. Stalls are part of the rules about steps.
constexpr std::array rows{
    Row{Kind::never_awaited, tell_never_awaited},
    Row{Kind::exception_never_retrieved, tell_exception_never_retrieved},
    Row{Kind::task_destroyed_pending, tell_task_destroyed_pending},
    Row{Kind::callback_exception, tell_callback_exception},
    Row{Kind::future_exception_never_retrieved, tell_future_exception_never_retrieved},
};

void add_problem(const model::App& app, const model::Report& report, Tell* tell, std::vector<Problem>& found) {
    Problem& problem = found.emplace_back();
    problem.task = report.task;
    problem.time_ns = report.time_ns;
    problem.stack = places(app.model.stack(report.stack));
    problem.native_stack = native_places(app.model, report.frames);
    tell(app.model, report, problem);
}

void check(const Rule& rule, const model::App& app, std::vector<Problem>& found) {
    const Row& row =
        *std::ranges::find_if(rows, [&](const Row& each) { return vocabulary::row(each.kind).name == rule.name; });
    for (const model::Report& report : app.model.reports())
        if (report.kind == row.kind) add_problem(app, report, row.tell, found);
}

void check_unknown(const Rule&, const model::App& app, std::vector<Problem>& found) {
    for (const model::Report& report : app.model.reports()) {
        const bool known = report.kind == Kind::stall || std::ranges::find(rows, report.kind, &Row::kind) != rows.end();
        if (!known) add_problem(app, report, tell_unknown, found);
    }
}

}  // namespace

std::vector<Rule> report_rules() {
    std::vector<Rule> all;
    for (const Row& row : rows) {
        const vocabulary::ReportKindRow& kind = vocabulary::row(row.kind);
        all.push_back({kind.name, kind.meaning, kind.severity, false, check});
    }
    const vocabulary::ReportKindRow& unknown = vocabulary::row(Kind::unknown);
    all.push_back({"unknown_report", unknown.meaning, unknown.severity, false, check_unknown});
    return all;
}

}  // namespace coroscope::analysis
