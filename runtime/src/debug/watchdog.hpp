// Looks at a thread while it hangs: signals it, and its handler notes the native stack. So the blocking call itself is
// named, not the await after it.
//
// The handler only writes to memory that is there: glibc's backtrace(), warmed up before (since glibc 2.35 it takes no
// lock). The signal is a real-time one that nobody handles; it may interrupt a system call of the hanging thread, as
// any signal may. At most one capture at a time; a step that goes on hanging is looked at again after twice the time.
#pragma once

#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

#include "runtime/src/probe/registry.hpp"

namespace coroscope::debug {

// What a thread has been running since it last came back to its loop.
struct RunningStep {
    probe::Stamp began = 0;  // of the outermost step: the others pause for the inner ones
    std::uint64_t task = 0;  // of the innermost step: the one that holds up the thread
};
std::optional<RunningStep> running_step(const probe::ThreadProbe& thread) noexcept;

struct Stall {
    std::uint32_t thread = 0;
    std::uint64_t tid = 0;
    std::uint64_t task = 0;
    probe::Stamp step_stamp = 0;
    std::vector<void*> frames;    // innermost first; the first is a program counter
    std::uint64_t seen_ns = 0;    // when it was looked at; set by who asked
    std::uint64_t lasted_ns = 0;  // so far
};

class Watchdog {
public:
    Watchdog();   // takes a free real-time signal; watches nothing if there is none
    ~Watchdog();  // gives it back
    Watchdog(const Watchdog&) = delete;
    Watchdog& operator=(const Watchdog&) = delete;

    bool usable() const noexcept { return signal_ != 0; }
    // Looks at the thread if `step`, which it runs, has lasted long enough since the last look. `lasted_ns`: since the
    // step began.
    std::optional<Stall> look(const probe::ThreadProbe& thread, const RunningStep& step, std::uint64_t lasted_ns,
                              std::uint64_t threshold_ns);
    void forget(std::uint32_t thread) { looked_.erase(thread); }

private:
    struct Looked {
        probe::Stamp step = 0;
        std::uint64_t next_ns = 0;
    };
    int signal_ = 0;
    std::unordered_map<std::uint32_t, Looked> looked_;
};

}  // namespace coroscope::debug
