#include "task.hpp"

#include "ending.hpp"
#include "proto/words/amount.hpp"
#include "proto/words/function_name.hpp"
#include "proto/words/utf8.hpp"

namespace coroscope::words {

std::string task_name(const model::Model& model, model::TaskId id) {
    const model::Task* task = model.task(id);
    return task != nullptr ? printable(model.task_name(*task), most_of_a_name)
                           : "Task-" + std::to_string(id) + " (gone)";
}

std::string coroutine(const model::Model& model, const model::Task& task) {
    return function_name(model.coroutine(task));
}

std::string short_coroutine(const model::Model& model, const model::Task& task) {
    return short_function_name(model.coroutine(task));
}

std::string task_title(const model::Model& model, const model::Task& task) {
    const std::string name = printable(model.task_name(task), most_of_a_name), function = short_coroutine(model, task);
    return function == "?" || function == name ? name : name + " (" + function + ")";
}

std::string task_phrase(const model::Model& model, model::TaskId id) {
    if (id == 0) return "a callback";
    const model::Task* task = model.task(id);
    if (task == nullptr) return "task " + std::to_string(id);
    return "task '" + printable(model.task_name(*task), most_of_a_name) + "' (" + coroutine(model, *task) + ")";
}

std::string wait(const model::Model& model, const model::Wait& wait) {
    const std::string what = printable(model.wait_words(wait), most_of_a_name);
    // Since the wait began the resource may have been handed on.
    const model::Resource* resource = model.resource(wait.resource());
    const model::TaskId holder = resource == nullptr ? wait.holder : model.owner(*resource);
    return holder == 0 ? what : what + " (held by " + task_name(model, holder) + ")";
}

std::string wait(const model::Model& model, const model::Task& task) {
    return task.state == model::State::suspended ? wait(model, task.wait) : std::string();
}

std::string_view state(model::State state, model::Outcome outcome) {
    if (state == model::State::done && outcome == model::Outcome::error) return "failed";
    if (state == model::State::done && outcome == model::Outcome::cancelled) return "cancelled";
    return model::to_string(state);
}

std::string status(const model::Model& model, const model::Task& task) {
    const std::string since = (task.found ? " for at least " : " since ") + duration(model.in_state_ns(task));
    switch (task.state) {
        case model::State::suspended: return "waits for " + wait(model, task.wait) + since;
        case model::State::running: return "runs" + since;
        case model::State::created:
        case model::State::ready: return "ready, waits for the loop" + since;
        case model::State::done: break;
    }
    switch (task.outcome) {
        case model::Outcome::error: {
            const std::string text = ending(model, task);
            return text.empty() ? "ended with an exception" : "failed: " + text;
        }
        case model::Outcome::cancelled: {
            const std::string by = ending(model, task);
            return by.empty() ? "was cancelled" : "was cancelled " + by;
        }
        case model::Outcome::ok: return "returned";
        default: break;
    }
    return "ended";
}

}  // namespace coroscope::words
