#include "task_tree.hpp"

#include <algorithm>
#include <iterator>
#include <sstream>
#include <tuple>

#include "agent/words/task.hpp"
#include "contains.hpp"
#include "proto/words/place.hpp"

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
                   contains_text(words::wait(model_, task), word);
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
        for (const auto& frame : model_.await_stack(task)) text += words::place(frame.file, frame.line) + " ";
        return text;
    }

    const model::Model& model_;
    std::vector<std::string> words_;
    std::unordered_map<model::NodeId, std::string> coroutines_, places_;
    const std::string empty_;
};

}  // namespace

void TaskTree::build(const model::Model& model, const TreeOptions& options, const Toggled& toggled) {
    coroutines_.clear();
    link(model);
    filter(model, options);
    rows_ = listed(model, options, toggled);
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
                return std::tuple(!waits, waits ? task(i).wait.verb : model::Verb{}, waits ? task(i).wait.operand : 0);
            });
            break;
        case SortBy::age: by([&](std::uint32_t i) { return ~task(i).created_ns; }); break;
    }
}

// Lists the rows from the roots down: siblings are sorted, those of one creation site become a group, and what lies
// below an open row follows it.
class TaskTree::RowList {
public:
    RowList(TaskTree& tree, const model::Model& model, const TreeOptions& options, const Toggled& toggled)
        : tree_(tree), model_(model), options_(options), toggled_(toggled) {}

    std::vector<TreeRow> rows() {
        push(tree_.needed_children(tree_.first_root_), 0, 0, options_.fold);
        std::vector<TreeRow> rows;
        while (!stack_.empty()) {
            Pending next = std::move(stack_.back());
            stack_.pop_back();
            rows.push_back(next.row);
            if (next.row.open) push_below(std::move(next));
        }
        return rows;
    }

private:
    // A row to come. `members` is for a group; a task's children are looked up only if its row is open.
    struct Pending {
        TreeRow row;
        std::vector<std::uint32_t> members;
        std::uint32_t entry = none;
    };

    void push_below(Pending&& above) {
        const auto depth = static_cast<std::uint16_t>(std::min(above.row.depth + 1, 1000));
        if (above.row.group) {
            push(std::move(above.members), 0, depth, false);
        } else {
            push(tree_.needed_children(tree_.tasks_[above.entry].first_child), above.row.task, depth, options_.fold);
        }
    }

    // The first of the siblings comes to lie on top.
    void push(std::vector<std::uint32_t> siblings, model::TaskId parent, std::uint16_t depth, bool fold) {
        tree_.sort(model_, options_, siblings);
        std::vector<Pending> level = fold ? folded(siblings, parent, depth) : single(siblings, depth);
        std::move(level.rbegin(), level.rend(), std::back_inserter(stack_));
    }

    std::vector<Pending> single(const std::vector<std::uint32_t>& siblings, std::uint16_t depth) const {
        std::vector<Pending> level;
        level.reserve(siblings.size());
        for (const std::uint32_t i : siblings) level.push_back({task_row(i, depth), {}, i});
        return level;
    }

    // A group stands where the first of its members would.
    std::vector<Pending> folded(const std::vector<std::uint32_t>& siblings, model::TaskId parent,
                                std::uint16_t depth) const {
        std::unordered_map<model::NodeId, std::size_t> sizes;
        for (const std::uint32_t i : siblings) ++sizes[task(i).root];
        std::vector<Pending> level;
        std::unordered_map<model::NodeId, std::size_t> groups;  // index in `level`
        for (const std::uint32_t i : siblings) {
            const model::NodeId root = task(i).root;
            if (sizes[root] < options_.fold_from) {
                level.push_back({task_row(i, depth), {}, i});
                continue;
            }
            const auto [at, fresh] = groups.try_emplace(root, level.size());
            if (fresh) level.push_back({group_row(parent, i, depth), {}, none});
            add_member(level[at->second], i);
        }
        return level;
    }

    TreeRow task_row(std::uint32_t i, std::uint16_t depth) const {
        const Entry& entry = tree_.tasks_[i];
        TreeRow row;
        row.task = entry.task->id;
        row.key = task_key(row.task);
        row.depth = depth;
        row.context = !entry.matches;
        for (std::uint32_t c = entry.first_child; c != none && !row.expandable; c = tree_.tasks_[c].next)
            row.expandable = tree_.tasks_[c].needed;
        // Whatever matches the filter is in sight.
        row.open = row.expandable && (!options_.filter.empty() || is_open(toggled_, row.key, false));
        return row;
    }

    // Of the task `i` and those like it, which are yet to be added.
    TreeRow group_row(model::TaskId parent, std::uint32_t i, std::uint16_t depth) const {
        TreeRow row;
        row.group = row.expandable = true;
        row.task = task(i).id;
        row.key = group_key(parent, task(i).root);
        row.depth = depth;
        row.count = 0;
        row.open = is_open(toggled_, row.key, true);
        return row;
    }

    void add_member(Pending& group, std::uint32_t i) const {
        ++group.row.count;
        ++group.row.states[static_cast<std::size_t>(task(i).state)];
        group.row.busy_ns += task(i).busy_ns;
        group.row.steps += task(i).steps;
        group.members.push_back(i);
    }

    const model::Task& task(std::uint32_t i) const { return *tree_.tasks_[i].task; }

    TaskTree& tree_;
    const model::Model& model_;
    const TreeOptions& options_;
    const Toggled& toggled_;
    std::vector<Pending> stack_;  // the next row is on top
};

std::vector<TreeRow> TaskTree::listed(const model::Model& model, const TreeOptions& options, const Toggled& toggled) {
    return RowList(*this, model, options, toggled).rows();
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
