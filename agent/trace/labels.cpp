// Names for people.
#include "labels.hpp"

#include "agent/words/ending.hpp"
#include "agent/words/task.hpp"
#include "agent/words/where.hpp"
#include "proto/words/function_name.hpp"
#include "proto/words/place.hpp"

namespace coroscope::trace {

std::string Labels::task(const model::Task& task) {
    const std::string name = words::task_name(model_, task.id);
    const std::string& coroutine = coroutine_of(task.root);
    return name == coroutine ? name : name + " " + coroutine;
}

const std::string& Labels::coroutine_of(model::NodeId node) {
    const auto [at, added] = coroutines_.try_emplace(node);
    if (!added) return at->second;
    at->second = "?";
    constexpr int max_depth = 10'000;  // more than any real stack; a loop in the nodes ends here
    for (int depth = 0; node != 0 && depth < max_depth; ++depth) {
        const model::Node* n = model_.node(node);
        if (n == nullptr) break;
        if (n->kind == model::NodeKind::task) {
            if (const model::Site* site = model_.site(n->site); site != nullptr && !site->function.empty())
                at->second = words::function_name(site->function);
            break;
        }
        node = n->parent;
    }
    return at->second;
}

std::string Labels::step(const model::Slice& slice) {
    if (slice.task == 0) {
        const model::Site* site = model_.site_of(slice.began_at);
        return "callback " + (site == nullptr ? "?" : words::function_name(site->function));
    }
    const model::Task* known = model_.task(slice.task);
    if (known != nullptr) return task(*known);
    return "Task-" + std::to_string(slice.task) + " " + coroutine_of(slice.began_at);
}

const std::string& Labels::phase_at(model::NodeId node) {
    const auto [at, added] = phases_.try_emplace(node);
    if (added) {
        const words::Where where = words::where(model_, node);
        const std::string line = words::place(where);
        at->second = line.empty() ? "await" : (where.created ? "await, " : "await ") + line;
    }
    return at->second;
}

std::string Labels::ending(const model::Task& task) const { return words::ending(model_, task); }

std::string Labels::wait(const model::Wait& wait) const { return words::wait(model_, wait); }

const std::string& Labels::place(model::NodeId node) {
    const auto [at, added] = places_.try_emplace(node);
    if (added) {
        const words::Where where = words::where(model_, node);
        const std::string line = words::full_place(where.frame.file, where.frame.line);
        at->second = where.created && !line.empty() ? "created at " + line : line;
    }
    return at->second;
}

const std::string& Labels::creation_place(const model::Task& task) {
    const model::Node* root = model_.node(task.root);
    return place(root == nullptr ? 0 : root->parent);
}

const std::string& Labels::stack_text(model::NodeId node) {
    const auto [at, added] = stacks_.try_emplace(node);
    if (!added) return at->second;
    for (const auto& frame : model_.stack(node)) {
        if (!at->second.empty()) at->second += " > ";
        at->second += words::frame(frame.function, words::full_place(frame.file, frame.line));
    }
    return at->second;
}

std::vector<Frame> Labels::stack(model::NodeId node) const {
    std::vector<Frame> frames;
    for (const auto& frame : model_.stack(node))
        frames.push_back({std::string{frame.function}, std::string{frame.file}, frame.line});
    return frames;
}

}  // namespace coroscope::trace
