// What the probe of one process shares between the threads that emit and the one that drains. std only.
//
// The debug library is loaded at run time and gets a pointer to the Registry (see debug_abi.hpp).
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "clock.hpp"
#include "definitions.hpp"
#include "ring.hpp"

namespace coroscope::probe {

// Something rare that carries text or native frames. Kinds are those of coroscope.v2.Report.
struct Report {
    vocabulary::ReportKind kind = vocabulary::ReportKind::unknown;
    Stamp stamp = 0;
    std::uint64_t task = 0;
    std::source_location site{};  // never_awaited: the coroutine's own
    bool has_site = false;
    NodeId stack = 0;
    std::vector<void*> frames;  // return addresses, innermost first; resolved by the drainer
    std::string text;
    std::uint32_t thread = 0;
};

// One thread that emits. Created by its first record, freed by the drainer once retired and empty.
struct ThreadProbe {
    ThreadProbe(std::size_t capacity, DrainerBell* bell) : ring(capacity, bell) {}
    Ring ring;
    std::uint32_t id = 0;  // dense, from 1
    std::uint64_t tid = 0;
    std::string name;
    // The step that runs now, for the watchdog: written by the thread at each begin and end of a step, relaxed.
    // step_stamp 0: none.
    alignas(64) std::atomic<Stamp> step_stamp{0};
    std::atomic<std::uint64_t> step_task{0};
    std::uintptr_t stack_low = 0;  // bounds of the thread's stack, for walks along frame pointers
    std::uintptr_t stack_high = 0;
};

// Commands that reach back into the runtime, whose first loop sets them. Called on a thread of the debug library.
struct CommandTable {
    // nullptr: cancelled. Else why not, in words. Waits for the loops' answers, for half a second at most.
    std::atomic<const char* (*)(std::uint64_t task)> cancel_task = nullptr;
    std::atomic<void (*)()> wake_loops = nullptr;  // so that an idle loop notices a snapshot request
};

struct Registry {
    static constexpr std::size_t max_reports = 1024;  // overflow policy: drop the newest; counter: reports_lost

    bool stamps_in_ticks = stamps_are_ticks;  // the debug library's own copy of that variable says nothing

    Definitions definitions;

    std::mutex threads_mutex;
    std::vector<std::unique_ptr<ThreadProbe>> threads;  // under threads_mutex
    std::uint32_t last_thread_id = 0;                   // under threads_mutex

    std::mutex reports_mutex;
    std::vector<Report> reports;  // under reports_mutex
    std::atomic<std::uint64_t> reports_lost{0};

    // A loop that sees a generation other than the one it answered lists all its live tasks.
    std::atomic<std::uint64_t> snapshot_generation{0};
    std::atomic<std::uint64_t> slow_step_ns{100'000'000};
    std::size_t ring_capacity = 1 << 16;  // records; set before debug mode is on

    CommandTable commands;
    DrainerBell bell;

    void report(Report&& report) noexcept;
};

Registry& registry() noexcept;  // lives until the process ends, never destroyed

}  // namespace coroscope::probe
