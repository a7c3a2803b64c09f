// coroscope tree: who spawned whom, and where each task waits.
#include <algorithm>
#include <memory>
#include <set>

#include "agent/words/annotation.hpp"
#include "agent/words/ending.hpp"
#include "agent/words/task.hpp"
#include "alike.hpp"
#include "command.hpp"
#include "describe.hpp"
#include "output.hpp"
#include "proto/words/amount.hpp"
#include "source.hpp"

namespace coroscope::cli {

namespace {

struct TreeOptions {
    SourceOptions source;
    bool all = false, library = false, each = false;
};

struct Row {
    std::string left;  // branches, name, coroutine
    std::string state, busy;
    std::string right;  // where it waits, or how it ended
};

class Tree {
public:
    enum class Fold : std::uint8_t { no, alike };

    Tree(const model::Model& model, bool with_done, bool with_library, Fold fold)
        : model_(model), spans_(model), with_done_(with_done), with_library_(with_library), fold_(fold) {
        find_shown();
    }

    std::vector<Row> rows() {
        add_children(0);
        return std::move(rows_);
    }

private:
    // Live tasks, and the ended ones between them and their root: else the tree would fall apart.
    void find_shown() {
        for (const model::Task* task : with_done_ ? model_.all_tasks() : model_.live_tasks()) {
            for (const model::Task* at = task; at != nullptr && shown_.insert(at->id).second;)
                at = model_.task(at->parent);
        }
    }

    // Without recursion: a chain of spawns can be longer than a stack is deep.
    void add_children(model::TaskId root) {
        struct Level {
            std::vector<Shown> tasks;
            std::size_t next = 0;
        };
        std::vector<Level> levels{{shown_children(root)}};
        std::string prefix;
        while (!levels.empty()) {
            Level& level = levels.back();
            if (level.next == level.tasks.size()) {
                levels.pop_back();
                if (levels.size() > 0) prefix.resize(prefix.size() - prefix_bytes(levels.back()));
                continue;
            }
            const Shown shown = level.tasks[level.next++];
            const bool last = level.next == level.tasks.size();
            const std::string branch = prefix + (last ? "└─ " : "├─ ");
            if (shown.left_out != 0) {
                rows_.push_back({styled(branch + left_out_text(model_, shown), Style::dim), {}, {}, {}});
                continue;
            }
            add_row(branch, *shown.task);
            prefix += last ? "   " : "│  ";
            levels.push_back({shown_children(shown.task->id)});
        }
    }

    // What the row last drawn at this level has put before its children: "│" takes three bytes.
    template <class Level>
    static std::size_t prefix_bytes(const Level& level) {
        return level.next == level.tasks.size() ? 3 : 5;
    }

    std::vector<Shown> shown_children(model::TaskId parent) const {
        std::vector<const model::Task*> children;
        for (const model::TaskId id : model_.children(parent))
            if (const model::Task* task = model_.task(id); task != nullptr && shown_.contains(id))
                children.push_back(task);
        const auto must_show = [&](const model::Task& task) {
            return fold_ == Fold::no || has_shown_children(task.id);
        };
        return fold_alike(children, must_show);
    }

    bool has_shown_children(model::TaskId parent) const {
        return std::ranges::any_of(model_.children(parent), [&](model::TaskId id) { return shown_.contains(id); });
    }

    void add_row(const std::string& branch, const model::Task& task) {
        Row row;
        row.left = styled(branch, Style::dim) + styled(words::task_name(model_, task.id), Style::bold) + "  " +
                   words::coroutine(model_, task);
        row.state = styled(words::state(task.state, task.outcome), state_style(task));
        row.busy = at_least(words::duration(model_.busy_ns(task)), task);
        const words::Where at = shown_place(model_, task, with_library_);
        row.right = task.state == model::State::done ? ending_text(task, at) : words::waits_text(model_, task, at);
        if (const std::string said = spans_.text(task); !said.empty())
            row.right += (row.right.empty() ? "" : "  ") + styled("[" + said + "]", Style::dim);
        rows_.push_back(std::move(row));
    }

    // What a task failed with and where that was thrown, or who cancelled it.
    std::string ending_text(const model::Task& task, const words::Where& thrown) const {
        const std::string text = words::ending(model_, task);
        return thrown.known() ? text + " " + words::at_text(thrown) : text;
    }

    const model::Model& model_;
    const words::OpenSpans spans_;
    const bool with_done_, with_library_;
    const Fold fold_;
    std::set<model::TaskId> shown_;
    std::vector<Row> rows_;
};

int run_tree(const TreeOptions& options) {
    const Source source = load(options.source);
    bool first = true;
    for (const auto& [key, app] : source.session.apps()) {
        if (!std::exchange(first, false)) print("\n");
        print(styled(app_title(app), Style::bold) + "  " + app_state(app) + "\n");
        std::vector<std::vector<std::string>> cells;
        for (Row& row : Tree(app.model, options.all || !source.live, options.library,
                             options.each ? Tree::Fold::no : Tree::Fold::alike)
                            .rows()) {
            if (row.state.empty())
                cells.push_back({std::move(row.left)});
            else
                cells.push_back({std::move(row.left), std::move(row.state), std::move(row.busy), std::move(row.right)});
        }
        print_table(cells);
        print_left_out(app.model);
    }
    if (first) print("no app: start one with `coroscope run PROGRAM`, or with COROSCOPE=1 in its environment\n");
    return exit_ok;
}

}  // namespace

void add_tree(Command root) {
    auto options = std::make_shared<TreeOptions>();
    Command command =
        root.subcommand("tree", "Draw the task tree: who spawned whom, state, time spent, where each one waits");
    add_source(command, options->source);
    add_moment(command, options->source);
    command.flag("-a,--all", options->all,
                 "Of a live agent: tasks that have ended, too (a trace file's are always shown)");
    add_library_flag(command, options->library);
    add_each_flag(command, options->each);
    command.footer(
        "Examples:\n"
        "  coroscope tree              the apps of the default agent\n"
        "  coroscope tree t.cst        a trace file");
    command.runs([options] { return run_tree(*options); });
}

}  // namespace coroscope::cli
