#include "step_cost.hpp"

#include <time.h>
#include <unistd.h>

#include <algorithm>

#include "local_log.hpp"
#include "runtime/src/probe/clock.hpp"

namespace coroscope::debug {

namespace {

constexpr std::size_t most_readings = 16;
constexpr std::size_t most_stops = 64;
constexpr std::uint64_t late_ns = 20'000'000;  // a thread that is so much later than it said did not run

std::uint64_t own_cpu_ns() noexcept {
    timespec time{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000u + static_cast<std::uint64_t>(time.tv_nsec);
}

// How much more than the other; 0 if it is less.
constexpr std::uint64_t above(std::uint64_t value, std::uint64_t other) { return value > other ? value - other : 0; }

}  // namespace

std::optional<StepCosts::Reading> StepCosts::reading_of(std::uint64_t tid) {
    const ThreadTimes times = times_of(tid);
    if (!times.cpu_ns) return std::nullopt;  // the thread has ended
    return Reading{probe::monotonic_ns(), *times.cpu_ns, times.queued_ns.value_or(0)};
}

void StepCosts::read(std::uint32_t thread, std::uint64_t tid, std::uint64_t step) {
    const auto reading = reading_of(tid);
    if (!reading) return;
    Thread& on = threads_[thread];
    on.tid = tid;
    if (step != 0 && step != on.step) {
        on.step = step;
        on.before = on.newest.empty() ? std::nullopt : std::optional(on.newest.back());
        on.first_inside = reading;
    }
    on.newest.push_back(*reading);
    if (on.newest.size() > most_readings) on.newest.pop_front();
}

void StepCosts::starts() { own_ = {true, true, probe::monotonic_ns(), 0, 0, 0, 0}; }

void StepCosts::works() { begin_own(true, look_at_own(), 0); }
void StepCosts::waits(std::uint64_t most_ns) { begin_own(false, look_at_own(), most_ns); }

// `since_ns`: up to when the time before was looked at. A stop may come at any moment, also while the clocks are read.
void StepCosts::begin_own(bool works, std::uint64_t since_ns, std::uint64_t allowed_ns) {
    const auto queued_ns = times_of(static_cast<std::uint64_t>(::gettid())).queued_ns;
    own_ = {queued_ns.has_value(), works, since_ns, allowed_ns, own_cpu_ns(), queued_ns.value_or(0), log_wait_ns()};
}

// A stop that came while it worked is found before the steps that ended after the stop are told.
std::uint64_t StepCosts::look_at_own() {
    const std::uint64_t now_ns = probe::monotonic_ns();
    if (!own_.known) return now_ns;
    const std::uint64_t worked_ns = own_.works ? own_cpu_ns() - own_.cpu_ns : 0;
    const std::uint64_t logged_ns = log_wait_ns() - own_.log_wait_ns, queued_before_ns = own_.queued_ns;
    const std::uint64_t due_ns = own_.since_ns + own_.allowed_ns + worked_ns + logged_ns;
    if (now_ns <= due_ns + late_ns) return now_ns;
    begin_own(own_.works, now_ns, 0);
    const std::uint64_t queued_ns = above(own_.queued_ns, queued_before_ns);
    if (const std::uint64_t stopped_ns = above(now_ns - due_ns, queued_ns); stopped_ns > late_ns)
        stopped(now_ns - stopped_ns, now_ns);
    return now_ns;
}

void StepCosts::stopped(std::uint64_t begin_ns, std::uint64_t end_ns) {
    stops_.push_back({begin_ns, end_ns});
    if (stops_.size() > most_stops) stops_.pop_front();
}

std::uint64_t StepCosts::stopped_between(std::uint64_t begin_ns, std::uint64_t end_ns) const {
    std::uint64_t sum_ns = 0;
    for (const Interval& stop : stops_)
        sum_ns += above(std::min(stop.end_ns, end_ns), std::max(stop.begin_ns, begin_ns));
    return sum_ns;
}

// Of a thread that was not looked at during the step, it is only known when the whole process stood still.
std::optional<StepCost> StepCosts::by_stops(std::uint64_t begin_ns, std::uint64_t end_ns) const {
    const std::uint64_t stopped_ns = stopped_between(begin_ns, end_ns);
    if (stopped_ns == 0) return std::nullopt;
    StepCost cost;
    cost.cpu_most_ns = above(end_ns - begin_ns, stopped_ns);
    cost.no_cpu_ns = stopped_ns;
    return cost;
}

std::optional<StepCost> StepCosts::of(std::uint32_t thread, std::uint64_t begin_ns, std::uint64_t end_ns) {
    if (end_ns <= begin_ns) return std::nullopt;
    look_at_own();
    const auto found = threads_.find(thread);
    if (found == threads_.end()) return by_stops(begin_ns, end_ns);
    Thread& on = found->second;
    read(thread, on.tid, 0);
    // The readings next to the step's begin and to its end, on both sides.
    std::optional<Reading> before, inside, last_inside, after;
    const auto consider = [&](const std::optional<Reading>& reading) {
        if (!reading) return;
        const std::uint64_t at = reading->time_ns;
        if (at <= begin_ns && (!before || at > before->time_ns)) before = reading;
        if (at >= end_ns && (!after || at < after->time_ns)) after = reading;
        if (at <= begin_ns || at >= end_ns) return;
        if (!inside || at < inside->time_ns) inside = reading;
        if (!last_inside || at > last_inside->time_ns) last_inside = reading;
    };
    consider(on.before);
    consider(on.first_inside);
    for (const Reading& reading : on.newest) consider(reading);

    const std::uint64_t took_ns = end_ns - begin_ns;
    const auto& first = before ? before : inside;
    const auto& last = after ? after : last_inside;
    if (!first || !last || last->time_ns <= first->time_ns) return by_stops(begin_ns, end_ns);
    const std::uint64_t outside_ns = above(begin_ns, first->time_ns) + above(last->time_ns, end_ns);
    const std::uint64_t unread_ns = above(first->time_ns, begin_ns) + above(end_ns, last->time_ns);
    StepCost cost;
    const std::uint64_t cpu_ns = above(last->cpu_ns, first->cpu_ns);
    cost.cpu_most_ns = std::min(took_ns, cpu_ns + unread_ns);
    cost.cpu_least_ns = above(cpu_ns, outside_ns);
    cost.no_cpu_ns = above(above(last->queued_ns, first->queued_ns), outside_ns);
    if (inside && last_inside) {
        cost.cpu_least_ns = std::max(cost.cpu_least_ns, above(last_inside->cpu_ns, inside->cpu_ns));
        cost.no_cpu_ns = std::max(cost.no_cpu_ns, above(last_inside->queued_ns, inside->queued_ns));
    }
    cost.cpu_least_ns = std::min(cost.cpu_least_ns, cost.cpu_most_ns);
    cost.no_cpu_ns += stopped_between(begin_ns, end_ns);
    cost.no_cpu_ns = std::min(cost.no_cpu_ns, took_ns - cost.cpu_least_ns);
    return cost;
}

}  // namespace coroscope::debug
