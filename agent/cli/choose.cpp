#include "choose.hpp"

#include <vector>

#include "command.hpp"
#include "describe.hpp"

namespace coroscope::cli {

const model::App& choose_app(const model::Session& session, const std::string& wanted) {
    std::vector<const model::App*> found;
    for (const auto& [key, app] : session.apps()) {
        if (app.connected && (std::to_string(app.pid) == wanted || app.name == wanted)) found.push_back(&app);
    }
    if (found.size() == 1) return *found.front();
    if (found.empty()) throw Failure("no connected app has the name or pid '" + wanted + "'; coroscope ps lists them");
    throw Failure(std::to_string(found.size()) + " connected apps are called '" + wanted +
                  "'; give the pid of one, as coroscope ps shows it");
}

const model::Task& choose_live_task(const model::App& app, const std::string& wanted) {
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

}  // namespace coroscope::cli
