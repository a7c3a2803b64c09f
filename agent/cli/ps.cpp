// coroscope ps: the tasks of every app, as a table or JSON.
#include <memory>

#include "command.hpp"
#include "describe.hpp"
#include "output.hpp"
#include "source.hpp"

namespace coroscope::cli {

namespace {

struct Options {
    SourceOptions source;
    bool json = false, all = false;
};

// What JSON calls none is null.
Json outcome_json(model::Outcome outcome) {
    return outcome == model::Outcome::unknown ? Json(nullptr) : Json(std::string(model::to_string(outcome)));
}

Json task_json(const model::Model& model, const model::Task& task) {
    return {
        {"id", task.id},
        {"parent", task.parent},
        {"name", model.task_name(task)},
        {"coroutine", model.coroutine(task)},
        {"state", std::string(model::to_string(task.state))},
        {"outcome", outcome_json(task.outcome)},
        {"waits_on", {{"verb", std::string(model::to_string(task.wait.verb))}, {"operand", task.wait.operand}}},
        {"await_stack", stack_json(model.await_stack(task))},
        {"created_at", stack_json(model.creation_stack(task))},
        {"busy_ns", busy_ns(model, task)},
        {"ready_ns", task.ready_ns},
        {"longest_step_ns", task.longest_step_ns},
        {"steps", task.steps},
        {"cancel_requests", task.cancel_requests},
        {"incomplete", task.incomplete},
    };
}

std::vector<const model::Task*> tasks_of(const model::App& app, bool with_done) {
    return with_done ? app.model.all_tasks() : app.model.live_tasks();
}

Json app_json(const model::App& app, bool with_done) {
    Json tasks = Json::array();
    for (const model::Task* task : tasks_of(app, with_done)) tasks.push_back(task_json(app.model, *task));
    return {
        {"name", app.name},
        {"pid", app.pid},
        {"connected", app.connected},
        {"dropped", app.model.dropped()},
        {"batches_lost", app.model.batches_lost()},
        {"host", app.host},
        {"connections", app.connections},
        {"disconnect_reason", app.connected ? Json(nullptr) : Json(app.disconnect_reason)},
        {"tasks", std::move(tasks)},
    };
}

void print_app(const model::App& app, bool with_done) {
    const model::Model& model = app.model;
    std::string title = styled(app_title(app), Style::bold) + "  " +
                        styled(app_state(app), app.connected || app.orderly ? Style::plain : Style::yellow) + "  " +
                        counted(model.live_tasks().size(), app.connected ? "live task" : "task alive at the end",
                                app.connected ? "live tasks" : "tasks alive at the end");
    if (model.dropped() != 0) title += "  " + styled(std::to_string(model.dropped()) + " events lost", Style::yellow);
    print(title + "\n");

    std::vector<std::vector<std::string>> rows;
    for (const model::Task* task : tasks_of(app, with_done)) {
        rows.push_back({std::to_string(task->id), clean(model.task_name(*task)), clean(model.coroutine(*task)),
                        styled(state_text(*task), state_style(*task)), duration(busy_ns(model, *task)),
                        std::to_string(task->steps), wait_text(model, *task), where_text(model, *task)});
    }
    if (rows.empty()) return;
    rows.insert(rows.begin(), {"ID", "NAME", "COROUTINE", "STATE", "BUSY", "STEPS", "WAITS FOR", "AT"});
    print_table(rows, "  ");
}

int run(const Options& options) {
    const Source source = load(options.source);
    const bool with_done = options.all || !source.live;
    if (options.json) {
        Json apps = Json::array();
        for (const auto& [key, app] : source.session.apps()) apps.push_back(app_json(app, with_done));
        print_json({{"apps", std::move(apps)}});
        return exit_ok;
    }
    bool first = true;
    for (const auto& [key, app] : source.session.apps()) {
        if (!std::exchange(first, false)) print("\n");
        print_app(app, with_done);
    }
    if (first) print("no app: start one with `coroscope run PROGRAM`, or with COROSCOPE=1 in its environment\n");
    return exit_ok;
}

}  // namespace

void add_ps(CLI::App& root, Action& action) {
    auto options = std::make_shared<Options>();
    CLI::App* command =
        root.add_subcommand("ps", "List the tasks of every app: state, time spent, where each one waits and on what");
    add_source(*command, options->source);
    add_moment(*command, options->source);
    command->add_flag("--json", options->json, "Print JSON");
    command->add_flag("-a,--all", options->all,
                      "Of a live agent: tasks that have ended, too (a trace file's are always shown)");
    command->footer(
        "Examples:\n"
        "  coroscope ps                              what runs under the default agent\n"
        "  coroscope ps --json | jq '.apps[].name'   for scripts\n"
        "  coroscope ps t.cst                        all tasks of a trace file");
    command->callback([options, &action] { action = [options] { return run(*options); }; });
}

}  // namespace coroscope::cli
