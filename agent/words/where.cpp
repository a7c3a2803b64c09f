#include "where.hpp"

#include <algorithm>

#include "proto/words/amount.hpp"
#include "proto/words/place.hpp"
#include "task.hpp"

namespace coroscope::words {

namespace {

// Tasks whose creators are looked at: more than libraries nest, and few enough for every row of a list.
constexpr int max_creators = 32;

// The node of the task in whose stack `node` stands; nullptr: not known.
const model::Node* task_node(const model::Model& model, model::NodeId node) {
    const model::Node* at = model.node(node);
    for (std::size_t i = 0; at != nullptr && at->kind != model::NodeKind::task; ++i) {
        if (i >= 2 * model::Model::max_stack_frames) return nullptr;
        at = model.node(at->parent);
    }
    return at;
}

const StackFrame* innermost_users(const std::vector<StackFrame>& stack) {
    const auto found = std::find_if(stack.rbegin(), stack.rend(), is_users);
    return found == stack.rend() ? nullptr : &*found;
}

}  // namespace

bool is_library(const StackFrame& frame) { return frame.library || is_library(frame.function, frame.file); }

bool is_users(const StackFrame& frame) { return frame.line != 0 && !is_library(frame); }

Where where(const model::Model& model, model::NodeId node) {
    const std::vector<StackFrame> own = model.stack(node);
    if (const StackFrame* frame = innermost_users(own)) return {*frame, false};
    for (int i = 0; i < max_creators; ++i) {
        const model::Node* task = task_node(model, node);
        if (task == nullptr || task->parent == 0) break;
        node = task->parent;
        const std::vector<StackFrame> creator = model.stack(node);
        if (const StackFrame* frame = innermost_users(creator)) return {*frame, true};
    }
    return own.empty() ? Where{} : Where{own.back(), false};
}

Where where(const model::Model& model, const model::Task& task) { return where(model, model.stands_at(task)); }

Where innermost(const model::Model& model, const model::Task& task) {
    const std::vector<StackFrame> stack = model.await_stack(task);
    return stack.empty() ? Where{} : Where{stack.back(), false};
}

std::string place(const Where& where, std::string_view before) {
    const std::string line = place(where.frame.file, where.frame.line);
    if (line.empty()) return {};
    return (where.created ? "created at " : std::string(before)) + line;
}

std::string where_text(const Where& where) {
    if (!where.known()) return {};
    const std::string text = place_in(where.frame.function, where.frame.file, where.frame.line);
    return where.created ? "created at " + text : text;
}

std::string waits_text(const model::Model& model, const model::Task& task, const Where& where) {
    const std::string what = wait(model, task), place = where_text(where);
    if (what.empty()) return place;
    if (place.empty()) return "waits for " + what;
    return "waits for " + what + (where.created ? ", " : " at ") + place;
}

std::string at_text(const Where& where) {
    if (!where.known()) return "at an unknown place";
    const std::string text = place_in(where.frame.function, where.frame.file, where.frame.line);
    return (where.created ? "in a task created at " : "at ") + text;
}

std::vector<StackRow> stack_rows(const std::vector<StackFrame>& stack, bool with_library) {
    std::vector<bool> of_library;
    for (const StackFrame& frame : stack) of_library.push_back(is_library(frame));
    return stack_rows(of_library, with_library);
}

std::vector<StackRow> stack_rows(const std::vector<bool>& of_library, bool with_library) {
    const bool show_all = with_library || std::find(of_library.begin(), of_library.end(), false) == of_library.end();
    std::vector<StackRow> rows;
    for (std::size_t i = 0; i < of_library.size(); ++i) {
        if (show_all || !of_library[i]) {
            rows.push_back({i, 0, false});
        } else if (!rows.empty() && rows.back().hidden != 0) {
            ++rows.back().hidden;
        } else {
            rows.push_back({i, 1, false});
        }
    }
    const auto users =
        std::find_if(rows.rbegin(), rows.rend(), [&](const StackRow& row) { return !of_library[row.frame]; });
    if (!rows.empty()) (users == rows.rend() ? rows.back() : *users).here = true;
    return rows;
}

std::string hidden_text(const StackRow& row) {
    return counted(row.hidden, "frame of the library", "frames of the library");
}

}  // namespace coroscope::words
