// Where the CPU time of steps goes: samples of each loop's thread, at a rate of its own CPU time.
//
// COROSCOPE_PROFILE=97 (Hz). Each thread that runs steps has a timer on its CPU time, which sends it a signal. Such a
// timer goes off only while the thread is on a CPU: one that is blocked is never hit. What is left is the time within a
// system call that then blocks: a call that begins in the moment in which the timer goes off can end early (EINTR), as
// for any profiler that works by signals. perf_event_open() would need none, but most containers forbid it, and its
// stacks end where a function has no frame pointer.
//
// The handler takes a sample only within a step: task, async node, and the native stack, which it walks by the unwinder
// of exceptions. That is safe in a handler where the loader finds unwind tables without a lock (glibc 2.35 and later,
// by _dl_find_object()); elsewhere the stack is walked along frame pointers.
//
// Memory: `room` samples a thread, kept for other threads when it has ended. Overflow policy: drop; counter: lost().
#pragma once

#include <signal.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "runtime/src/probe/registry.hpp"

namespace coroscope::debug {

struct CpuSample {
    static constexpr std::size_t most_frames = 48;
    std::uint64_t task = 0;  // 0: a callback
    probe::NodeId node = 0;  // where the step had begun
    std::uint32_t frame_count = 0;
    void* frames[most_frames];  // program counter first, then return addresses; those of our handler are left out
};

// At most one at a time. Thread: the emitter's.
class Profiler {
public:
    static constexpr unsigned most_hz = 1000;
    static constexpr std::size_t room = 64;

    explicit Profiler(unsigned hz);
    ~Profiler();  // no timer is left
    Profiler(const Profiler&) = delete;
    Profiler& operator=(const Profiler&) = delete;

    // "": it works as said above. Else what is missing, in words.
    const char* shortcoming() const noexcept { return shortcoming_; }
    std::uint64_t period_ns() const noexcept { return period_ns_; }
    // Begins to sample a thread that runs steps; again: nothing. It must be forgotten before its probe goes.
    void watch(const probe::ThreadProbe& thread);
    void forget(std::uint32_t thread);
    // Calls take(thread, sample) with each new sample.
    template <class Take>
    void take_samples(Take take);
    std::uint64_t lost() const noexcept;

private:
    struct Thread;  // what the handler and this one share of a thread
    struct Watched {
        std::uint32_t thread = 0;
        Thread* shared = nullptr;
    };
    // Those that are in no use, of all profilers; there is one at a time. Never freed: a signal may still be on its
    // way. One is used again when its thread is gone.
    static std::vector<Thread*>& idle();
    static const CpuSample* oldest(const Thread& thread) noexcept;
    static void drop_oldest(Thread& thread) noexcept;
    static void handle(int signal, siginfo_t* info, void* context);
    void release(Thread& thread);

    int signal_ = 0;
    std::uint64_t period_ns_;
    const char* shortcoming_ = "";
    std::vector<Watched> watched_;
    std::uint64_t lost_before_ = 0;  // by threads that are gone
};

template <class Take>
void Profiler::take_samples(Take take) {
    for (const Watched& each : watched_) {
        while (const CpuSample* sample = oldest(*each.shared)) {
            take(each.thread, *sample);
            drop_oldest(*each.shared);
        }
    }
}

}  // namespace coroscope::debug
