#include "coroscope/testing.hpp"

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <vector>

#include "debug_commands.hpp"
#include "observe.hpp"
#include "proto/words/amount.hpp"
#include "proto/words/function_name.hpp"
#include "proto/words/place.hpp"

namespace coroscope::testing {

namespace {

using detail::PromiseBase;
using detail::TaskControl;
using detail::TaskState;
using vocabulary::Verb;

std::string function_of(const PromiseBase& frame) { return words::function_name(frame.own_site.function_name()); }

std::string name_of(const TaskControl& task) { return task.display_name() + " (" + function_of(*task.root) + ")"; }

std::string name_of(EventLoop& loop, std::uint64_t id) {
    const TaskControl* task = loop.find_task(id);
    return task != nullptr ? name_of(*task) : "Task-" + std::to_string(id);
}

std::string wait_of(EventLoop& loop, const TaskControl& task) {
    const std::uint64_t wait = detail::waits_for(task);
    const auto verb = static_cast<Verb>(vocabulary::verb_of(wait));
    std::string text(vocabulary::row(verb).words);
    const std::size_t at = text.find("{}");
    if (at != std::string::npos) {
        const bool joins = vocabulary::row(verb).operand == vocabulary::Operand::task;
        const bool reads = vocabulary::row(verb).operand == vocabulary::Operand::descriptor;
        const std::uint64_t operand = vocabulary::operand_of(wait);
        text.replace(at, 2,
                     joins   ? name_of(loop, operand)
                     : reads ? "fd " + std::to_string(operand)
                             : std::string(vocabulary::thing_of(verb)));
    }
    if (const std::uint64_t holder = detail::holder_of(task, wait)) text += ", held by " + name_of(loop, holder);
    return text;
}

std::string state_of(EventLoop& loop, const TaskControl& task) {
    switch (task.state) {
        case TaskState::created: return "has not begun";
        case TaskState::ready: return "is ready and waits for its turn";
        case TaskState::running: return "runs";
        case TaskState::done: return "is done";
        case TaskState::suspended: break;
    }
    return "waits for " + wait_of(loop, task);
}

void add_stack(const TaskControl& task, std::string& text) {
    std::vector<std::string> lines;  // innermost first
    for (const PromiseBase* frame = task.leaf; frame != nullptr; frame = frame->parent) {
        const std::string place = words::full_place(frame->await_site.file_name(), frame->await_site.line());
        lines.push_back("    " + function_of(*frame) + (place.empty() ? "" : "  " + place) + "\n");
    }
    for (auto line = lines.rbegin(); line != lines.rend(); ++line) text += *line;
}

void print_and_abort(const std::string& what, const std::string& tasks) {
    std::fprintf(stderr, "coroscope: %s\n%s", what.c_str(), tasks.c_str());
    std::fflush(stderr);
    std::abort();
}

}  // namespace

std::string describe_tasks(EventLoop& loop) {
    const std::vector<AnyTask> tasks = loop.all_tasks();
    std::string text =
        words::counted(tasks.size(), "task is", "tasks are") + " alive; stacks: most recent await last\n";
    for (const AnyTask& each : tasks) {
        const TaskControl& task = *each.control();
        text += "  " + name_of(task) + " " + state_of(loop, task) + "\n";
        if (task.state == TaskState::suspended || task.state == TaskState::ready) add_stack(task, text);
    }
    return text;
}

std::string describe_all_tasks(std::chrono::nanoseconds patience) {
    std::string text;
    std::size_t number = 0;
    for (const detail::AskedLoop<std::string>& each : detail::ask_loops(describe_tasks, patience)) {
        text += "loop " + std::to_string(++number) + ": ";
        text += each.answer
                    ? *each.answer
                    : "does not answer: it does not run now, or a step, a callback or a destructor keeps its thread\n";
    }
    return text.empty() ? "there is no event loop\n" : text;
}

TimeLimit::TimeLimit(std::chrono::nanoseconds limit, std::string what, TimedOut timed_out)
    : what_(std::move(what)), timed_out_(std::move(timed_out)), thread_([this, limit] { watch(limit); }) {}

TimeLimit::~TimeLimit() {
    {
        const std::scoped_lock lock(mutex_);
        over_ = true;
    }
    changed_.notify_all();
    thread_.join();
}

void TimeLimit::watch(std::chrono::nanoseconds limit) {
    {
        std::unique_lock lock(mutex_);
        if (changed_.wait_for(lock, limit, [this] { return over_; })) return;
    }
    const std::string tasks = describe_all_tasks();
    if (timed_out_) return timed_out_(tasks);
    const auto whole_ns = static_cast<std::uint64_t>(limit.count() > 0 ? limit.count() : 0);
    print_and_abort((what_.empty() ? "what was to end" : what_) + " has not ended within " + words::duration(whole_ns),
                    tasks);
}

}  // namespace coroscope::testing
