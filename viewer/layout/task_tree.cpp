#include "task_tree.hpp"

#include <algorithm>
#include <sstream>
#include <tuple>

#include "text.hpp"

namespace coroscope::viewer {

namespace {

std::uint64_t task_key(model::TaskId task) { return task; }

// Groups have keys of their own: the parent and the creation site, mixed, with the top bit set.
std::uint64_t group_key(model::TaskId parent, model::NodeId root) {
    std::uint64_t mixed = (parent + 0x9e3779b97f4a7c15u) * 0xbf58476d1ce4e5b9u ^ (root * 0x94d049bb133111ebu);
    mixed ^= mixed >> 29;
    return mixed | 1ull << 63;
}

std::vector<std::string> words(const std::string& text) {
    std::vector<std::string> result;
    std::istringstream in(text);
    for (std::string word; in >> word;) result.push_back(word);
    return result;
}

bool is_open(const Toggled& toggled, std::uint64_t key, bool group) { return toggled.contains(key) ? group : !group; }

// What the filter looks at: name, coroutine, state, outcome, and the files of its stack.
class Matcher {
public:
    Matcher(const model::Model& model, const std::string& filter) : model_(model), words_(words(filter)) {}

    bool matches(const model::Task& task) {
        if (words_.empty()) return true;
        const std::string name = model_.task_name(task);
        const std::string& coroutine = cached(coroutines_, task.root, [&] { return model_.coroutine(task); });
        const std::string& place = task.state == model::State::suspended
                                       ? cached(places_, task.suspended_at, [&] { return place_of(task); })
                                       : empty_;
        return std::all_of(words_.begin(), words_.end(), [&](const std::string& word) {
            return contains_text(name, word) || contains_text(coroutine, word) || contains_text(place, word) ||
                   contains_text(model::to_string(task.state), word) ||
                   contains_text(model::to_string(task.outcome), word) ||
                   (task.state == model::State::suspended && contains_text(model::to_string(task.wait.verb), word));
        });
    }

private:
    template <typename Make>
    const std::string& cached(std::unordered_map<model::NodeId, std::string>& cache, model::NodeId node, Make make) {
        const auto [at, fresh] = cache.try_emplace(node);
        if (fresh) at->second = make();
        return at->second;
    }

    std::string place_of(const model::Task& task) const {
        std::string text;
        for (const auto& frame : model_.await_stack(task)) text += place_text(frame.file, frame.line) + " ";
        return text;
    }

    const model::Model& model_;
    std::vector<std::string> words_;
    std::unordered_map<model::NodeId, std::string> coroutines_, places_;
    const std::string empty_;
};

}  // namespace

struct TaskTree::Group {
    std::vector<std::uint32_t> members;
};

void TaskTree::build(const model::Model& model, const TreeOptions& options, const Toggled& toggled) {
    coroutines_.clear();
    link(model);
    filter(model, options);
    emit(model, options, toggled);
}

void TaskTree::link(const model::Model& model) {
    const std::vector<const model::Task*> all = model.all_tasks();
    tasks_.clear();
    tasks_.reserve(all.size());
    for (const model::Task* task : all) tasks_.push_back({task, none, none, none, false, false});
    first_root_ = none;
    std::uint32_t last_root = none;
    std::vector<std::uint32_t> last_child(all.size(), none);
    for (std::uint32_t i = 0; i < tasks_.size(); ++i) {
        const model::TaskId parent = tasks_[i].task->parent;
        // Ids are in order and a parent is older than its children, so only those before can be it.
        const auto at = std::lower_bound(all.begin(), all.begin() + i, parent,
                                         [](const model::Task* task, model::TaskId id) { return task->id < id; });
        const bool has_parent = parent != 0 && at != all.begin() + i && (*at)->id == parent;
        tasks_[i].parent = has_parent ? static_cast<std::uint32_t>(at - all.begin()) : none;
        std::uint32_t& first = has_parent ? tasks_[tasks_[i].parent].first_child : first_root_;
        std::uint32_t& last = has_parent ? last_child[tasks_[i].parent] : last_root;
        (last == none ? first : tasks_[last].next) = i;
        last = i;
    }
}

void TaskTree::filter(const model::Model& model, const TreeOptions& options) {
    Matcher matcher(model, options.filter);
    matching_ = 0;
    // Children come after their parents, so one pass from the end hands "needed" up.
    for (std::size_t i = tasks_.size(); i-- > 0;) {
        Entry& entry = tasks_[i];
        entry.matches = (options.show_done || entry.task->state != model::State::done) && matcher.matches(*entry.task);
        matching_ += entry.matches ? 1 : 0;
        entry.needed = entry.needed || entry.matches;
        if (entry.needed && entry.parent != none) tasks_[entry.parent].needed = true;
    }
}

std::vector<std::uint32_t> TaskTree::needed_children(std::uint32_t first) const {
    std::vector<std::uint32_t> result;
    for (std::uint32_t i = first; i != none; i = tasks_[i].next) {
        if (tasks_[i].needed) result.push_back(i);
    }
    return result;
}

void TaskTree::sort(const model::Model& model, const TreeOptions& options, std::vector<std::uint32_t>& siblings) {
    const auto coroutine = [&](std::uint32_t i) -> const std::string& {
        const auto [at, fresh] = coroutines_.try_emplace(tasks_[i].task->root);
        if (fresh) at->second = model.coroutine(*tasks_[i].task);
        return at->second;
    };
    const auto by = [&](auto key) {
        std::vector<std::pair<decltype(key(0u)), std::uint32_t>> keyed;
        keyed.reserve(siblings.size());
        for (const std::uint32_t i : siblings) keyed.emplace_back(key(i), i);
        // Equal ones stay in order of creation, which is that of their indexes.
        std::sort(keyed.begin(), keyed.end(), [&](const auto& a, const auto& b) {
            if (a.first != b.first) return options.descending ? b.first < a.first : a.first < b.first;
            return a.second < b.second;
        });
        for (std::size_t i = 0; i < keyed.size(); ++i) siblings[i] = keyed[i].second;
    };
    const auto task = [&](std::uint32_t i) -> const model::Task& { return *tasks_[i].task; };
    switch (options.sort) {
        case SortBy::created:
            if (options.descending) std::reverse(siblings.begin(), siblings.end());
            break;
        case SortBy::name: by([&](std::uint32_t i) { return model.task_name(task(i)); }); break;
        case SortBy::coroutine: by([&](std::uint32_t i) { return std::string_view(coroutine(i)); }); break;
        case SortBy::state: by([&](std::uint32_t i) { return std::tuple(task(i).state, task(i).outcome); }); break;
        case SortBy::busy: by([&](std::uint32_t i) { return task(i).busy_ns; }); break;
        case SortBy::steps: by([&](std::uint32_t i) { return task(i).steps; }); break;
        case SortBy::waits_for:
            by([&](std::uint32_t i) {
                const bool waits = task(i).state == model::State::suspended;
                return std::tuple(!waits, waits ? task(i).wait.verb : model::Verb{},
                                  waits ? task(i).wait.operand : 0);
            });
            break;
        case SortBy::age: by([&](std::uint32_t i) { return ~task(i).created_ns; }); break;
    }
}

void TaskTree::emit(const model::Model& model, const TreeOptions& options, const Toggled& toggled) {
    rows_.clear();
    struct Pending {
        TreeRow row;
        std::vector<std::uint32_t>
            below;  // a group: its members; a task: nothing, its children are looked up when it is open
        std::uint32_t entry = none;
    };
    std::vector<Pending> stack;
    const bool filtering = !options.filter.empty();

    const auto task_row = [&](std::uint32_t i, std::uint16_t depth) {
        TreeRow row;
        const Entry& entry = tasks_[i];
        row.task = entry.task->id;
        row.key = task_key(row.task);
        row.depth = depth;
        row.context = !entry.matches;
        for (std::uint32_t c = entry.first_child; c != none && !row.expandable; c = tasks_[c].next)
            row.expandable = tasks_[c].needed;
        row.open = row.expandable && (filtering || is_open(toggled, row.key, false));
        return row;
    };
    // Pushes siblings so that the first is on top.
    const auto push = [&](std::vector<std::uint32_t> siblings, model::TaskId parent, std::uint16_t depth,
                          bool may_fold) {
        sort(model, options, siblings);
        std::unordered_map<model::NodeId, std::size_t> sizes;
        if (may_fold && options.fold) {
            for (const std::uint32_t i : siblings) ++sizes[tasks_[i].task->root];
        }
        std::vector<Pending> level;
        std::unordered_map<model::NodeId, std::size_t> groups;
        for (const std::uint32_t i : siblings) {
            const model::Task& task = *tasks_[i].task;
            const auto size = sizes.find(task.root);
            if (size == sizes.end() || size->second < options.fold_from) {
                level.push_back({task_row(i, depth), {}, i});
                continue;
            }
            const auto [at, fresh] = groups.try_emplace(task.root, level.size());
            if (fresh) {
                TreeRow row;
                row.group = row.expandable = true;
                row.task = task.id;
                row.key = group_key(parent, task.root);
                row.depth = depth;
                row.count = 0;
                row.open = is_open(toggled, row.key, true);
                level.push_back({row, {}, none});
            }
            Pending& group = level[at->second];
            ++group.row.count;
            ++group.row.states[static_cast<std::size_t>(task.state)];
            group.row.busy_ns += task.busy_ns;
            group.row.steps += task.steps;
            group.below.push_back(i);
        }
        for (std::size_t i = level.size(); i-- > 0;) stack.push_back(std::move(level[i]));
    };

    push(needed_children(first_root_), 0, 0, true);
    while (!stack.empty()) {
        Pending next = std::move(stack.back());
        stack.pop_back();
        rows_.push_back(next.row);
        if (!next.row.open) continue;
        const auto depth = static_cast<std::uint16_t>(std::min(next.row.depth + 1, 1000));
        if (next.row.group) {
            push(std::move(next.below), 0, depth, false);
        } else {
            push(needed_children(tasks_[next.entry].first_child), next.row.task, depth, true);
        }
    }
}

void toggle(Toggled& toggled, const TreeRow& row) {
    if (!toggled.erase(row.key)) toggled.insert(row.key);
}

void reveal(const model::Model& model, const TreeOptions& options, Toggled& toggled, model::TaskId id) {
    const model::Task* task = model.task(id);
    for (int guard = 0; task != nullptr && guard < 100'000; ++guard) {
        const model::Task* parent = task->parent == 0 ? nullptr : model.task(task->parent);
        // Whether the group exists is the tree's business; an entry for one that does not is harmless.
        if (options.fold) toggled.insert(group_key(parent == nullptr ? 0 : parent->id, task->root));
        if (parent != nullptr) toggled.erase(task_key(parent->id));
        task = parent;
    }
}

}  // namespace coroscope::viewer
