#include "emitter.hpp"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>
#include <unordered_map>
#include <variant>
#include <vector>

#include "app_signals.hpp"
#include "app_threads.hpp"
#include "clock_map.hpp"
#include "coroscope/v2/events.pb.h"
#include "definition_writer.hpp"
#include "encoder.hpp"
#include "findings.hpp"
#include "native_frames.hpp"
#include "own_thread.hpp"
#include "proto/words/place.hpp"
#include "proto/words/utf8.hpp"
#include "resolver.hpp"
#include "runtime/src/probe/registry.hpp"
#include "runtime_calls.hpp"
#include "sink.hpp"
#include "watchdog.hpp"

namespace coroscope::debug {

namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr std::size_t most_events = 16'384;  // of a batch
// How long events may wait. The longer, the fewer batches and wake-ups the app pays for; a ring half full rings the
// bell.
constexpr auto usual_wait = 25ms;
constexpr auto idle_wait = 50ms;
constexpr auto resample_interval = 250ms;
// A batch is sent at least this often, so that a reader's clock moves while nothing happens in the app.
constexpr auto heartbeat_interval = 250ms;
constexpr auto stack_patience = 1000ms;  // for a runtime to say what its thread hangs in

}  // namespace

struct Emitter::State {
    State(probe::Registry& the_registry, std::unique_ptr<Sink> the_sink, const EmitterOptions& options)
        : registry(the_registry),
          sink(std::move(the_sink)),
          clock(the_registry.process.stamps_in_ticks != 0),
          definitions(the_registry, clock),
          findings(the_registry, clock),
          resolver([this] { registry.bell.ring(); }),
          calls(the_registry, [this] { registry.bell.ring(); }) {
        if (options.watch_stalls) watchdog = std::make_unique<Watchdog>();
        registry.bell.event_fd = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    }

    void run();
    std::size_t drain();  // one batch; returns how many records were taken
    std::size_t drain_thread(probe::ThreadProbe& thread, std::size_t most);
    std::size_t skim_thread(probe::ThreadProbe& thread);  // for the local log only
    void take_reports();
    void watch();
    void take_stack();
    void add_resolved();
    void add_report(const probe::Report& report, const std::vector<probe::SiteId>& frames);
    void add_stall(const Stall& stall, const std::vector<probe::SiteId>& frames);
    void send();
    void discard();
    void wait(std::chrono::milliseconds time);
    std::vector<probe::SiteId> sites_of(const std::vector<NativeFrame>& frames);
    std::vector<NativeFrame> frames_of(const std::vector<probe::SiteId>& sites) const;
    std::vector<probe::ThreadProbe*> threads();

    probe::Registry& registry;
    std::unique_ptr<Sink> sink;
    ClockMap clock;
    DefinitionWriter definitions;
    Findings findings;
    Resolver resolver;
    RuntimeCalls calls;
    std::deque<std::variant<probe::Report, Stall>> unresolved;  // asked the resolver, in this order; bound: Resolver's
    std::unique_ptr<Watchdog> watchdog;
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
};

std::vector<probe::ThreadProbe*> Emitter::State::threads() {
    const std::scoped_lock lock(registry.threads_mutex);
    std::vector<probe::ThreadProbe*> all;
    for (auto it = registry.threads.begin(); it != registry.threads.end();) {
        probe::ThreadProbe& each = **it;
        if (each.ring.retired.load(std::memory_order_acquire) && each.ring.readable().empty()) {  // pairs with ~Retire
            lost_by_retired += each.ring.lost();
            if (watchdog) watchdog->forget(each.id);
            findings.forget(each.id);
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
    watch();
    take_stack();
    add_resolved();
    if (!wanted) {
        sink->count_unsent(taken);
        definitions.skip();
        discard();
        return taken;
    }
    must_send = definitions.write(batch, resync) || must_send;
    batch.set_dropped_total(lost + sink->events_lost());
    if (Clock::now() - threads_counted >= heartbeat_interval) {
        threads_counted = Clock::now();
        batch.set_app_threads(count_app_threads());
    }
    if (must_send || resync || Clock::now() - last_sent >= heartbeat_interval) send();
    return taken;
}

std::vector<probe::SiteId> Emitter::State::sites_of(const std::vector<NativeFrame>& frames) {
    std::vector<probe::SiteId> sites;
    for (const NativeFrame& frame : frames) {
        const std::uint32_t flags = words::is_library(frame.function, frame.file) ? CS_SITE_LIBRARY : 0;
        sites.push_back(registry.definitions.intern_site(frame.function, frame.file, frame.line, 0, flags));
    }
    return sites;
}

std::vector<NativeFrame> Emitter::State::frames_of(const std::vector<probe::SiteId>& sites) const {
    std::vector<NativeFrame> frames;
    for (const probe::SiteId id : sites) {
        const probe::SiteDefinition site = registry.definitions.site(id);
        frames.push_back({probe::readable_name(site), site.file, site.line});
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
        resolver.ask(std::move(report.addresses), false);
        unresolved.emplace_back(std::move(report));
    }
}

// A thread whose step has lasted for longer than the threshold is looked at while it hangs.
void Emitter::State::watch() {
    if (!watchdog || !watchdog->usable()) return;
    const std::uint64_t threshold_ns =
        std::max<std::uint64_t>(registry.slow_step_ns.load(std::memory_order_relaxed), 1'000'000);
    const std::uint64_t now_ns = probe::monotonic_ns();
    for (probe::ThreadProbe* each : threads()) {
        const auto step = running_step(*each);
        if (!step || each->ring.retired.load(std::memory_order_acquire)) continue;
        const std::uint64_t began_ns = clock.ns(step->began);
        if (began_ns >= now_ns || now_ns - began_ns < threshold_ns) continue;
        auto stall = watchdog->look(*each, *step, now_ns - began_ns, threshold_ns);
        if (!stall) continue;
        stall->seen_ns = now_ns;
        stall->lasted_ns = now_ns - began_ns;
        if (!asked_about && calls.ask_stack(stall->tid)) {
            asked_about = std::move(stall);
            asked_until = Clock::now() + stack_patience;
            continue;
        }
        resolver.ask(std::move(stall->frames), true);
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
    resolver.ask(std::move(stall.frames), true);
    unresolved.emplace_back(std::move(stall));
}

void Emitter::State::add_resolved() {
    while (const auto frames = resolver.take_answer()) {
        if (const auto* report = std::get_if<probe::Report>(&unresolved.front())) {
            const bool made = report->kind == static_cast<std::uint32_t>(vocabulary::ReportKind::never_awaited);
            const std::string coroutine = probe::readable_name(registry.definitions.site(report->site));
            add_report(*report, sites_of(made ? creation_call(*frames, coroutine) : stalled_call(*frames)));
        } else {
            add_stall(std::get<Stall>(unresolved.front()), sites_of(stalled_call(*frames)));
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
    for (auto it = frames.rbegin(); it != frames.rend(); ++it) out.add_frames(*it);
    findings.stall(stall.task, stall.lasted_ns, frames_of(frames));
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
    registry.bell.asleep.store(true, std::memory_order_relaxed);  // see DrainerBell::ring()
    pollfd bell{registry.bell.event_fd, POLLIN, 0};
    if (::poll(&bell, 1, static_cast<int>(time.count())) > 0) {
        std::uint64_t count = 0;
        [[maybe_unused]] const ssize_t size = ::read(bell.fd, &count, sizeof count);
    }
    registry.bell.asleep.store(false, std::memory_order_relaxed);
}

void Emitter::State::run() {
    begin_own_thread("coroscope");
    auto last_sample = Clock::now();
    auto pause = usual_wait;
    std::unique_lock lock(working);
    while (!ending.load(std::memory_order_acquire)) {  // pairs with finish()
        const std::size_t taken = drain();
        sink->tick();
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
            wait(pause);
        }
        lock.lock();
    }
    // Places that are still being looked up may take half of the time there is, the sink the rest.
    const auto last_look = end - (end - Clock::now()) / 2;
    while (drain() != 0 && Clock::now() < end) {
    }
    asked_until = Clock::time_point::min();  // native frames must do
    while ((!unresolved.empty() || asked_about) && Clock::now() < last_look) {
        drain();
        resolver.wait_for_answer(std::chrono::duration_cast<std::chrono::milliseconds>(last_look - Clock::now()));
    }
    drain();
}

Emitter::Emitter(probe::Registry& registry, std::unique_ptr<Sink> sink, const EmitterOptions& options)
    : state_(std::make_unique<State>(registry, std::move(sink), options)) {
    const AppSignalsBlocked blocked;
    state_->thread = std::thread([state = state_.get()] { state->run(); });
}

Emitter::~Emitter() { finish(std::chrono::milliseconds(0)); }

void Emitter::hold() { state_->working.lock(); }

void Emitter::release() { state_->working.unlock(); }

void Emitter::finish(std::chrono::milliseconds most) {
    if (!state_->thread.joinable()) return;
    state_->end = Clock::now() + most;
    state_->ending.store(true, std::memory_order_release);
    state_->registry.bell.asleep.store(true, std::memory_order_relaxed);
    state_->registry.bell.ring();
    state_->thread.join();
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(state_->end - Clock::now());
    state_->sink->finish(std::max(left, std::chrono::milliseconds(0)));
}

}  // namespace coroscope::debug
