// Where time goes: the emitter takes what was measured (blocking_calls.hpp, profiler.hpp), has the lines looked up, and
// sends the sums, once a second and at the end.
#include <spdlog/spdlog.h>

#include <algorithm>

#include "emitter_state.hpp"
#include "local_log.hpp"

namespace coroscope::debug {

namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr auto send_interval = 1000ms;
constexpr auto look_interval = 250ms;  // at what was measured: lines are looked up while the app runs, not at its end
// Questions to the resolver at a time: it refuses what is beyond its queue, and others ask, too.
constexpr std::size_t most_asked = 256;

}  // namespace

void Emitter::State::ask_for(const Hotspots::Stack& stack) {
    if (!stack.is_new) return;
    hotspots_to_ask.push_back(stack.number);
    ask_for_waiting();
}

void Emitter::State::ask_for_waiting() {
    for (; !hotspots_to_ask.empty() && hotspots_asked < most_asked; hotspots_to_ask.pop_front(), ++hotspots_asked) {
        const std::size_t number = hotspots_to_ask.front();
        std::vector<void*> frames = hotspots.frames(number);
        // A sample's first is where the thread was, not where a call returns to: the resolver takes one byte off.
        if (hotspots.kind(number) == ReportKind::cpu_samples && !frames.empty())
            frames[0] = static_cast<char*>(frames[0]) + 1;
        resolver.ask(std::move(frames));
        unresolved.emplace_back(HotspotStack{number});
    }
}

void Emitter::State::add_hotspot_lines(std::size_t number, std::vector<NativeFrame> frames) {
    --hotspots_asked;
    const bool called_by_app = !frames.empty() && !is_library_frame(frames.front());
    if (hotspots.kind(number) == ReportKind::cpu_samples) {
        hotspots.resolved(number, sites_of(stalled_call(std::move(frames))), false);
    } else if (auto lines = lines_of_call(std::move(frames))) {
        hotspots.resolved(number, sites_of(*lines), called_by_app);
    } else {
        hotspots.resolved(number, std::nullopt, false);
    }
    ask_for_waiting();
}

// Samples that were taken since, and the threads to take them of.
void Emitter::State::sample() {
    if (!profiler) return;
    for (const probe::ThreadProbe* each : threads())
        if (findings.has_run_steps(each->id) && !each->ring.retired.load(std::memory_order_acquire))
            profiler->watch(*each);
    std::vector<void*> frames;
    profiler->take_samples([&](std::uint32_t id, const CpuSample& sample) {
        PlaceSums one;
        one.count = 1;
        one.total_ns = profiler->period_ns();
        one.task = sample.task;
        one.thread = id;
        frames.assign(sample.frames, sample.frames + sample.frame_count);
        const auto stack = hotspots.stack(ReportKind::cpu_samples, "", sample.node, frames);
        if (!stack) return hotspots.add_without_room(ReportKind::cpu_samples, one);
        ask_for(*stack);
        hotspots.add(stack->number, one);
    });
}

void Emitter::State::take_blocked_calls() {
    blocking->tick(registry.slow_step_ns.load(std::memory_order_relaxed));
    for (const std::string& path : blocking->take_refused())
        log().warn("blocking calls of {} are not seen: its table of calls cannot be written", path);
    for (const BlockedPlace& place : blocking->take_changed()) {
        PlaceSums sums;
        sums.count = place.count;
        sums.total_ns = place.total_ns;
        sums.longest_ns = place.longest_ns;
        sums.slow_ns = place.slow_ns;
        sums.quick = place.quick;
        sums.task = place.task;
        sums.thread = place.thread;
        const auto stack = hotspots.stack(ReportKind::blocked_calls, place.function, place.node, place.frames);
        if (!stack) continue;  // cannot be: there is more room than in the table that they come from
        ask_for(*stack);
        hotspots.set(stack->number, sums);
    }
    PlaceSums more;
    more.count = blocking->without_room() - blocked_without_room;
    blocked_without_room += more.count;
    if (more.count != 0) hotspots.add_without_room(ReportKind::blocked_calls, more);
}

void Emitter::State::add_hotspots() {
    if (!blocking && !profiler) return;
    const bool last = ending.load(std::memory_order_relaxed) || crashing;
    if (blocking && (last || resync || Clock::now() - hotspots_looked >= look_interval)) {
        hotspots_looked = Clock::now();
        take_blocked_calls();
    }
    if (!last && !resync && Clock::now() - hotspots_sent < send_interval) return;
    hotspots_sent = Clock::now();
    if (profiler && profiler->lost() > samples_lost) {
        PlaceSums lost;
        lost.count = profiler->lost() - samples_lost;
        samples_lost += lost.count;
        lost.total_ns = lost.count * profiler->period_ns();
        hotspots.add_without_room(ReportKind::cpu_samples, lost);
    }
    for (const Hotspot& each : hotspots.take(resync)) {
        v2::Report& out = *batch.add_reports();
        must_send = true;
        out.set_kind(static_cast<std::uint32_t>(each.kind));
        out.set_time_ns(probe::monotonic_ns());
        out.set_task(each.sums.task);
        out.set_stack(each.node);
        out.set_text(each.function);
        out.set_thread(each.sums.thread);
        for (auto it = each.frames.rbegin(); it != each.frames.rend(); ++it) out.add_frames(*it);
        v2::Sums& sums = *out.mutable_sums();
        sums.set_id(each.id);
        sums.set_count(each.sums.count);
        sums.set_total_ns(each.sums.total_ns);
        sums.set_longest_ns(each.sums.longest_ns);
        sums.set_slow_ns(each.sums.slow_ns);
        sums.set_quick(each.sums.quick);
    }
}

}  // namespace coroscope::debug
