#include "ending.hpp"

#include "proto/words/function_name.hpp"
#include "proto/words/place.hpp"
#include "proto/words/utf8.hpp"
#include "task.hpp"
#include "where.hpp"

namespace coroscope::words {

namespace {

using model::CancelOrigin;

constexpr int max_passed_on = 16;
constexpr std::size_t max_path = 16;

// The task that was cancelled and passed its request on to `task`. nullptr: none did, or it has been cancelled anew
// since, so that what is known of it is another request.
const model::Task* passed_on_by(const model::Model& model, const model::Task& task) {
    if (task.cancel_origin != CancelOrigin::awaiter || task.cancelled_by == task.id) return nullptr;
    const model::Task* by = model.task(task.cancelled_by);
    return by != nullptr && by->cancelled_ns != 0 && by->cancelled_ns <= task.cancelled_ns ? by : nullptr;
}

// " at janitor.cpp:9 in drop_session"; "" if it is not known.
std::string at_known(const model::Model& model, model::NodeId node) {
    const Where at = where(model, node);
    return at.known() ? " " + at_text(at) : "";
}

std::string of_group(const model::Model& model, const model::Task& task) {
    const model::Task* cause = model.task(task.cancelled_by);
    if (cause == nullptr) return "by its task group";
    if (cause->outcome == model::Outcome::error)
        return "by its task group, because " + task_phrase(model, cause->id) + " failed: " + error(model, *cause);
    return "by its task group, whose body was left" + at_known(model, task.cancelled_at);
}

std::string asked(const model::Model& model, const model::Task& task) {
    const auto words = [&] {
        return "by " + std::string(model.term_words(vocabulary::Table::cancel_origin,
                                                    static_cast<std::uint32_t>(task.cancel_origin)));
    };
    switch (task.cancel_origin) {
        case CancelOrigin::unknown:
        case CancelOrigin::user:
            if (task.cancelled_by == 0) return "by a call of cancel()" + at_known(model, task.cancelled_at);
            return "by " + task_phrase(model, task.cancelled_by) + at_known(model, task.cancelled_at);
        case CancelOrigin::timeout: return "by the timeout" + at_known(model, task.cancelled_at);
        case CancelOrigin::task_group: return of_group(model, task);
        default: return words() + at_known(model, task.cancelled_at);
    }
}

// Of the others the library chose the message, and it says no more than the origin.
bool has_own_message(CancelOrigin origin) {
    return origin == CancelOrigin::unknown || origin == CancelOrigin::user || origin == CancelOrigin::library;
}

// The task whose error was given to `task` where the task's own error came from. nullptr: none is known.
const model::Task* given_error(const model::Model& model, const model::Task& task) {
    if (task.error_at == 0) return nullptr;
    for (const model::Task* each : model.done_tasks())
        if (each->retrieved_ns != 0 && each->retrieved_by == task.id && each->retrieved_at == task.error_at &&
            each->retrieved_ns <= task.done_ns && each->id != task.id)
            return each;
    return nullptr;
}

}  // namespace

std::vector<const model::Task*> error_path(const model::Model& model, const model::Task& task) {
    std::vector<const model::Task*> path{&task};
    while (path.size() < max_path) {
        const model::Task* from = given_error(model, *path.front());
        if (from == nullptr) break;
        path.insert(path.begin(), from);
    }
    return path;
}

std::string thrown_text(const model::Model& model, const std::vector<const model::Task*>& path) {
    std::string text = thrown_text(model, *path.front());
    if (path.size() == 1) return text;
    text += ", of " + task_phrase(model, path.front()->id) + "; it came through ";
    for (std::size_t i = 1; i < path.size(); ++i) text += (i == 1 ? "" : ", then ") + task_phrase(model, path[i]->id);
    return text;
}

std::string error(const model::Model& model, const model::Task& task) {
    const std::string_view text = model.error_text(task);
    return text.empty() ? "an error of unknown type" : printable(text, most_of_a_message);
}

std::string thrown_text(const model::Model& model, const model::Task& task) {
    const Where at = where(model, task.error_at);
    if (task.error_at == 0 || !at.known() || at.created) return at_text(at);
    const std::string function = short_function_name(at.frame.function);
    const std::string line = place(at.frame.file, at.frame.line);
    const model::Node* node = model.node(task.error_at);
    const bool awaited = node != nullptr && node->kind == model::NodeKind::call;
    if (awaited || at.frame.node != task.error_at) return "in " + function + ", at or after its await at " + line;
    return "in " + function + " (" + line + "), before its first await";
}

const model::Task& first_cancelled(const model::Model& model, const model::Task& task) {
    const model::Task* at = &task;
    for (int i = 0; i < max_passed_on; ++i) {
        const model::Task* by = passed_on_by(model, *at);
        if (by == nullptr) break;
        at = by;
    }
    return *at;
}

std::string cancelled_by(const model::Model& model, const model::Task& task) {
    if (task.cancelled_ns == 0) return "";
    const model::Task& first = first_cancelled(model, task);
    std::string text;
    if (&first != &task)
        text = "because " + task_phrase(model, first.id) + ", which waited for it, was cancelled ";
    else if (task.cancel_origin == CancelOrigin::awaiter)
        text = "because " + task_phrase(model, task.cancelled_by) + ", which waited for it, was cancelled";
    if (text.empty() || &first != &task) text += asked(model, first);
    const std::string message = printable(model.cancel_message(first), most_of_a_message);
    if (!message.empty() && has_own_message(first.cancel_origin)) text += ", with the message '" + message + "'";
    return text;
}

std::string ending(const model::Model& model, const model::Task& task) {
    if (task.state != model::State::done) return "";
    if (task.outcome == model::Outcome::error && task.error != 0) return error(model, task);
    if (task.outcome == model::Outcome::cancelled) return cancelled_by(model, task);
    return "";
}

}  // namespace coroscope::words
