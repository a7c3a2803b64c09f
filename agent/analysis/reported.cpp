// What the app itself reports, because it alone can know: a rule for each kind of report in the vocabulary.
//
// A kind needs no line here. Its problem then says where it happened and what the app wrote; a row in `tellings` adds
// evidence and advice of its own.
#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

#include "agent/words/ending.hpp"
#include "agent/words/task.hpp"
#include "agent/words/where.hpp"
#include "evidence.hpp"
#include "proto/words/place.hpp"

namespace coroscope::analysis {

namespace {

using model::ReportKind;

// The call that created the task of a report: known even if the task itself is no longer retained. 0: unknown.
model::NodeId creation(const model::Model& model, const model::Report& report) {
    const model::Task* task = model.task(report.task);
    return creation_of(model, task != nullptr && task->root != 0 ? task->root : report.stack);
}

// Where that is, or, if it is unknown, where its coroutine is defined.
words::Where creation_place(const model::Model& model, const model::Report& report) {
    const words::Where created = words::where(model, creation(model, report));
    return created.frame.line != 0 ? created : words::where(model, report.stack);
}

bool is_known(ReportKind kind) {
    const auto number = static_cast<std::size_t>(kind);
    return number != 0 && number < vocabulary::report_kinds.size();
}

// The tasks that the error of a report came through, if it is known where it came from: that is then the problem's
// place. Empty: it is not known.
std::vector<const model::Task*> thrown_in(const model::Model& model, const model::Report& report, Problem& problem) {
    const model::Task* task = model.task(report.task);
    if (task == nullptr || task->error_at == 0) return {};
    std::vector<const model::Task*> path = words::error_path(model, *task);
    problem.site = user_place(model, path.front()->error_at);
    problem.stack = places(model.stack(path.front()->error_at));
    return path;
}

bool in_group(const model::Model& model, model::TaskId task) {
    return std::ranges::any_of(model.resources(), [&](const model::Resource* resource) {
        return resource->type == model::ResourceType::task_group && std::ranges::count(resource->members, task) != 0;
    });
}

// Each fills in what its kind of report says beyond the stacks.
using Tell = void(const model::Model& model, const model::Report& report, Problem& problem);

void tell_never_awaited(const model::Model& model, const model::Report& report, Problem& problem) {
    const model::Site* coroutine = model.site(report.site);
    const Place own = coroutine == nullptr ? Place{"?", "", 0} : place_of(*coroutine);
    const Place created = innermost(problem.native_stack);
    problem.site = created.line != 0 ? created : own;
    problem.summary = "coroutine '" + own.function + "' was never awaited";
    problem.evidence =
        "coroutine '" + own.function + "' (" + words::place(own.file, own.line) + ") was destroyed before it ran";
    if (created.line != 0) problem.evidence += "; it was created at " + place_text(created);
    if (report.task != 0) problem.evidence += " in " + words::task_phrase(model, report.task);
    problem.advice =
        "A coroutine does nothing until it is awaited: write co_await before the call, or give it to create_task() to "
        "run it concurrently.";
}

void tell_exception_never_retrieved(const model::Model& model, const model::Report& report, Problem& problem) {
    const words::Where created = creation_place(model, report);
    problem.site = place_of(created.frame);
    if (auto stack = places(model.stack(creation(model, report))); !stack.empty()) problem.stack = std::move(stack);
    problem.summary = words::task_phrase(model, report.task) + " failed and nobody looked: " + report.text;
    problem.evidence = report.text + ", thrown by " + words::task_phrase(model, report.task);
    problem.evidence += ", created " + words::at_text(created);
    if (const auto path = thrown_in(model, report, problem); !path.empty())
        problem.evidence += "; the error was thrown " + words::thrown_text(model, path);
    if (in_group(model, report.task)) {
        problem.evidence += "; its task group was left before a join() had thrown the error";
        problem.advice =
            "End the group with join(), or use with_task_group(), which always joins and throws the errors.";
        return;
    }
    problem.evidence += "; its last handle was dropped before anybody asked for its result";
    problem.advice = "Await the task, or create it in a TaskGroup, which passes the error on to whoever joins it.";
}

void tell_uncaught_exception(const model::Model& model, const model::Report& report, Problem& problem) {
    const auto path = thrown_in(model, report, problem);
    if (path.empty() && report.stack != 0) problem.site = user_place(model, report.stack);
    problem.summary = "an exception that nobody caught ended the program: " + report.text;
    problem.evidence = report.text;
    if (!path.empty()) {
        problem.evidence += ", ended " + words::task_phrase(model, report.task) + " and left run(); it was thrown " +
                            words::thrown_text(model, path);
    } else if (report.task != 0) {
        problem.evidence += ", thrown in " + words::task_phrase(model, report.task);
    }
    problem.evidence += "; std::terminate() was called";
    problem.advice = "Catch it around run() in main(), or where the program can go on without what failed.";
}

void tell_task_destroyed_pending(const model::Model& model, const model::Report& report, Problem& problem) {
    const words::Where at = words::where(model, report.stack);
    problem.site = place_of(at.frame);
    problem.summary = words::task_phrase(model, report.task) + " was destroyed but it is pending";
    problem.evidence = "it was waiting " + words::at_text(at) + " when its loop was destroyed; created " +
                       words::at_text(creation_place(model, report));
    problem.advice =
        "End the loop with run(), which cancels what is left and waits for it, or call cancel_all_tasks() before the "
        "loop is destroyed.";
}

void tell_callback_exception(const model::Model& model, const model::Report& report, Problem& problem) {
    problem.site = user_place(model, report.stack);
    problem.summary = "a callback threw: " + report.text;
    problem.evidence = report.text.empty() ? "an exception that says nothing" : report.text;
    if (report.stack != 0)
        problem.evidence += "; the callback was scheduled " + words::at_text(words::where(model, report.stack));
    problem.advice = "Nobody awaits a callback, so nobody gets its exception: catch it inside, or use a task.";
}

void tell_future_exception_never_retrieved(const model::Model& model, const model::Report& report, Problem& problem) {
    problem.site = user_place(model, report.stack);
    problem.summary = "a future failed and nobody looked: " + report.text;
    problem.evidence = report.text + " was set as the result of a future";
    if (report.task != 0) problem.evidence += " by " + words::task_phrase(model, report.task);
    if (report.stack != 0) problem.evidence += " " + words::at_text(words::where(model, report.stack));
    problem.evidence += "; its last handle was dropped before anybody asked for the result";
    problem.advice = "Await the future, or ask for its exception() before it is destroyed.";
}

void tell_wrong_thread(const model::Model& model, const model::Report& report, Problem& problem) {
    problem.site = innermost(problem.native_stack);
    problem.summary = report.text + " from another thread than the loop's";
    problem.evidence = report.text;
    if (report.task != 0) problem.evidence += " (" + words::task_phrase(model, report.task) + ")";
    problem.evidence += " at " +
                        (problem.site.line != 0 ? place_text(problem.site) : "a place without debug information") +
                        ", on a thread that does not run the loop";
    if (report.stack != 0) problem.evidence += "; the task waits " + words::at_text(words::where(model, report.stack));
    problem.evidence += ". The loop is not woken by it, and both threads use the same data at once";
    problem.advice =
        "From another thread call loop.call_soon_threadsafe(...) with what is to be done, or "
        "run_coroutine_threadsafe(...): only these are safe.";
}

void tell_crashed(const model::Model& model, const model::Report& report, Problem& problem) {
    const words::Where began = words::where(model, report.stack);
    const Place during = innermost(problem.native_stack);
    problem.site = in_users_code(during) ? during : place_of(began.frame);
    const std::string who = report.task != 0          ? " in a step of " + words::task_phrase(model, report.task)
                            : report.duration_ns != 0 ? " in a callback"
                                                      : " outside of any step";
    problem.summary = "the app crashed: " + report.text + who;
    problem.evidence = report.text + who;
    if (const std::string where = native_place_text(problem.native_stack); !where.empty())
        problem.evidence += "; the thread was at " + where;
    if (began.known()) problem.evidence += "; the step began " + words::at_text(began);
    problem.advice =
        "The native stack is that of the thread that got the signal, the async stack that of its task. What the app "
        "did before is recorded up to this moment.";
}

void tell_unclosed_transport(const model::Model& model, const model::Report& report, Problem& problem) {
    problem.site = user_place(model, report.stack);
    problem.summary = "unclosed transport: " + report.text;
    problem.evidence = report.text;
    if (report.task != 0) problem.evidence += "; found in " + words::task_phrase(model, report.task);
    problem.advice =
        "Await wait_closed() of the writer, or wait() of the process, before its handle goes and before run() ends: "
        "nobody waits for what has no handle.";
}

void tell_write_after_loss(const model::Model& model, const model::Report& report, Problem& problem) {
    problem.site = user_place(model, report.stack);
    problem.summary = "writes go on to " + report.text;
    problem.evidence = "five writes came after the loss of " + report.text;
    if (report.task != 0) problem.evidence += ", from " + words::task_phrase(model, report.task);
    problem.evidence += "; what was written is gone";
    problem.advice =
        "Await drain() after each write: it throws when the connection is lost, and it bounds what is kept in memory.";
}

struct Telling {
    ReportKind kind;
    Tell* tell;
};
constexpr std::array tellings{
    Telling{ReportKind::never_awaited, tell_never_awaited},
    Telling{ReportKind::exception_never_retrieved, tell_exception_never_retrieved},
    Telling{ReportKind::task_destroyed_pending, tell_task_destroyed_pending},
    Telling{ReportKind::callback_exception, tell_callback_exception},
    Telling{ReportKind::future_exception_never_retrieved, tell_future_exception_never_retrieved},
    Telling{ReportKind::wrong_thread, tell_wrong_thread},
    Telling{ReportKind::uncaught_exception, tell_uncaught_exception},
    Telling{ReportKind::crashed, tell_crashed},
    Telling{ReportKind::unclosed_transport, tell_unclosed_transport},
    Telling{ReportKind::write_after_loss, tell_write_after_loss},
};

// What can be said of any kind.
void tell_any(const model::Model& model, const model::Report& report, Problem& problem) {
    std::string name(model.term(vocabulary::Table::report_kind, static_cast<std::uint32_t>(report.kind)));
    std::ranges::replace(name, '_', ' ');
    problem.site = problem.stack.empty() ? innermost(problem.native_stack) : user_place(model, report.stack);
    problem.summary = report.text.empty() ? name : name + ": " + report.text;
    problem.evidence = "the app reported it";
    if (report.task != 0) problem.evidence += " of " + words::task_phrase(model, report.task);
    if (problem.site.line != 0) problem.evidence += " at " + place_text(problem.site);
    if (!report.text.empty()) problem.evidence += ": " + report.text;
    problem.advice = "There is no advice for this kind of report here; a newer coroscope may have some.";
}

void add(const model::Model& model, const model::Report& report, std::vector<Problem>& found) {
    Problem& problem = found.emplace_back();
    problem.task = report.task;
    problem.time_ns = report.time_ns;
    problem.duration_ns = report.duration_ns;
    problem.cause = report.text;
    problem.stack = places(model.stack(report.stack));
    problem.native_stack = native_places(model, report.frames);
    const auto telling = std::ranges::find(tellings, report.kind, &Telling::kind);
    (telling == tellings.end() ? tell_any : telling->tell)(model, report, problem);
}

void check(const Rule& rule, const Inspection& seen, std::vector<Problem>& found) {
    for (const model::Report& report : seen.model.reports())
        if (model::to_string(report.kind) == rule.name && is_known(report.kind)) add(seen.model, report, found);
}

// Under the name and with the severity that the app gave the kind.
void check_unknown(const Rule& rule, const Inspection& seen, std::vector<Problem>& found) {
    for (const model::Report& report : seen.model.reports()) {
        if (is_known(report.kind)) continue;
        add(seen.model, report, found);
        const auto number = static_cast<std::uint32_t>(report.kind);
        found.back().kind = seen.model.term(vocabulary::Table::report_kind, number);
        found.back().severity = rule.severity;
        for (const model::UnknownTerm& term : seen.model.unknown_terms())
            if (term.table == vocabulary::Table::report_kind && term.id == number)
                found.back().severity = term.severity;
    }
}

}  // namespace

std::vector<Rule> report_rules() {
    std::vector<Rule> all;
    for (const vocabulary::ReportKindRow& row : vocabulary::report_kinds) {
        // Evidence for slow_step, no_cpu, stalled_loop and blocking_call; samples are no problem.
        if (row.kind == ReportKind::stall || row.kind == ReportKind::step_cost ||
            row.kind == ReportKind::blocked_calls || row.kind == ReportKind::cpu_samples)
            continue;
        const bool unknown = row.kind == ReportKind::unknown;
        all.push_back({.name = unknown ? "unknown_report" : row.name,
                       .finds = row.meaning,
                       .severity = row.severity,
                       .check = unknown ? check_unknown : check});
    }
    return all;
}

}  // namespace coroscope::analysis
