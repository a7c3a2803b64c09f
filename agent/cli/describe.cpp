#include "describe.hpp"

#include <algorithm>

namespace coroscope::cli {

Json stack_json(const std::vector<model::Model::StackFrame>& stack) {
    Json frames = Json::array();
    for (const model::Model::StackFrame& frame : stack) {
        frames.push_back(
            {{"function", std::string(frame.function)}, {"file", std::string(frame.file)}, {"line", frame.line}});
    }
    return frames;
}

Json place_json(const analysis::Place& place) {
    return {{"function", place.function}, {"file", place.file}, {"line", place.line}};
}

Json place_json(const std::vector<analysis::Place>& places) {
    Json frames = Json::array();
    for (const analysis::Place& place : places) frames.push_back(place_json(place));
    return frames;
}

std::string app_title(const model::App& app) { return clean(app.name) + " (pid " + std::to_string(app.pid) + ")"; }

std::string app_state(const model::App& app) {
    if (app.connected) return "connected";
    return app.disconnect_reason.empty() ? "not connected" : clean(app.disconnect_reason);
}

std::string wait_text(const model::Model& model, const model::Task& task) {
    if (task.state != model::State::suspended) return {};
    return clean(model.wait_words(task.wait));
}

namespace {

// A frame of coroscope's own: the program's await is further out.
bool is_library(const model::Model::StackFrame& frame) {
    return frame.function.substr(0, 11) == "coroscope::" ||
           frame.file.find("/include/coroscope/") != std::string_view::npos ||
           frame.file.find("/runtime/src/") != std::string_view::npos;
}

}  // namespace

std::string where_text(const model::Model& model, const model::Task& task) {
    if (task.state == model::State::done) return {};
    const auto stack = model.await_stack(task);
    if (stack.empty()) return {};
    const auto own = std::find_if_not(stack.rbegin(), stack.rend(), is_library);
    const auto& frame = own == stack.rend() ? stack.back() : *own;
    return short_place(frame.file, frame.line) + " in " + clean(frame.function);
}

std::string state_text(const model::Task& task) {
    std::string text(model::to_string(task.state));
    if (task.outcome != model::Outcome::unknown) text += " (" + std::string(model::to_string(task.outcome)) + ")";
    return text;
}

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

std::uint64_t busy_ns(const model::Model& model, const model::Task& task) {
    if (task.state != model::State::running || task.step_began_ns == 0) return task.busy_ns;
    const std::uint64_t now = model.now_ns();
    return task.busy_ns + (now > task.step_began_ns ? now - task.step_began_ns : 0);
}

}  // namespace coroscope::cli
