#include "debug_commands.hpp"

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "coroscope/loop.hpp"
#include "runtime/src/probe/hooks.hpp"
#include "task_list.hpp"

namespace coroscope::detail {

namespace {

struct Loops {
    std::mutex mutex;
    std::vector<EventLoop*> all;  // under mutex
};
Loops& loops() {
    // Leaked on purpose: the debug library's thread may ask until the process ends.
    static Loops* const all = new Loops;
    return *all;
}

// What the loops answered to a command.
struct Answers {
    std::mutex mutex;
    std::condition_variable changed;
    std::size_t missing = 0;  // under mutex, as found
    bool found = false;
};

// A loop's tasks belong to its thread: each loop looks for itself.
const char* cancel_task(std::uint64_t id) {
    constexpr auto patience = std::chrono::milliseconds(500);
    const auto answers = std::make_shared<Answers>();
    {
        const std::scoped_lock lock(loops().mutex);
        answers->missing = loops().all.size();
        for (EventLoop* loop : loops().all) {
            loop->call_soon_threadsafe([loop, id, answers] {
                TaskControl* const task = loop->find_task(id);
                const bool found =
                    task != nullptr && task->cancel("cancelled from the debugger", {CancelOrigin::tool, 0, 0});
                const std::scoped_lock answering(answers->mutex);
                --answers->missing;
                answers->found = answers->found || found;
                answers->changed.notify_all();
            });
        }
    }
    std::unique_lock lock(answers->mutex);
    answers->changed.wait_for(lock, patience, [&] { return answers->found || answers->missing == 0; });
    if (answers->found) return nullptr;
    if (answers->missing == 0) return "no loop of the app has this task: it is done, or never was";
    return "a loop of the app has not answered yet, it may hang; if it has the task, the task will be cancelled";
}

void wake_loops() {
    const std::scoped_lock lock(loops().mutex);
    for (EventLoop* loop : loops().all) loop->wake();
}

}  // namespace

void add_loop_to_commands(EventLoop& loop) {
    probe::add_runtime(cancel_task, wake_loops, write_stacks);
    const std::scoped_lock lock(loops().mutex);
    loops().all.push_back(&loop);
}

void remove_loop_from_commands(EventLoop& loop) noexcept {
    const std::scoped_lock lock(loops().mutex);
    std::erase(loops().all, &loop);
}

void visit_loops(const std::function<void(EventLoop&)>& visit) {
    const std::scoped_lock lock(loops().mutex);
    for (EventLoop* loop : loops().all) visit(*loop);
}

}  // namespace coroscope::detail
