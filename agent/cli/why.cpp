// coroscope why: what a task really waits for, from one task to the next.
#include <memory>

#include "agent/analysis/why.hpp"
#include "command.hpp"
#include "describe.hpp"
#include "output.hpp"
#include "proto/words/utf8.hpp"
#include "source.hpp"

namespace coroscope::cli {

namespace {

struct WhyOptions {
    SourceOptions source;
    std::string task;
    bool json = false;
};

struct Found {
    const model::App* app = nullptr;
    const model::Task* task = nullptr;
};

// By id or name, in all apps; the live ones first.
std::vector<Found> find_tasks(const model::Session& session, const std::string& wanted) {
    std::vector<Found> live, ended;
    for (const auto& [key, app] : session.apps())
        for (const model::Task* task : app.model.all_tasks())
            if (std::to_string(task->id) == wanted || app.model.task_name(*task) == wanted)
                (task->state == model::State::done ? ended : live).push_back({&app, task});
    live.insert(live.end(), ended.begin(), ended.end());
    return live;
}

Json chain_json(const Found& found, const std::vector<analysis::Part>& chain) {
    Json parts = Json::array();
    for (const analysis::Part& part : chain) parts.push_back(part_json(found.app->model, part));
    return {{"app", found.app->name}, {"pid", found.app->pid}, {"task", found.task->id}, {"chain", std::move(parts)}};
}

void print_chain(const Found& found, const std::vector<analysis::Part>& chain) {
    print(styled(app_title(*found.app), Style::bold) + "\n");
    std::string indent = "  ";
    for (const analysis::Part& part : chain) {
        print(indent + words::printable(part.text) + "\n");
        indent += "  ";
        if (indent.size() > 40) indent.resize(40);  // a long chain stays readable
    }
}

int run_why(const WhyOptions& options) {
    const Source source = load(options.source);
    const std::vector<Found> tasks = find_tasks(source.session, options.task);
    if (tasks.empty()) throw Failure("no task '" + options.task + "' in " + source.name + "; coroscope ps lists them");
    Json all = Json::array();
    for (const Found& found : tasks) {
        const analysis::WaitGraph graph(found.app->model);
        const std::vector<analysis::Part> chain = analysis::why(found.app->model, graph, found.task->id);
        if (options.json)
            all.push_back(chain_json(found, chain));
        else
            print_chain(found, chain);
    }
    if (options.json) print_json({{"why", std::move(all)}});
    return exit_ok;
}

}  // namespace

void add_why(Command root) {
    auto options = std::make_shared<WhyOptions>();
    Command command = root.subcommand("why", "Tell what a task really waits for: on whom, who holds it, since when");
    command.option("task", options->task, "The task's id or name").required().type("TASK");
    add_source(command, options->source);
    add_moment(command, options->source);
    command.flag("--json", options->json, "Print JSON");
    command.footer(
        "Examples:\n"
        "  coroscope why checkout           of an app under the default agent\n"
        "  coroscope why 12 t.cst           task 12 of a trace file");
    command.runs([options] { return run_why(*options); });
}

}  // namespace coroscope::cli
