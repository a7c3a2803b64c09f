// What the probe of one process shares between the threads that emit and the one that drains. std only.
//
// There is one Registry a process, in libcoroscope-emit. The debug library is loaded at run time and gets a pointer to
// it (see debug_library.hpp).
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "clock.hpp"
#include "coroscope/emit.h"
#include "definitions.hpp"
#include "resource_table.hpp"
#include "ring.hpp"

namespace coroscope::probe {

// Something rare that carries text or frames.
struct Report {
    std::uint32_t kind = 0;  // a vocabulary::ReportKind
    Stamp stamp = 0;
    std::uint64_t task = 0;
    SiteId site = 0;  // never_awaited: the coroutine's own
    NodeId stack = 0;
    std::vector<SiteId> frames;    // of the language, innermost first
    std::vector<void*> addresses;  // instead of frames: return addresses, innermost first; resolved by the drainer
    std::string text;
    std::uint32_t thread = 0;
    std::uint64_t duration_ns = 0;
};

// One thread that emits. Created by its first record, freed by the drainer once retired and empty.
struct ThreadProbe {
    ThreadProbe(std::size_t capacity, DrainerBell* bell) : ring(capacity, bell) {}
    Ring ring;
    std::uint32_t id = 0;  // dense, from 1
    std::uint64_t tid = 0;
    std::string name;
};

// A runtime of the process: see cs_runtime_info. Never destroyed.
struct Runtime {
    std::uint32_t id = 0;  // from 1
    std::string language, name, version;
    std::uint32_t capabilities = 0;
    std::uint32_t* on = nullptr;
    void* self = nullptr;
    const char* (*cancel)(void*, cs_task) = nullptr;
    void (*list_tasks)(void*) = nullptr;
    std::size_t (*stack_of)(void*, std::uint64_t, cs_site*, std::size_t) = nullptr;
    void (*write_stacks)(void*, const cs_stacks_writer*) = nullptr;
};

struct Registry {
    static constexpr std::size_t max_reports = 1024;  // overflow policy: drop the newest; counter: reports_lost
    static constexpr std::size_t max_runtimes = 64;

    explicit Registry(cs_process& the_process);

    cs_process& process;

    Definitions definitions;
    ResourceTable resources;

    std::mutex threads_mutex;
    std::vector<std::unique_ptr<ThreadProbe>> threads;  // under threads_mutex
    std::uint32_t last_thread_id = 0;                   // under threads_mutex

    std::mutex reports_mutex;
    std::vector<Report> reports;  // under reports_mutex
    std::atomic<std::uint64_t> reports_lost{0};

    std::mutex runtimes_mutex;
    std::vector<std::unique_ptr<const Runtime>> runtimes;  // under runtimes_mutex; its entries live for ever

    std::atomic<std::uint64_t> slow_step_ns{100'000'000};
    std::size_t ring_capacity = 1 << 16;  // records; set before debug mode is on

    DrainerBell bell;

    // The calling thread's producer if it has one; makes none. Async-signal-safe where the library that has it was
    // loaded with the program.
    cs_producer* (*producer_if_any)() noexcept = nullptr;
    // See log.hpp: for the debug library, whose own copy of that knows no handler.
    bool (*has_log_handler)() noexcept = nullptr;
    bool (*tell_log_handler)(int level, const char* text) noexcept = nullptr;

    void report(Report&& report) noexcept;
    std::uint32_t add_runtime(const Runtime& runtime);  // 0: there are max_runtimes
    std::vector<const Runtime*> all_runtimes();
    // Sets the process's word and those of the runtimes.
    void set_on(bool on) noexcept;
    // All runtimes list their live tasks anew, the idle ones as soon as somebody calls their list_tasks().
    void want_snapshot() noexcept;
    // Asks the runtimes for it, one after the other. nullptr: cancelled; else why not, in words.
    const char* cancel_task(std::uint64_t task) noexcept;

    // Around a fork: no other thread is within the registry meanwhile.
    void lock_all() noexcept;
    void unlock_all() noexcept;
    // In the child, between both: the other threads are not there, and what they had not sent is the parent's.
    void start_anew_in_child() noexcept;

private:
    void set_words(bool on) noexcept;  // under runtimes_mutex
};

}  // namespace coroscope::probe
