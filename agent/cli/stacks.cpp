// coroscope stacks: every task of a program that runs, with its await stack; also while it hangs, and without an agent.
#include <map>
#include <memory>
#include <utility>

#include "agent/words/task.hpp"
#include "agent/words/where.hpp"
#include "alike.hpp"
#include "app_link.hpp"
#include "command.hpp"
#include "describe.hpp"
#include "output.hpp"
#include "proto/words/amount.hpp"
#include "proto/words/place.hpp"
#include "proto/words/utf8.hpp"
#include "seen_stacks.hpp"

namespace coroscope::cli {

namespace {

struct StacksOptions {
    pid_t pid = 0;
    bool json = false, each = false, library = false;
};

std::string string_of(const Json& object, const char* name) { return object.is_object() ? object.value(name, "") : ""; }

// What the thread of a loop that does not answer does.
std::string thread_text(const Json& now) {
    const std::string state = string_of(now, "state"), call = string_of(now, "call");
    if (state == "blocked") return "blocked in " + words::printable(call);
    if (state == "computes") return "computes";
    const std::string why = string_of(now, "why");
    return why.empty() ? "" : "its native stack is not known: " + words::printable(why);
}

std::string loop_text(const SeenLoop& loop) {
    std::string text = "loop " + std::to_string(loop.id);
    if (loop.thread != 0) text += ", thread " + std::to_string(loop.thread);
    text += ", " + words::counted(loop.tasks.size(), "task", "tasks");
    if (loop.how == "not running") text += "; no thread runs it now";
    if (loop.how == "busy")
        text += "; it has not answered: as seen from outside while it was busy, so what tasks wait for is not known";
    if (loop.changing) text += "; the tasks changed meanwhile, some may be missing";
    if (loop.left_out != 0)
        text += loop.how == "answered" ? "; " + std::to_string(loop.left_out) + " more are not shown"
                                       : "; there are more, which are not shown";
    return text;
}

// "waits for an item from queue 'jobs' at shop.cpp:12 in work"; of a task that runs, where it is.
std::string does(const model::Model& model, const model::Task& task, const SeenTask& seen, bool with_library) {
    words::Where at = words::where(model, seen.at);
    if (with_library)
        if (const auto stack = model.stack(seen.at); !stack.empty()) at = {stack.back(), false};
    switch (task.state) {
        case model::State::suspended:
            return seen.wait_is_known ? words::waits_text(model, task, at) : "waits " + words::at_text(at);
        case model::State::running:
            return "in " + words::coroutine(model, task) +
                   (seen.last_await.empty() ? ", before its first await" : ", after its await at " + seen.last_await);
        case model::State::ready: return "goes on " + words::at_text(at);
        default: return "has not begun; " + words::where_text(at);
    }
}

// Outermost first. Of a stack of one frame the row above says all.
void print_stack(const std::vector<words::StackFrame>& stack, bool with_library) {
    const auto rows = words::stack_rows(stack, with_library);
    if (rows.size() < 2) return;
    for (const words::StackRow& row : rows) {
        if (row.hidden != 0) {
            print("      " + styled(words::hidden_text(row), Style::dim) + "\n");
            continue;
        }
        const words::StackFrame& frame = stack[row.frame];
        print("      " + words::frame(frame.function, words::full_place(frame.file, frame.line)) + "\n");
    }
}

void print_thread(const SeenLoop& loop, bool with_library) {
    const std::string text = thread_text(loop.thread_now);
    if (text.empty()) return;
    print("  its thread: " + styled(text, Style::yellow) + "\n");
    const Json frames = loop.thread_now.value("frames", Json::array());
    std::vector<bool> of_library;  // outermost first
    for (auto frame = frames.rbegin(); frame != frames.rend(); ++frame) of_library.push_back(frame->at(3).get<bool>());
    for (const words::StackRow& row : words::stack_rows(of_library, with_library)) {
        const Json& frame = frames.at(frames.size() - 1 - row.frame);
        print("      " +
              (row.hidden != 0 ? styled(words::hidden_text(row), Style::dim)
                               : words::printable(words::frame(
                                     frame.at(0).get<std::string>(),
                                     words::full_place(frame.at(1).get<std::string>(), frame.at(2).get<unsigned>())))) +
              "\n");
    }
}

void print_loop(const SeenStacks& seen, const SeenLoop& loop, const StacksOptions& options) {
    const model::Model& model = seen.model;
    print(loop_text(loop) + "\n");
    print_thread(loop, options.library);
    std::vector<const model::Task*> tasks;
    std::map<model::TaskId, const SeenTask*> by_id;
    for (const SeenTask& each : loop.tasks) {
        by_id.emplace(each.id, &each);
        if (const model::Task* task = model.task(each.id)) tasks.push_back(task);
    }
    const auto must_show = [&](const model::Task& task) { return options.each || task.state == model::State::running; };
    for (const Shown& shown : fold_alike(tasks, must_show)) {
        if (shown.left_out != 0) {
            print("  " + styled(left_out_text(model, shown), Style::dim) + "\n");
            continue;
        }
        const model::Task& task = *shown.task;
        const SeenTask& about = *by_id.at(task.id);
        print("  " + styled(words::task_title(model, task), Style::bold) + "  " +
              styled(words::state(task.state, task.outcome), state_style(task)) + "  " +
              does(model, task, about, options.library) + "\n");
        print_stack(model.stack(about.at), options.library);
    }
}

Json thread_json(const Json& now) {
    if (!now.is_object()) return nullptr;
    Json frames = Json::array();
    for (const Json& frame : now.value("frames", Json::array()))
        frames.push_back(
            {{"function", frame.at(0)}, {"file", frame.at(1)}, {"line", frame.at(2)}, {"library", frame.at(3)}});
    return {{"state", string_of(now, "state")}, {"call", string_of(now, "call")}, {"native_stack", std::move(frames)}};
}

Json loop_json(const model::Model& model, const SeenLoop& loop) {
    Json tasks = Json::array();
    for (const SeenTask& each : loop.tasks) {
        const model::Task* task = model.task(each.id);
        if (task == nullptr) continue;
        tasks.push_back({{"id", task->id},
                         {"name", model.task_name(*task)},
                         {"coroutine", words::coroutine(model, *task)},
                         {"parent", task->parent},
                         {"state", std::string(model::to_string(task->state))},
                         {"waits_for", each.wait_is_known ? Json(words::wait(model, *task)) : Json(nullptr)},
                         {"where", where_json(words::where(model, each.at))},
                         {"await_stack", stack_json(model.stack(each.at))},
                         {"created_at", stack_json(model.creation_stack(*task))}});
    }
    return {{"id", loop.id},
            {"runtime", loop.runtime},
            {"tid", loop.thread},
            {"how", loop.how},
            {"changing", loop.changing},
            {"left_out", loop.left_out},
            {"thread", thread_json(loop.thread_now)},
            {"tasks", std::move(tasks)}};
}

SeenStacks read_answer(pid_t pid, const Json& answer) {
    try {
        return seen_stacks(answer);
    } catch (const Json::exception& error) {
        throw Failure("process " + std::to_string(pid) + " gives an answer that this version does not know (" +
                      error.what() + ")");
    }
}

int run_stacks(const StacksOptions& options) {
    const AppState app = app_state(options.pid);
    const SeenStacks seen = read_answer(options.pid, ask_app(options.pid, "stacks"));
    if (options.json) {
        Json loops = Json::array();
        for (const SeenLoop& loop : seen.loops) loops.push_back(loop_json(seen.model, loop));
        print_json({{"name", app.name},
                    {"pid", app.pid},
                    {"debug_mode", app.on},
                    {"loops", std::move(loops)},
                    {"runtimes_not_shown", seen.silent_runtimes}});
        return exit_ok;
    }
    print(styled(title(app), Style::bold) + "  " + (app.on ? "in debug mode" : "standby") +
          "; most recent await last\n");
    for (const SeenLoop& loop : seen.loops) print_loop(seen, loop, options);
    if (seen.loops.empty() && seen.silent_runtimes.empty()) print("it has no event loop now\n");
    for (const std::string& runtime : seen.silent_runtimes)
        print("not shown: the tasks of " + words::printable(runtime) + ", whose adapter cannot describe them; use " +
              "coroscope attach " + std::to_string(app.pid) + ", then coroscope tree\n");
    return exit_ok;
}

}  // namespace

void add_stacks(Command root) {
    auto options = std::make_shared<StacksOptions>();
    Command command = root.subcommand(
        "stacks", "Print every task of a program that runs, with its await stack, also while the program hangs");
    command.option("pid", options->pid, "The process").required().type("PID").positive();
    command.flag("--json", options->json, "Print JSON");
    add_library_flag(command, options->library);
    add_each_flag(command, options->each);
    command.footer(
        "The program was started with COROSCOPE=standby, or is in debug mode; no agent is needed. A loop that does "
        "not\n"
        "answer within 200 ms is read from outside, and its thread's native stack says what it hangs in.\n"
        "\n"
        "Example:\n"
        "  coroscope stacks 4711");
    command.runs([options] { return run_stacks(*options); });
}

}  // namespace coroscope::cli
