#include "describe.hpp"

#include "text.hpp"

namespace coroscope::viewer {

Location location(const model::Model& model, model::NodeId node) {
    const model::Site* site = node == 0 ? nullptr : model.site_of(node);
    if (site == nullptr) return {};
    return {site->function, site->file, site->line};
}

std::string place_of(const model::Model& model, model::NodeId node) {
    const Location where = location(model, node);
    return place_text(where.file, where.line);
}

std::string wait_text(const model::Model& model, const model::Wait& wait) { return model.wait_words(wait); }

std::string name_of(const model::Model& model, model::TaskId id) {
    const model::Task* task = model.task(id);
    return task != nullptr ? model.task_name(*task) : "Task-" + std::to_string(id) + " (gone)";
}

std::string title_of(const model::Model& model, const model::Task& task) {
    std::string title = model.task_name(task);
    const std::string coroutine = short_function_text(model.coroutine(task));
    if (!coroutine.empty() && coroutine != "?" && coroutine != title) title += " (" + coroutine + ")";
    return title;
}

std::uint64_t age_ns(const model::Model& model, const model::Task& task) {
    if (task.created_ns == 0) return 0;
    const std::uint64_t end = task.state == model::State::done ? task.done_ns : model.now_ns();
    return end > task.created_ns ? end - task.created_ns : 0;
}

std::uint64_t in_state_ns(const model::Model& model, const model::Task& task) {
    if (task.changed_ns == 0 || model.now_ns() < task.changed_ns) return 0;
    return model.now_ns() - task.changed_ns;
}

std::uint64_t busy_so_far_ns(const model::Model& model, const model::Task& task) {
    const bool running =
        task.state == model::State::running && task.step_began_ns != 0 && model.now_ns() > task.step_began_ns;
    return task.busy_ns + (running ? model.now_ns() - task.step_began_ns : 0);
}

model::SiteId coroutine_site(const model::Model& model, model::TaskId id) {
    const model::Task* task = id == 0 ? nullptr : model.task(id);
    const model::Node* node = task == nullptr ? nullptr : model.node(task->root);
    return node == nullptr ? 0 : node->site;
}

}  // namespace coroscope::viewer
