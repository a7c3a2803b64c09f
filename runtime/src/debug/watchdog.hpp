// Looks at a thread while it hangs, so that the blocking call itself is named, not the await after it. Watching must
// not change what the program does:
//
// - A thread that is blocked gets no signal: a signal ends usleep(), poll(), sem_timedwait(), recv() with a limit and
//   others early, whatever SA_RESTART says. The kernel tells where it is blocked (thread_state.hpp), and its stack is
//   copied from here. The copy counts only if the thread has not run meanwhile.
// - A thread that computes copies its own registers and stack in a signal handler. The signal is that of a timer on the
//   thread's CPU time, which goes off only while the thread is on a CPU. The timer is set only after the thread has
//   kept its CPU for a while without giving it up by itself, so it is not one that sleeps often and for short.
// - One that sleeps often and for short is looked at until it is found blocked.
//
// What is left: the timer can go off while the thread enters a system call, within about a microsecond before it
// blocks. A helper process with ptrace has no such moment, but many systems forbid ptrace, and it costs a process.
//
// The handler writes to memory that is there and takes no lock; it has a frame of some hundred bytes and does not use
// the alternate stack, which may be too small for the registers alone. At most one look at a time; a step that goes on
// hanging is looked at again after twice the time.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>

#include "runtime/src/probe/registry.hpp"
#include "stack_copy.hpp"
#include "thread_state.hpp"

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
    StackCopy stack;              // empty: it could not be read
    std::string blocked_in;       // the call, in words; "": it computes, or that is unknown
    std::uint64_t seen_ns = 0;    // when it was looked at; set by who asked
    std::uint64_t lasted_ns = 0;  // so far; set by who asked
};

// The stack of a thread that computes, by the signal that interrupts it. Empty: it was not on a CPU, or has the signal
// blocked, or the app leaves none. Blocks for some 20 ms at the longest. Any thread.
StackCopy copy_running(std::uint64_t tid);

class Watchdog {
public:
    // `may_signal`: a free real-time signal is taken, for good. Without one, threads that compute are not looked at.
    explicit Watchdog(bool may_signal);
    Watchdog(const Watchdog&) = delete;
    Watchdog& operator=(const Watchdog&) = delete;

    // When `step` should be looked at next, in ns since it began.
    std::uint64_t next_look_ns(const probe::ThreadProbe& thread, const RunningStep& step, std::uint64_t threshold_ns);
    // Looks at the thread if that time has come. `lasted_ns`: since the step, which it runs, began. Blocks for some
    // milliseconds at the longest.
    std::optional<Stall> look(const probe::ThreadProbe& thread, const RunningStep& step, std::uint64_t lasted_ns,
                              std::uint64_t threshold_ns);
    void forget(std::uint32_t thread) { looked_.erase(thread); }

private:
    struct Looked {
        probe::Stamp step = 0;
        std::uint64_t next_ns = 0;
        unsigned failed = 0;  // looks in a row that saw nothing
    };
    Looked& looked(const probe::ThreadProbe& thread, const RunningStep& step, std::uint64_t threshold_ns);

    bool may_signal_ = false;
    std::unordered_map<std::uint32_t, Looked> looked_;
};

}  // namespace coroscope::debug
