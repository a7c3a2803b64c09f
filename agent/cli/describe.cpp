#include "describe.hpp"

#include "proto/words/amount.hpp"
#include "proto/words/place.hpp"
#include "proto/words/utf8.hpp"

namespace coroscope::cli {

Json stack_json(const std::vector<model::Model::StackFrame>& stack) {
    Json frames = Json::array();
    for (const model::Model::StackFrame& frame : stack) {
        frames.push_back({{"function", std::string(frame.function)},
                          {"file", std::string(frame.file)},
                          {"line", frame.line},
                          {"library", words::is_library(frame)}});
    }
    return frames;
}

Json where_json(const words::Where& where) {
    if (!where.known()) return nullptr;
    const words::StackFrame& frame = where.frame;
    return {{"function", std::string(frame.function)},
            {"file", std::string(frame.file)},
            {"line", frame.line},
            {"created", where.created}};
}

Json place_json(const analysis::Place& place) {
    return {{"function", place.function}, {"file", place.file}, {"line", place.line}, {"library", place.library}};
}

Json place_json(const std::vector<analysis::Place>& places) {
    Json frames = Json::array();
    for (const analysis::Place& place : places) frames.push_back(place_json(place));
    return frames;
}

Json part_json(const model::Model& model, const analysis::Part& part) {
    const model::Task* task = model.task(part.task);
    return {{"task", part.task == 0 ? Json(nullptr) : Json(part.task)},
            {"task_name", task == nullptr ? Json(nullptr) : Json(model.task_name(*task))},
            {"site", place_json(part.site)},
            {"text", part.text},
            {"count", part.count}};
}

std::string app_title(const model::App& app) {
    return words::printable(app.name) + " (pid " + std::to_string(app.pid) + ")";
}

std::string app_state(const model::App& app) {
    if (app.connected) return "connected";
    return app.disconnect_reason.empty() ? "not connected" : words::printable(app.disconnect_reason);
}

words::Where shown_place(const model::Model& model, const model::Task& task, bool with_library) {
    if (task.state == model::State::done && task.error_at == 0) return {};
    if (task.state == model::State::done) return words::where(model, task.error_at);
    return with_library ? words::innermost(model, task) : words::where(model, task);
}

void add_library_flag(Command command, bool& with_library) {
    command.flag("--library", with_library, "Name the innermost line, even if it is not the program's own code");
}

void add_each_flag(Command command, bool& each) {
    command.flag("--each", each, "Show each task, also where many are alike");
}

void print_left_out(const model::Model& model) {
    if (model.done_tasks_dropped() != 0)
        print("  not shown: " + words::counted(model.done_tasks_dropped(), "task", "tasks") +
              " that ended first and are not kept\n");
    if (model.live_tasks_refused() != 0)
        print("  not shown: " + words::counted(model.live_tasks_refused(), "task", "tasks") +
              " for which there was no room\n");
}

std::string at_least(std::string amount, const model::Task& task) { return task.incomplete ? amount + "+" : amount; }

Style state_style(const model::Task& task) {
    switch (task.state) {
        case model::State::running: return Style::green;
        case model::State::ready:
        case model::State::created: return Style::yellow;
        case model::State::done: return task.outcome == model::Outcome::error ? Style::red : Style::dim;
        case model::State::suspended: break;
    }
    return Style::plain;
}

}  // namespace coroscope::cli
