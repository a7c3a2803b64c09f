// coroscope cancel: asks a task of a live app to end, as its own code could.
#include <algorithm>
#include <memory>

#include "agent/words/task.hpp"
#include "client.hpp"
#include "command.hpp"
#include "describe.hpp"
#include "output.hpp"
#include "proto/address/default_address.hpp"
#include "proto/words/utf8.hpp"

namespace coroscope::cli {

namespace {

struct Options {
    std::string agent = default_address(), app, task;
};

const model::App& find_app(const model::Session& session, const std::string& wanted) {
    std::vector<const model::App*> found;
    for (const auto& [key, app] : session.apps()) {
        if (app.connected && (std::to_string(app.pid) == wanted || app.name == wanted)) found.push_back(&app);
    }
    if (found.size() == 1) return *found.front();
    if (found.empty()) throw Failure("no connected app has the name or pid '" + wanted + "'; coroscope ps lists them");
    throw Failure(std::to_string(found.size()) + " connected apps are called '" + wanted +
                  "'; give the pid of one, as coroscope ps shows it");
}

const model::Task& find_task(const model::App& app, const std::string& wanted) {
    std::vector<const model::Task*> found;
    for (const model::Task* task : app.model.live_tasks()) {
        if (std::to_string(task->id) == wanted) return *task;
        if (app.model.task_name(*task) == wanted) found.push_back(task);
    }
    if (found.size() == 1) return *found.front();
    if (found.empty()) throw Failure(app_title(app) + " has no live task '" + wanted + "'; coroscope ps lists them");
    throw Failure(std::to_string(found.size()) + " tasks are called '" + wanted +
                  "'; give the id of one, as coroscope ps shows it");
}

int run(const Options& options) {
    Client client(options.agent);
    const model::Session session = client.snapshot();
    const model::App& app = find_app(session, options.app);
    const model::Task& task = find_task(app, options.task);
    v2::Command command;
    command.set_cancel_task(task.id);
    const v2::CommandResult result = client.control(app.key, command);
    const std::string what = words::task_name(app.model, task.id) + " of " + app_title(app);
    if (!result.done()) throw Failure("could not cancel " + what + ": " + words::printable(result.error()));
    print("asked " + what + " to cancel\n");
    return exit_ok;
}

}  // namespace

void add_cancel(CLI::App& root, Action& action) {
    auto options = std::make_shared<Options>();
    CLI::App* command = root.add_subcommand("cancel", "Cancel a task of a live app");
    command->add_option("app", options->app, "The app's name or pid")->required()->type_name("APP");
    command->add_option("task", options->task, "The task's id or name")->required()->type_name("TASK");
    command->add_option("--agent", options->agent, "A live agent: unix:PATH or HOST:PORT")
        ->type_name("ADDRESS")
        ->capture_default_str();
    command->footer("Examples:\n  coroscope cancel web_server 12\n  coroscope cancel 4711 Task-12");
    command->callback([options, &action] { action = [options] { return run(*options); }; });
}

}  // namespace coroscope::cli
