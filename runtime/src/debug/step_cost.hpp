// What CPU time a thread had during a step: did it compute, did it wait, or did it get no CPU?
//
// A step is not slowed to be measured: its thread's clocks are read beside it, by the emitter, now and then. So what is
// known of a step that has ended are bounds, as far apart as the readings are from its begin and its end.
//
// A process that is stopped (SIGSTOP, a debugger, a frozen cgroup) reads nothing meanwhile. That is seen afterwards:
// the emitter's thread says how long it is going to wait. Where it comes back much later than that, and was not queued
// for a CPU, no thread of the process ran.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <unordered_map>

#include "thread_state.hpp"

namespace coroscope::debug {

struct StepCost {
    std::uint64_t cpu_least_ns = 0, cpu_most_ns = 0;
    std::uint64_t no_cpu_ns = 0;  // at least: the process was stopped, or the thread was queued for a CPU
};

// Thread: the emitter's. Memory: bounded, some readings a thread.
class StepCosts {
public:
    // Shorter steps are not worth a word: the readings are further apart.
    static constexpr std::uint64_t shortest_ns = 20'000'000;

    // Reads the clocks of a thread. `step`: the stamp of the begin of the step that it runs; 0: none.
    void read(std::uint32_t thread, std::uint64_t tid, std::uint64_t step);
    // A thread is about to be started that will call all the rest.
    void starts();
    // The calling thread waits for nothing from now on; or it waits for so long, at most.
    void works();
    void waits(std::uint64_t most_ns);
    // Of the time since works(), it waited for so long all the same.
    void waited(std::uint64_t ns) { own_.allowed_ns += ns; }
    // No thread of the process ran in this time.
    void stopped(std::uint64_t begin_ns, std::uint64_t end_ns);
    // Of a step that has just ended; nullopt: nothing is known. Reads the clocks.
    std::optional<StepCost> of(std::uint32_t thread, std::uint64_t begin_ns, std::uint64_t end_ns);
    bool knows(std::uint32_t thread) const { return threads_.contains(thread); }
    void forget(std::uint32_t thread) { threads_.erase(thread); }

private:
    std::uint64_t stopped_between(std::uint64_t begin_ns, std::uint64_t end_ns) const;
    std::optional<StepCost> by_stops(std::uint64_t begin_ns, std::uint64_t end_ns) const;
    struct Reading {
        std::uint64_t time_ns = 0;
        std::uint64_t cpu_ns = 0, queued_ns = 0;
    };
    struct Thread {
        std::uint64_t tid = 0;
        std::deque<Reading> newest;                   // bound: most_readings
        std::uint64_t step = 0;                       // of these two
        std::optional<Reading> before, first_inside;  // kept while the step lasts
    };
    struct Interval {
        std::uint64_t begin_ns = 0, end_ns = 0;
    };
    static std::optional<Reading> reading_of(std::uint64_t tid);
    // What the calling thread is about.
    struct Own {
        bool known = false, works = false;
        std::uint64_t since_ns = 0, allowed_ns = 0;  // to be late by
        std::uint64_t cpu_ns = 0, queued_ns = 0;     // at since_ns
        std::uint64_t log_wait_ns = 0;               // the same: nobody may be reading stderr
    };
    std::uint64_t look_at_own();  // returns the time
    void begin_own(bool works, std::uint64_t since_ns, std::uint64_t allowed_ns);

    std::unordered_map<std::uint32_t, Thread> threads_;
    std::deque<Interval> stops_;  // bound: most_stops
    Own own_;
};

}  // namespace coroscope::debug
