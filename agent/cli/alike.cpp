#include "alike.hpp"

#include <map>
#include <tuple>

#include "agent/words/task.hpp"
#include "agent/words/where.hpp"

namespace coroscope::cli {

namespace {

constexpr std::size_t many = 12, few = 3;

// The root node is both the coroutine and the place of its creation.
auto key_of(const model::Task& task) {
    return std::tuple(task.root, task.suspended_at, task.state, task.outcome, task.wait.verb);
}

}  // namespace

std::vector<Shown> fold_alike(const std::vector<const model::Task*>& tasks,
                              const std::function<bool(const model::Task&)>& must_show) {
    struct Group {
        std::size_t size = 0, seen = 0;
        std::size_t row = 0;  // where those that are left out are counted
    };
    std::map<decltype(key_of(*tasks.front())), Group> groups;
    for (const model::Task* task : tasks)
        if (!must_show(*task)) ++groups[key_of(*task)].size;
    std::vector<Shown> rows;
    for (const model::Task* task : tasks) {
        if (must_show(*task)) {
            rows.push_back({task, 0});
            continue;
        }
        Group& group = groups.at(key_of(*task));
        if (++group.seen <= few || group.size <= many) {
            rows.push_back({task, 0});
        } else if (group.seen == few + 1) {
            group.row = rows.size();
            rows.push_back({task, 1});
        } else {
            ++rows[group.row].left_out;
        }
    }
    return rows;
}

std::string left_out_text(const model::Model& model, const Shown& shown) {
    std::string text = std::to_string(shown.left_out) + " more like this: " + words::coroutine(model, *shown.task);
    const model::Node* root = model.node(shown.task->root);
    if (root != nullptr && root->parent != 0) text += ", created " + words::at_text(words::where(model, root->parent));
    return text;
}

}  // namespace coroscope::cli
