// What the emitter is made of. Its own files only: emitter.cpp drains and sends, emitter_reports.cpp has what is
// reported beside the events: stalls, what long steps cost, a crash, the app's own reports; emitter_hotspots.cpp where
// time goes: calls that block, samples of CPU time.
//
// Thread: the emitter's, but where it is said.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <unordered_map>
#include <variant>
#include <vector>

#include "blocking_calls.hpp"
#include "clock_map.hpp"
#include "coroscope/v2/events.pb.h"
#include "crash.hpp"
#include "definition_writer.hpp"
#include "emitter.hpp"
#include "findings.hpp"
#include "hotspots.hpp"
#include "native_frames.hpp"
#include "profiler.hpp"
#include "resolver.hpp"
#include "runtime/src/probe/registry.hpp"
#include "runtime_calls.hpp"
#include "sink.hpp"
#include "step_cost.hpp"
#include "watchdog.hpp"

namespace coroscope::debug {

struct Emitter::State {
    using Clock = std::chrono::steady_clock;
    static constexpr std::size_t most_events = 16'384;  // of a batch

    State(probe::Registry& the_registry, std::unique_ptr<Sink> the_sink, const EmitterOptions& options);

    void forget_the_past();
    void run();
    std::size_t drain();  // one batch; returns how many records were taken
    std::size_t drain_thread(probe::ThreadProbe& thread, std::size_t most);
    std::size_t skim_thread(probe::ThreadProbe& thread);  // for the local log only
    void take_reports();
    void take_costs();
    void tell_crash(Crash&& crash);
    void add_crash(const Crash& crash, const std::vector<probe::SiteId>& frames);
    void watch();
    void take_stack();
    void add_resolved();
    void add_report(const probe::Report& report, const std::vector<probe::SiteId>& frames);
    void sample();
    void ask_for(const Hotspots::Stack& stack);
    void ask_for_waiting();
    void take_blocked_calls();
    void add_hotspots();
    void add_hotspot_lines(std::size_t number, std::vector<NativeFrame> frames);
    void add_stall(const Stall& stall, const std::vector<probe::SiteId>& frames);
    void send();
    void discard();
    void wait(std::chrono::milliseconds time);
    std::chrono::milliseconds until_next_look(std::chrono::milliseconds pause) const;
    std::vector<probe::SiteId> sites_of(const std::vector<NativeFrame>& frames);
    std::vector<NativeFrame> frames_of(const std::vector<probe::SiteId>& sites) const;
    std::vector<probe::ThreadProbe*> threads();

    probe::Registry& registry;
    std::unique_ptr<Sink> sink;
    ClockMap clock;
    DefinitionWriter definitions;
    StepCosts costs;
    Findings findings;
    Resolver resolver;
    RuntimeCalls calls;
    // What the resolver was asked about, in this order; bound: Resolver's.
    struct HotspotStack {
        std::size_t number = 0;
    };
    std::deque<std::variant<probe::Report, Stall, Crash, HotspotStack>> unresolved;
    Hotspots hotspots;
    std::deque<std::size_t> hotspots_to_ask;  // stacks that nobody was asked about yet; bound: Hotspots'
    std::size_t hotspots_asked = 0;           // of `unresolved`
    std::optional<BlockingCalls> blocking;
    std::optional<Profiler> profiler;
    std::uint64_t blocked_without_room = 0, samples_lost = 0;  // told so far
    Clock::time_point hotspots_looked{}, hotspots_sent{};
    std::optional<CrashWatch> crashes;
    bool crashing = false, crash_told = false;
    bool crashed = false;              // and it is told: there is nothing more to send to
    std::optional<Watchdog> watchdog;  // never empty: a signal handler refers to the only one
    std::uint64_t next_look_ns = 0;    // when a thread should be looked at next
    std::optional<Stall> asked_about;  // a stall whose stack a runtime was asked for
    Clock::time_point asked_until{};
    std::mutex working;  // held by the emitter's thread but while it waits: see Emitter::hold()
    std::thread thread;
    std::atomic<bool> ending{false};
    Clock::time_point end{};  // of the time to finish; set before `ending`

    v2::Batch batch;  // reused: clearing keeps the columns' memory
    std::size_t batch_events = 0;
    bool must_send = false;  // the batch has something beside events
    bool resync = false;     // the next batch has complete definitions
    Clock::time_point last_sent{};
    Clock::time_point threads_counted{};
    std::uint64_t sequence = 0;
    std::uint64_t batches_lost_told = 0;
    std::vector<std::uint32_t> threads_told;
    std::unordered_map<std::uint32_t, std::uint64_t> last_ns;  // by thread: times never go back
    std::uint64_t lost_by_retired = 0;
    std::uint64_t lost_before = 0;        // by the rings, before this session
    std::uint64_t told_slow_step_ns = 0;  // the threshold that the receiver knows
};

}  // namespace coroscope::debug
