// A task in words: its name, its state, what it waits for. For commands, exports, problems and the viewer alike.
#pragma once

#include <string>
#include <string_view>

#include "agent/model/model.hpp"

namespace coroscope::words {

// "consumer-2"; "Task-7 (gone)" if the model does not keep it.
std::string task_name(const model::Model& model, model::TaskId task);
// Its coroutine: "shop::consume", or "?"; short: "consume".
std::string coroutine(const model::Model& model, const model::Task& task);
std::string short_coroutine(const model::Model& model, const model::Task& task);
// Name and coroutine for a row: "consumer-2 (consume)", without the second if it says the same or is unknown.
std::string task_title(const model::Model& model, const model::Task& task);
// Within a sentence: "task 'consumer-2' (shop::consume)"; 0: "a callback".
std::string task_phrase(const model::Model& model, model::TaskId task);

// What follows "waits for": "an item from queue 'jobs'", "lock 2 (held by Task-7)", "Task-7", "input on fd 9", "a
// timer".
std::string wait(const model::Model& model, const model::Wait& wait);
// The same of a task; empty unless it is suspended.
std::string wait(const model::Model& model, const model::Task& task);

// "suspended"; of a task that is done: "done", "failed", "cancelled".
std::string_view state(model::State state, model::Outcome outcome);
// "waits for Task-7 since 203 ms", "runs since 12.4 ms", "returned", "was cancelled"; of a task that was found waiting,
// "waits for Task-7 for at least 203 ms".
std::string status(const model::Model& model, const model::Task& task);

}  // namespace coroscope::words
