#include "emitter.hpp"

#include <poll.h>
#include <spdlog/spdlog.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "app_signals.hpp"
#include "app_threads.hpp"
#include "emitter_state.hpp"
#include "encoder.hpp"
#include "local_log.hpp"
#include "own_thread.hpp"
#include "proto/words/utf8.hpp"

namespace coroscope::debug {

namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

// How long events may wait. The longer, the fewer batches and wake-ups the app pays for; a ring half full rings the
// bell.
constexpr auto usual_wait = 25ms;
constexpr auto idle_wait = 50ms;
constexpr auto resample_interval = 250ms;
// A batch is sent at least this often, so that a reader's clock moves while nothing happens in the app.
constexpr auto heartbeat_interval = 250ms;

}  // namespace

Emitter::State::State(probe::Registry& the_registry, std::unique_ptr<Sink> the_sink, const EmitterOptions& options)
    : registry(the_registry),
      sink(std::move(the_sink)),
      clock(the_registry.process.stamps_in_ticks != 0),
      definitions(the_registry, clock),
      findings(the_registry, clock, costs),
      resolver([this] { registry.bell.ring(); }),
      calls(the_registry, [this] { registry.bell.ring(); }) {
    resync = options.late;
    told_slow_step_ns = registry.slow_step_ns.load(std::memory_order_relaxed);
    forget_the_past();
    watchdog.emplace(options.signal_threads);
    if (registry.bell.event_fd < 0) registry.bell.event_fd = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    crashes.emplace(registry.bell.event_fd);
    if (options.blocking_calls) {
        blocking.emplace(registry, clock);
        if (blocking->patched() == 0)
            log().warn("COROSCOPE_BLOCKING: no call that can block is seen, because no table of calls can be written");
    }
    if (options.profile_hz != 0) {
        profiler.emplace(options.profile_hz);
        if (*profiler->shortcoming() != '\0') log().warn(profiler->shortcoming());
    }
}

// What was recorded while debug mode was going off belongs to no session.
void Emitter::State::forget_the_past() {
    {
        const std::scoped_lock lock(registry.reports_mutex);
        registry.reports.clear();
    }
    const std::scoped_lock lock(registry.threads_mutex);
    for (const auto& each : registry.threads) {
        for (auto records = each->ring.readable(); !records.empty(); records = each->ring.readable())
            each->ring.consume(records.size());
        lost_before += each->ring.lost();
    }
}

std::vector<probe::ThreadProbe*> Emitter::State::threads() {
    const std::scoped_lock lock(registry.threads_mutex);
    std::vector<probe::ThreadProbe*> all;
    for (auto it = registry.threads.begin(); it != registry.threads.end();) {
        probe::ThreadProbe& each = **it;
        if (each.ring.retired.load(std::memory_order_acquire) && each.ring.readable().empty()) {  // pairs with ~Retire
            lost_by_retired += each.ring.lost();
            if (watchdog) watchdog->forget(each.id);
            if (profiler) profiler->forget(each.id);
            findings.forget(each.id);
            costs.forget(each.id);
            last_ns.erase(each.id);
            it = registry.threads.erase(it);
            continue;
        }
        all.push_back(&each);
        ++it;
    }
    return all;
}

std::size_t Emitter::State::drain_thread(probe::ThreadProbe& each, std::size_t most) {
    LaneEncoder lane(batch, each.id, clock, last_ns[each.id]);
    std::size_t taken = 0;
    while (taken < most) {
        auto records = each.ring.readable();
        if (records.empty()) break;
        records = records.first(std::min(records.size(), most - taken));
        lane.append(records);
        findings.see(each.id, records.data(), records.data() + records.size());
        each.ring.consume(records.size());
        taken += records.size();
    }
    if (taken == 0) return 0;
    last_ns[each.id] = lane.last_ns();
    if (std::find(threads_told.begin(), threads_told.end(), each.id) == threads_told.end()) {
        threads_told.push_back(each.id);
        v2::Thread& told = *batch.add_threads();
        told.set_id(each.id);
        told.set_tid(each.tid);
        told.set_name(words::valid_utf8(each.name));
    }
    batch_events += lane.events();
    must_send = true;
    return taken;
}

std::size_t Emitter::State::skim_thread(probe::ThreadProbe& each) {
    const auto records = each.ring.readable();
    findings.see(each.id, records.data(), records.data() + records.size());
    each.ring.consume(records.size());
    return records.size();
}

std::size_t Emitter::State::drain() {
    std::uint64_t lost = lost_by_retired;
    std::size_t taken = 0;
    const bool wanted = sink->wants_batches();
    if (sink->wants_complete_definitions()) resync = true;
    if (resync) threads_told.clear();
    batch.set_time_ns(probe::monotonic_ns());  // before the rings are read: what is older is in this batch
    std::uint64_t backlog = 0;
    for (probe::ThreadProbe* each : threads()) {
        lost += each->ring.lost();
        taken += wanted ? drain_thread(*each, most_events - std::min(taken, most_events - 1)) : skim_thread(*each);
        backlog += each->ring.readable().size();
    }
    batch.set_backlog(backlog);
    take_reports();
    take_costs();
    sample();
    watch();
    take_stack();
    add_resolved();
    if (!wanted) {
        sink->count_unsent(taken);
        definitions.skip();
        discard();
        return taken;
    }
    add_hotspots();
    must_send = definitions.write(batch, resync) || must_send;
    if (const std::uint64_t now_ns = registry.slow_step_ns.load(std::memory_order_relaxed);
        now_ns != told_slow_step_ns || resync) {
        told_slow_step_ns = now_ns;
        batch.set_slow_step_ns(now_ns);
        must_send = true;
    }
    batch.set_dropped_total(lost - lost_before + sink->events_lost());
    if (Clock::now() - threads_counted >= heartbeat_interval) {
        threads_counted = Clock::now();
        batch.set_app_threads(count_app_threads());
    }
    if (must_send || resync || Clock::now() - last_sent >= heartbeat_interval) send();
    return taken;
}

void Emitter::State::discard() {
    batch.Clear();
    batch_events = 0;
    must_send = false;
}

void Emitter::State::send() {
    const std::uint64_t lost = sink->batches_lost();
    batch.set_sequence(++sequence);
    batch.set_batches_lost(lost - batches_lost_told);
    batches_lost_told = lost;
    EncodedBatch encoded;
    encoded.events = batch_events;
    encoded.complete_definitions = resync || sequence == 1;
    last_sent = Clock::now();
    batch.SerializeToString(&encoded.bytes);
    discard();
    const bool resynced = resync;
    resync = !sink->offer(std::move(encoded));
    if (resync || resynced) {
        registry.want_snapshot();
        calls.list_tasks();
    }
}

void Emitter::State::wait(std::chrono::milliseconds time) {
    costs.waits(static_cast<std::uint64_t>(time.count()) * 1'000'000u);
    registry.bell.asleep.store(true, std::memory_order_relaxed);  // see DrainerBell::ring()
    pollfd bell{registry.bell.event_fd, POLLIN, 0};
    if (::poll(&bell, 1, static_cast<int>(time.count())) > 0) {
        std::uint64_t count = 0;
        [[maybe_unused]] const ssize_t size = ::read(bell.fd, &count, sizeof count);
    }
    registry.bell.asleep.store(false, std::memory_order_relaxed);
    costs.works();
}

// Not past the time at which a step that runs now has to be looked at.
std::chrono::milliseconds Emitter::State::until_next_look(std::chrono::milliseconds pause) const {
    const std::uint64_t now_ns = probe::monotonic_ns();
    const std::uint64_t left_ns = next_look_ns > now_ns ? next_look_ns - now_ns : 0;
    return std::min(pause, std::chrono::milliseconds(left_ns / 1'000'000 + 1));
}

void Emitter::State::run() {
    begin_own_thread("coroscope");
    CrashWatch::this_is_the_emitter();
    auto last_sample = Clock::now();
    auto pause = usual_wait;
    std::unique_lock lock(working);
    costs.works();
    while (!ending.load(std::memory_order_acquire)) {  // pairs with finish()
        if (auto crash = CrashWatch::take()) tell_crash(std::move(*crash));
        if (crashed) break;
        const std::size_t taken = drain();
        sink->tick();
        findings.tick();
        if (Clock::now() - last_sample >= resample_interval) {
            clock.resample();
            last_sample = Clock::now();
        }
        pause = taken != 0 ? std::chrono::milliseconds(usual_wait)
                           : std::min<std::chrono::milliseconds>(pause * 2, idle_wait);
        lock.unlock();
        if (taken >= most_events) {
            std::this_thread::yield();  // to a thread that waits in hold()
        } else {
            wait(until_next_look(pause));
        }
        const std::uint64_t before_ns = probe::monotonic_ns();
        lock.lock();
        costs.waited(probe::monotonic_ns() - before_ns);
    }
    if (crashed) return;
    // Places that are still being looked up may take half of the time there is, the sink the rest.
    const auto last_look = end - (end - Clock::now()) / 2;
    while (drain() != 0 && Clock::now() < end) {
    }
    asked_until = Clock::time_point::min();  // native frames must do
    while ((!unresolved.empty() || asked_about) && Clock::now() < last_look) {
        drain();
        const std::uint64_t before_ns = probe::monotonic_ns();
        resolver.wait_for_answer(std::chrono::duration_cast<std::chrono::milliseconds>(last_look - Clock::now()));
        costs.waited(probe::monotonic_ns() - before_ns);
    }
    drain();
    findings.tell_of_withheld();
}

Emitter::Emitter(probe::Registry& registry, std::unique_ptr<Sink> sink, const EmitterOptions& options)
    : state_(std::make_unique<State>(registry, std::move(sink), options)) {
    const AppSignalsBlocked blocked;
    state_->costs.starts();
    state_->thread = std::thread([state = state_.get()] { state->run(); });
}

Emitter::~Emitter() { finish(std::chrono::milliseconds(0), true); }

void Emitter::hold() { state_->working.lock(); }

void Emitter::release() { state_->working.unlock(); }

void Emitter::finish(std::chrono::milliseconds most, bool app_ends) {
    if (!state_->thread.joinable()) return;
    state_->sink->app_ends = app_ends;
    state_->end = Clock::now() + most;
    state_->ending.store(true, std::memory_order_release);
    state_->registry.bell.asleep.store(true, std::memory_order_relaxed);
    state_->registry.bell.ring();
    state_->thread.join();
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(state_->end - Clock::now());
    state_->sink->finish(std::max(left, std::chrono::milliseconds(0)), "");
}

}  // namespace coroscope::debug
