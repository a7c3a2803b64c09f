#include "emitter.hpp"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <deque>
#include <thread>
#include <unordered_map>
#include <variant>
#include <vector>

#include "app_signals.hpp"
#include "clock_map.hpp"
#include "coroscope/v2/events.pb.h"
#include "encoder.hpp"
#include "findings.hpp"
#include "give_way.hpp"
#include "native_frames.hpp"
#include "resolver.hpp"
#include "runtime/src/probe/function_name.hpp"
#include "runtime/src/probe/registry.hpp"
#include "sink.hpp"
#include "utf8.hpp"
#include "watchdog.hpp"

namespace coroscope::debug {

namespace {

using probe::readable_function;

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
constexpr auto last_names_wait = 1000ms;  // at the app's end, for places that are still being looked up

}  // namespace

struct Emitter::State {
    State(probe::Registry& the_registry, std::unique_ptr<Sink> the_sink, const EmitterOptions& options)
        : registry(the_registry),
          sink(std::move(the_sink)),
          clock(the_registry.stamps_in_ticks),
          findings(the_registry, clock),
          resolver([this] { registry.bell.ring(); }) {
        if (options.watch_stalls) watchdog = std::make_unique<Watchdog>();
        registry.bell.event_fd = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    }

    void run();
    std::size_t drain();  // one batch; returns how many records were taken
    std::size_t drain_thread(probe::ThreadProbe& thread, std::size_t most);
    std::size_t skim_thread(probe::ThreadProbe& thread);  // for the local log only
    void add_definitions(bool all);
    void add_vocabulary();
    void take_reports();
    void watch();
    void add_resolved();
    void add_report(const probe::Report& report, const std::vector<NativeFrame>& frames);
    void add_stall(const Stall& stall, const std::vector<NativeFrame>& frames);
    void send();
    void discard();
    void wait(std::chrono::milliseconds time);
    std::uint32_t site_of(const NativeFrame& frame);
    std::vector<probe::ThreadProbe*> threads();

    probe::Registry& registry;
    std::unique_ptr<Sink> sink;
    ClockMap clock;
    Findings findings;
    Resolver resolver;
    std::deque<std::variant<probe::Report, Stall>> unresolved;  // asked the resolver, in this order; bound: Resolver's
    std::unique_ptr<Watchdog> watchdog;
    std::thread thread;
    std::atomic<bool> ending{false};

    v2::Batch batch;  // reused: clearing keeps the columns' memory
    std::size_t batch_events = 0;
    bool must_send = false;  // the batch has something beside events
    bool resync = false;     // the next batch has complete definitions
    bool vocabulary_sent = false;
    Clock::time_point last_sent{};
    std::uint64_t sequence = 0;
    std::uint64_t batches_lost_told = 0;
    probe::Definitions::Cursor cursor;
    probe::Definitions::News news;
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
        told.set_name(valid_utf8(each.name));
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
    add_resolved();
    if (!wanted) {
        sink->count_unsent(taken);
        discard();
        return taken;
    }
    add_definitions(resync);
    batch.set_dropped_total(lost + sink->events_lost());
    if (must_send || resync || Clock::now() - last_sent >= heartbeat_interval) send();
    return taken;
}

// After the records were drained: so nothing in the batch is undefined.
void Emitter::State::add_definitions(bool all) {
    if (all) cursor = {};
    if (all || !vocabulary_sent) add_vocabulary();
    probe::Definitions::Cursor before = cursor;
    registry.definitions.read_since(cursor, news);
    for (const probe::SiteDefinition& site : news.sites) {
        v2::Site& out = *batch.add_sites();
        out.set_id(static_cast<std::uint32_t>(++before.sites));
        out.set_function(valid_utf8(readable_function(site.function)));
        out.set_file(valid_utf8(site.file));
        out.set_line(site.line);
        out.set_column(site.column);
    }
    for (const probe::NodeDefinition& node : news.nodes) {
        v2::StackNode& out = *batch.add_stacks();
        out.set_id(static_cast<std::uint32_t>(++before.nodes));
        out.set_parent(node.parent);
        out.set_site(node.site);
        out.set_kind(static_cast<std::uint32_t>(node.kind));
    }
    for (const std::string& name : news.names) {
        v2::Name& out = *batch.add_names();
        out.set_id(static_cast<std::uint32_t>(++before.names));
        out.set_text(valid_utf8(name));
    }
    must_send = must_send || !news.sites.empty() || !news.nodes.empty() || !news.names.empty();
}

// The rows of the vocabulary that this app was built with: a reader of another version finds out what its numbers mean.
void Emitter::State::add_vocabulary() {
    for (std::size_t id = 1; id < vocabulary::event_kinds.size(); ++id) {
        const vocabulary::EventKindRow& row = vocabulary::event_kinds[id];
        v2::KindDefinition& out = *batch.add_kinds();
        out.set_id(static_cast<std::uint32_t>(id));
        out.set_name(std::string(row.name));
        out.set_subject(static_cast<std::uint32_t>(row.subject));
        out.set_argument(static_cast<std::uint32_t>(row.argument));
        out.set_stack(row.stack);
    }
    vocabulary::for_each_term([this](const vocabulary::TermRow& row) {
        v2::Term& out = *batch.add_terms();
        out.set_table(static_cast<std::uint32_t>(row.table));
        out.set_id(row.id);
        out.set_name(std::string(row.name));
        out.set_words(std::string(row.words));
        out.set_severity(static_cast<std::uint32_t>(row.severity));
    });
    vocabulary_sent = must_send = true;
}

std::uint32_t Emitter::State::site_of(const NativeFrame& frame) {
    return registry.definitions.intern_site(frame.function, frame.file, frame.line, 0);
}

void Emitter::State::take_reports() {
    std::vector<probe::Report> reports;
    {
        const std::scoped_lock lock(registry.reports_mutex);
        reports.swap(registry.reports);
    }
    for (probe::Report& report : reports) {
        if (report.frames.empty()) {
            add_report(report, {});
            continue;
        }
        resolver.ask(std::move(report.frames), false);
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
        const probe::Stamp step = each->step_stamp.load(std::memory_order_acquire);  // pairs with step_begin()
        if (step == 0 || each->ring.retired.load(std::memory_order_acquire)) continue;
        const std::uint64_t began_ns = clock.ns(step);
        if (began_ns >= now_ns || now_ns - began_ns < threshold_ns) continue;
        auto stall = watchdog->look(*each, step, now_ns - began_ns, threshold_ns);
        if (!stall) continue;
        stall->seen_ns = now_ns;
        stall->lasted_ns = now_ns - began_ns;
        resolver.ask(std::move(stall->frames), true);
        unresolved.emplace_back(std::move(*stall));
    }
}

void Emitter::State::add_resolved() {
    while (const auto frames = resolver.take_answer()) {
        if (const auto* report = std::get_if<probe::Report>(&unresolved.front())) {
            add_report(*report, creation_call(*frames, readable_function(report->site.function_name())));
        } else {
            add_stall(std::get<Stall>(unresolved.front()), stalled_call(*frames));
        }
        unresolved.pop_front();
    }
}

void Emitter::State::add_report(const probe::Report& report, const std::vector<NativeFrame>& frames) {
    v2::Report& out = *batch.add_reports();
    must_send = true;
    out.set_kind(static_cast<std::uint32_t>(report.kind));
    out.set_time_ns(clock.ns(report.stamp));
    out.set_task(report.task);
    out.set_stack(report.stack);
    out.set_text(valid_utf8(report.text));
    out.set_thread(report.thread);
    if (report.has_site) {
        // By its raw name, as the definitions have it: the same id as in the stacks.
        out.set_site(registry.definitions.intern_site(report.site.function_name(), report.site.file_name(),
                                                      report.site.line(), report.site.column()));
    }
    for (auto it = frames.rbegin(); it != frames.rend(); ++it) out.add_frames(site_of(*it));
    findings.report(report, frames);
}

void Emitter::State::add_stall(const Stall& stall, const std::vector<NativeFrame>& frames) {
    v2::Report& out = *batch.add_reports();
    must_send = true;
    out.set_kind(static_cast<std::uint32_t>(vocabulary::ReportKind::stall));
    out.set_time_ns(stall.seen_ns);
    out.set_task(stall.task);
    out.set_thread(stall.thread);
    out.set_duration_ns(stall.lasted_ns);
    for (auto it = frames.rbegin(); it != frames.rend(); ++it) out.add_frames(site_of(*it));
    findings.stall(stall.task, stall.lasted_ns, frames);
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
        // Every loop lists its live tasks anew. Release: pairs with the acquire in EventLoop::take_snapshot().
        registry.snapshot_generation.fetch_add(1, std::memory_order_release);
        if (const auto wake_loops = registry.commands.wake_loops.load()) wake_loops();
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
    ::pthread_setname_np(::pthread_self(), "coroscope");
    give_way_to_the_app();
    auto last_sample = Clock::now();
    auto pause = usual_wait;
    while (!ending.load(std::memory_order_acquire)) {  // pairs with finish()
        const std::size_t taken = drain();
        sink->tick();
        if (Clock::now() - last_sample >= resample_interval) {
            clock.resample();
            last_sample = Clock::now();
        }
        if (taken >= most_events) continue;
        pause = taken != 0 ? std::chrono::milliseconds(usual_wait)
                           : std::min<std::chrono::milliseconds>(pause * 2, idle_wait);
        wait(pause);
    }
    while (drain() != 0) {
    }
    while (!unresolved.empty() && resolver.wait_for_answer(last_names_wait)) drain();
}

Emitter::Emitter(probe::Registry& registry, std::unique_ptr<Sink> sink, const EmitterOptions& options)
    : state_(std::make_unique<State>(registry, std::move(sink), options)) {
    const AppSignalsBlocked blocked;
    state_->thread = std::thread([state = state_.get()] { state->run(); });
}

Emitter::~Emitter() { finish(std::chrono::milliseconds(0)); }

void Emitter::finish(std::chrono::milliseconds most) {
    if (!state_->thread.joinable()) return;
    state_->ending.store(true, std::memory_order_release);
    state_->registry.bell.asleep.store(true, std::memory_order_relaxed);
    state_->registry.bell.ring();
    state_->thread.join();
    state_->sink->finish(most);
}

}  // namespace coroscope::debug
