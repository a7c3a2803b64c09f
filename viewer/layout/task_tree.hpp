// The task tree as rows: what is open, in order, folded by creation site, filtered. Built when something changed;
// drawing it then costs the rows on the screen only.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "agent/model/model.hpp"

namespace coroscope::viewer {

enum class SortBy : std::uint8_t { created, name, coroutine, state, busy, steps, waits_for, age };

struct TreeOptions {
    std::string filter;  // words, all of which must be in name, coroutine, state or file
    bool show_done = true;
    bool fold = true;  // siblings of one creation site become one row from `fold_from` on
    std::size_t fold_from = 6;
    SortBy sort = SortBy::created;
    bool descending = false;

    bool operator==(const TreeOptions&) const = default;
};

// Which rows the user opened or closed against the default (tasks open, groups closed).
using Toggled = std::unordered_set<std::uint64_t>;

struct TreeRow {
    bool group = false;    // stands for siblings of one creation site
    bool context = false;  // shown only because something below it matches
    bool expandable = false, open = false;
    std::uint16_t depth = 0;
    model::TaskId task = 0;                 // a group: one of its tasks
    std::uint64_t key = 0;                  // for Toggled
    std::uint32_t count = 1;                // tasks in the group
    std::array<std::uint32_t, 5> states{};  // a group: tasks by State
    std::uint64_t busy_ns = 0, steps = 0;   // a group: sums
};

class TaskTree {
public:
    void build(const model::Model& model, const TreeOptions& options, const Toggled& toggled);
    const std::vector<TreeRow>& rows() const { return rows_; }
    std::size_t tasks() const { return tasks_.size(); }  // known
    std::size_t matching() const { return matching_; }   // that passed the filter

private:
    struct Entry {
        const model::Task* task;
        std::uint32_t parent;             // index, `none` for roots
        std::uint32_t first_child, next;  // index lists, by id
        bool matches, needed;             // needed: itself or something below it is shown
    };
    class RowList;
    static constexpr std::uint32_t none = ~0u;

    void link(const model::Model& model);
    void filter(const model::Model& model, const TreeOptions& options);
    std::vector<TreeRow> listed(const model::Model& model, const TreeOptions& options, const Toggled& toggled);
    std::vector<std::uint32_t> needed_children(std::uint32_t first) const;
    void sort(const model::Model& model, const TreeOptions& options, std::vector<std::uint32_t>& siblings);

    std::vector<Entry> tasks_;
    std::uint32_t first_root_ = none;
    std::size_t matching_ = 0;
    std::vector<TreeRow> rows_;
    std::unordered_map<model::NodeId, std::string> coroutines_;  // by root node, while building
};

// Opens or closes a row.
void toggle(Toggled& toggled, const TreeRow& row);
// Opens everything that hides a task: its ancestors and the groups they are folded into.
void reveal(const model::Model& model, const TreeOptions& options, Toggled& toggled, model::TaskId task);

}  // namespace coroscope::viewer
