// Calls back into the runtimes of the process, on a thread of its own: a callback may wait for a lock of the runtime (a
// GIL) for as long as the app's thread hangs, and the drainer must never wait.
//
// Bound: one question about a stack at a time; overflow policy: the stall is reported with native frames alone.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "runtime/src/probe/registry.hpp"

namespace coroscope::debug {

class RuntimeCalls {
public:
    // `answered` is called on the calling thread whenever there is an answer to take. The thread starts with the first
    // call.
    RuntimeCalls(probe::Registry& registry, std::function<void()> answered);
    // A callback that does not return is left behind, with its thread.
    ~RuntimeCalls();
    RuntimeCalls(const RuntimeCalls&) = delete;
    RuntimeCalls& operator=(const RuntimeCalls&) = delete;

    void list_tasks();
    // False: no runtime can say, or an earlier question is not answered yet.
    bool ask_stack(std::uint64_t tid);
    // Sites, innermost first; empty: no runtime knows the thread. nullopt: there is no answer yet.
    std::optional<std::vector<probe::SiteId>> take_answer();
    // Gives the question up: its answer, when it comes, is thrown away.
    void give_up();

private:
    // The thread's and ours: where a callback hangs, the thread is left behind with it.
    struct Shared;
    void start_thread();

    std::shared_ptr<Shared> shared_;
    std::thread thread_;
};

}  // namespace coroscope::debug
