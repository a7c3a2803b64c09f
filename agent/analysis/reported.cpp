// The rules whose facts the app itself reports, because it alone can know: never awaited, exception never retrieved,
// destroyed pending, exception in a callback.
#include "evidence.hpp"

namespace coroscope::analysis {

namespace {

using Kind = model::ReportKind;

Problem begin(const model::Model& model, const model::Report& report) {
    Problem problem;
    problem.task = report.task;
    problem.time_ns = report.time_ns;
    problem.stack = places(model.stack(report.stack));
    problem.native_stack = native_places(model, report.frames);
    return problem;
}

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

class NeverAwaited final : public Rule {
public:
    std::string_view kind() const override { return "never_awaited"; }
    std::string_view description() const override { return "a coroutine object was destroyed before it ran"; }

    void check(model::AppKey, const model::App& app, std::vector<Problem>& found) const override {
        const model::Model& model = app.model;
        for (const model::Report& report : model.reports()) {
            if (report.kind != Kind::never_awaited) continue;
            Problem problem = begin(model, report);
            const model::Site* coroutine = model.site(report.site);
            const Place own = coroutine == nullptr ? Place{"?", "", 0} : place_of(*coroutine);
            const Place created = innermost(problem.native_stack);
            problem.site = created.line != 0 ? created : own;
            problem.summary = "coroutine '" + own.function + "' was never awaited";
            problem.evidence = "coroutine '" + own.function + "' (" + place_text(own) + ") was destroyed before it ran";
            if (created.line != 0) problem.evidence += "; it was created at " + place_text(created);
            if (report.task != 0) problem.evidence += " in " + task_text(model, report.task);
            problem.advice =
                "A coroutine does nothing until it is awaited: write co_await before the call, or give it to "
                "create_task() to run it concurrently.";
            found.push_back(std::move(problem));
        }
    }
};

class ExceptionNeverRetrieved final : public Rule {
public:
    std::string_view kind() const override { return "exception_never_retrieved"; }
    std::string_view description() const override { return "a task failed and nobody looked"; }

    void check(model::AppKey, const model::App& app, std::vector<Problem>& found) const override {
        const model::Model& model = app.model;
        for (const model::Report& report : model.reports()) {
            if (report.kind != Kind::exception_never_retrieved) continue;
            Problem problem = begin(model, report);
            problem.site = creation_place(model, report);
            if (auto created = creation(model, report); !created.empty()) problem.stack = std::move(created);
            problem.summary = task_text(model, report.task) + " failed and nobody looked: " + report.text;
            problem.evidence = report.text + ", thrown by " + task_text(model, report.task) + ", created at " +
                               place_text(problem.site) +
                               "; its last handle was dropped before anybody asked for its result";
            problem.advice =
                "Await the task, or create it in a TaskGroup, which passes the error on to whoever joins it.";
            found.push_back(std::move(problem));
        }
    }
};

class TaskDestroyedPending final : public Rule {
public:
    std::string_view kind() const override { return "task_destroyed_pending"; }
    std::string_view description() const override { return "a task was destroyed before it was done"; }

    void check(model::AppKey, const model::App& app, std::vector<Problem>& found) const override {
        const model::Model& model = app.model;
        for (const model::Report& report : model.reports()) {
            if (report.kind != Kind::task_destroyed_pending) continue;
            Problem problem = begin(model, report);
            problem.site = innermost(problem.stack);
            problem.summary = task_text(model, report.task) + " was destroyed but it is pending";
            problem.evidence = "it was waiting at " + place_text(problem.site) +
                               " when its loop was destroyed; created at " + place_text(creation_place(model, report));
            problem.advice =
                "End the loop with run(), which cancels what is left and waits for it, or call cancel_all_tasks() "
                "before the loop goes.";
            found.push_back(std::move(problem));
        }
    }
};

class CallbackException final : public Rule {
public:
    std::string_view kind() const override { return "callback_exception"; }
    std::string_view description() const override { return "a callback on the loop threw"; }

    void check(model::AppKey, const model::App& app, std::vector<Problem>& found) const override {
        const model::Model& model = app.model;
        for (const model::Report& report : model.reports()) {
            if (report.kind != Kind::callback_exception) continue;
            Problem problem = begin(model, report);
            problem.site = innermost(problem.stack);
            problem.summary = "a callback threw: " + report.text;
            problem.evidence = report.text.empty() ? "an exception that says nothing" : report.text;
            problem.advice = "Nobody awaits a callback, so nobody gets its exception: catch it inside, or use a task.";
            found.push_back(std::move(problem));
        }
    }
};

}  // namespace

const Rule& never_awaited_rule() {
    static const NeverAwaited rule;
    return rule;
}
const Rule& exception_never_retrieved_rule() {
    static const ExceptionNeverRetrieved rule;
    return rule;
}
const Rule& task_destroyed_pending_rule() {
    static const TaskDestroyedPending rule;
    return rule;
}
const Rule& callback_exception_rule() {
    static const CallbackException rule;
    return rule;
}

}  // namespace coroscope::analysis
