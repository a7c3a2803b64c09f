// coroscope cancel: asks a task of a live app to end, as its own code could.
#include <memory>

#include "agent/words/task.hpp"
#include "choose.hpp"
#include "client.hpp"
#include "command.hpp"
#include "describe.hpp"
#include "output.hpp"
#include "proto/address/default_address.hpp"
#include "proto/words/utf8.hpp"

namespace coroscope::cli {

namespace {

struct CancelOptions {
    std::string agent = default_address(), app, task;
};

int run_cancel(const CancelOptions& options) {
    Client client(options.agent);
    const model::Session session = client.snapshot();
    const model::App& app = choose_app(session, options.app);
    const model::Task& task = choose_live_task(app, options.task);
    v2::Command command;
    command.set_cancel_task(task.id);
    const v2::CommandResult result = client.control(app.key, command);
    const std::string what = words::task_name(app.model, task.id) + " of " + app_title(app);
    if (!result.done()) throw Failure("could not cancel " + what + ": " + words::printable(result.error()));
    print("asked " + what + " to cancel\n");
    return exit_ok;
}

}  // namespace

void add_cancel(Command root) {
    auto options = std::make_shared<CancelOptions>();
    Command command = root.subcommand("cancel", "Cancel a task of a live app");
    command.option("app", options->app, "The app's name or pid").required().type("APP");
    command.option("task", options->task, "The task's id or name").required().type("TASK");
    command.option("--agent", options->agent, "A live agent: unix:PATH or HOST:PORT").type("ADDRESS").shows_default();
    command.footer("Examples:\n  coroscope cancel web_server 12\n  coroscope cancel 4711 Task-12");
    command.runs([options] { return run_cancel(*options); });
}

}  // namespace coroscope::cli
