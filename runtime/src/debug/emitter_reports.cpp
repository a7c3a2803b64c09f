// What the emitter reports beside the events of the rings.
#include <unistd.h>

#include <algorithm>

#include "emitter_state.hpp"
#include "local_log.hpp"
#include "proto/words/utf8.hpp"

namespace coroscope::debug {

namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr std::uint64_t shortest_wait_ns = 5'000'000;  // whatever the threshold
constexpr auto crash_patience = 250ms;                 // less than the crashed thread waits
constexpr auto stack_patience = 1000ms;                // for a runtime to say what its thread hangs in

}  // namespace
std::vector<probe::SiteId> Emitter::State::sites_of(const std::vector<NativeFrame>& frames) {
    std::vector<probe::SiteId> sites;
    for (const NativeFrame& frame : frames) {
        const std::uint32_t flags = is_library_frame(frame) ? CS_SITE_LIBRARY : 0;
        sites.push_back(registry.definitions.intern_site(frame.function, frame.file, frame.line, 0, flags));
    }
    return sites;
}

std::vector<NativeFrame> Emitter::State::frames_of(const std::vector<probe::SiteId>& sites) const {
    std::vector<NativeFrame> frames;
    for (const probe::SiteId id : sites) {
        const probe::SiteDefinition site = registry.definitions.site(id);
        frames.push_back({probe::readable_name(site), site.file, site.line, (site.flags & CS_SITE_LIBRARY) != 0});
    }
    return frames;
}

void Emitter::State::take_reports() {
    std::vector<probe::Report> reports;
    {
        const std::scoped_lock lock(registry.reports_mutex);
        reports.swap(registry.reports);
    }
    for (probe::Report& report : reports) {
        if (report.addresses.empty()) {
            add_report(report, report.frames);
            continue;
        }
        resolver.ask(std::move(report.addresses));
        unresolved.emplace_back(std::move(report));
    }
}

void Emitter::State::take_costs() {
    for (const Findings::LongStep& step : findings.take_long_steps()) {
        v2::Report& out = *batch.add_reports();
        must_send = true;
        out.set_kind(static_cast<std::uint32_t>(vocabulary::ReportKind::step_cost));
        out.set_time_ns(step.end_ns);
        out.set_task(step.task);
        out.set_thread(step.thread);
        out.set_duration_ns(step.took_ns);
        v2::StepCost& cost = *out.mutable_cost();
        cost.set_cpu_least_ns(step.cost.cpu_least_ns);
        cost.set_cpu_most_ns(step.cost.cpu_most_ns);
        cost.set_no_cpu_ns(step.cost.no_cpu_ns);
    }
}

// A thread whose step has lasted for longer than the threshold is looked at while it hangs.
void Emitter::State::watch() {
    if (crashing) return;
    const std::uint64_t threshold_ns =
        std::max<std::uint64_t>(registry.slow_step_ns.load(std::memory_order_relaxed), 1'000'000);
    for (probe::ThreadProbe* each : threads()) {
        const auto step = running_step(*each);
        if (step || costs.knows(each->id)) costs.read(each->id, each->tid, step ? step->began : 0);
    }
    next_look_ns = probe::monotonic_ns() + std::max(threshold_ns, shortest_wait_ns);  // of a step that begins now
    for (probe::ThreadProbe* each : threads()) {
        const auto step = running_step(*each);
        if (!step || each->ring.retired.load(std::memory_order_acquire)) continue;
        const std::uint64_t now_ns = probe::monotonic_ns();
        std::uint64_t began_ns = std::min(clock.ns(step->began), now_ns);
        // A thread that had no CPU does not hang in anything.
        if (now_ns - began_ns >= std::max(threshold_ns, StepCosts::shortest_ns))
            if (const auto cost = costs.of(each->id, began_ns, now_ns)) began_ns += cost->no_cpu_ns;
        auto stall = watchdog->look(*each, *step, now_ns - began_ns, threshold_ns);
        costs.waited(probe::monotonic_ns() - now_ns);
        next_look_ns = std::min(next_look_ns, began_ns + watchdog->next_look_ns(*each, *step, threshold_ns));
        if (!stall) continue;
        stall->seen_ns = now_ns;
        stall->lasted_ns = now_ns - began_ns;
        if (!asked_about && calls.ask_stack(stall->tid)) {
            asked_about = std::move(stall);
            asked_until = Clock::now() + stack_patience;
            continue;
        }
        resolver.ask_stack(std::move(stall->stack));
        unresolved.emplace_back(std::move(*stall));
    }
}

// The answer of a runtime that was asked for a hanging thread's stack. Without one, or with one that came after the
// step had ended, the native frames must do.
void Emitter::State::take_stack() {
    if (!asked_about) return;
    const auto sites = calls.take_answer();
    if (!sites && Clock::now() < asked_until) return;
    if (!sites) calls.give_up();
    Stall stall = std::move(*asked_about);
    asked_about.reset();
    bool still_runs = false;
    for (const probe::ThreadProbe* each : threads()) {
        const auto step = running_step(*each);
        still_runs = still_runs || (each->id == stall.thread && step && step->began == stall.step_stamp);
    }
    if (sites && !sites->empty() && still_runs) return add_stall(stall, *sites);
    resolver.ask_stack(std::move(stall.stack));
    unresolved.emplace_back(std::move(stall));
}

void Emitter::State::add_resolved() {
    while (const auto frames = resolver.take_answer()) {
        if (const auto* report = std::get_if<probe::Report>(&unresolved.front())) {
            const bool made = report->kind == static_cast<std::uint32_t>(vocabulary::ReportKind::never_awaited);
            const std::string coroutine = probe::readable_name(registry.definitions.site(report->site));
            add_report(*report, sites_of(made ? creation_call(*frames, coroutine) : stalled_call(*frames)));
        } else if (const auto* stall = std::get_if<Stall>(&unresolved.front())) {
            add_stall(*stall, sites_of(stalled_call(*frames)));
        } else if (const auto* hotspot = std::get_if<HotspotStack>(&unresolved.front())) {
            add_hotspot_lines(hotspot->number, *frames);
        } else {
            add_crash(std::get<Crash>(unresolved.front()), sites_of(stalled_call(*frames)));
        }
        unresolved.pop_front();
    }
}

void Emitter::State::add_report(const probe::Report& report, const std::vector<probe::SiteId>& frames) {
    v2::Report& out = *batch.add_reports();
    must_send = true;
    out.set_kind(static_cast<std::uint32_t>(report.kind));
    out.set_time_ns(clock.ns(report.stamp));
    out.set_task(report.task);
    out.set_stack(report.stack);
    out.set_text(words::valid_utf8(report.text));
    out.set_thread(report.thread);
    out.set_site(report.site);
    out.set_duration_ns(report.duration_ns);
    for (auto it = frames.rbegin(); it != frames.rend(); ++it) out.add_frames(*it);
    findings.report(report, frames_of(frames));
}

void Emitter::State::add_stall(const Stall& stall, const std::vector<probe::SiteId>& frames) {
    v2::Report& out = *batch.add_reports();
    must_send = true;
    out.set_kind(static_cast<std::uint32_t>(vocabulary::ReportKind::stall));
    out.set_time_ns(stall.seen_ns);
    out.set_task(stall.task);
    out.set_thread(stall.thread);
    out.set_duration_ns(stall.lasted_ns);
    out.set_text(words::valid_utf8(stall.blocked_in));
    for (auto it = frames.rbegin(); it != frames.rend(); ++it) out.add_frames(*it);
    findings.stall(stall.task, stall.lasted_ns, stall.blocked_in, frames_of(frames));
}

// A thread has crashed and waits. All that was recorded goes out, and the report; then the thread may die.
void Emitter::State::tell_crash(Crash&& crash) {
    const auto until = Clock::now() + crash_patience;
    const std::string signal = crash.signal;
    crashing = true;  // the thread that waits for us does not hang
    resolver.ask_stack(std::move(crash.stack));
    unresolved.emplace_back(std::move(crash));
    const auto names_until = Clock::now() + crash_patience * 2 / 3;
    do {
        while (drain() >= most_events && Clock::now() < names_until) {
        }
        if (crash_told) break;
        resolver.wait_for_answer(std::chrono::duration_cast<std::chrono::milliseconds>(names_until - Clock::now()));
    } while (Clock::now() < names_until);
    drain();
    // Without names, if they take too long.
    for (const auto& each : unresolved)
        if (const auto* late = std::get_if<Crash>(&each); late != nullptr && !crash_told) add_crash(*late, {});
    if (must_send) send();
    sink->finish(std::max(std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now()), 0ms), signal);
    finish_log(most_of_log);  // the process may be gone before the app's log handler was told
    crashed = true;
    CrashWatch::told();
}

void Emitter::State::add_crash(const Crash& crash, const std::vector<probe::SiteId>& frames) {
    std::optional<Findings::Running> step;
    std::uint32_t on = 0;
    for (const probe::ThreadProbe* each : threads()) {
        if (each->tid != crash.tid) continue;
        on = each->id;
        if (running_step(*each)) step = findings.running(each->id);
    }
    crash_told = true;
    v2::Report& out = *batch.add_reports();
    must_send = true;
    out.set_kind(static_cast<std::uint32_t>(vocabulary::ReportKind::crashed));
    out.set_time_ns(crash.time_ns);
    out.set_thread(on);
    out.set_text(words::valid_utf8(crash.text));
    if (step) {
        out.set_task(step->task);
        out.set_stack(step->began_at);
        out.set_duration_ns(std::max<std::uint64_t>(crash.time_ns - std::min(step->began_ns, crash.time_ns), 1));
    }
    for (auto it = frames.rbegin(); it != frames.rend(); ++it) out.add_frames(*it);
    findings.crash(crash.text, step, frames_of(frames));
}

}  // namespace coroscope::debug
