#include "history.hpp"

#include <algorithm>
#include <random>
#include <set>

#include "batches.hpp"

namespace coroscope::model::test {
namespace {

struct SimTask {
    std::uint64_t id = 0, parent = 0;
    std::uint32_t root = 1, at = 0;
    vocabulary::Verb wait = vocabulary::Verb::unknown;
    std::uint64_t operand = 0;
    bool named = false;
};

struct SimLoop {
    std::uint64_t id = 0;
    std::uint32_t thread = 0;
    bool running = false, polling = false, needs_snapshot = false;
    std::vector<SimTask> ready, waiting;
};

// One program; run() lets it run and writes what its app would send. Batches end anywhere, also within a step.
class Program {
public:
    Program(std::uint64_t seed, const HistoryOptions& options) : random_(seed), options_(options) {
        for (std::uint32_t i = 1; i <= options.loops; ++i) loops_.push_back({i * 10, i, false, false, false, {}, {}});
        begin_batch();
        define_program(batch_);
    }

    std::vector<v2::Batch> run() {
        for (int i = 0; i < options_.batches * options_.rounds; ++i) turn(loops_[pick(loops_.size())]);
        end_batch();
        return std::move(written_);
    }

private:
    struct Drop {
        std::uint64_t count = 0, first_ns = 0, last_ns = 0, left = 0;
    };

    void begin_batch() { batch_ = BatchBuilder(++sequence_); }
    void end_batch() {
        for (auto& [thread, gap] : dropping_) write_gap(thread, gap);
        dropping_.clear();
        batch_.batch().set_dropped_total(dropped_);
        // The first, with the definitions, always arrives: who lost it would have them sent again.
        if (options_.losses && sequence_ != 1 && one_in(7)) {
            for (SimLoop& loop : loops_) loop.needs_snapshot = true;
            return;
        }
        written_.push_back(batch_.batch());
    }

    std::size_t pick(std::size_t size) { return static_cast<std::size_t>(random_() % size); }
    bool one_in(std::uint64_t n) { return random_() % n == 0; }
    std::uint64_t tick() { return now_ns_ += 1 + random_() % 40; }

    // The event's time, or 0 when it is lost: then nothing of it may be written.
    bool keep(const SimLoop& loop, std::uint64_t t) {
        if (one_in(static_cast<std::uint64_t>(options_.rounds) * 3)) {
            end_batch();
            begin_batch();
        }
        batch_.thread(loop.thread);
        auto drop = dropping_.find(loop.thread);
        if (drop == dropping_.end()) {
            if (!options_.losses || !one_in(options_.pause_between_losses)) return true;
            drop = dropping_.emplace(loop.thread, Drop{0, t, t, 1 + random_() % 30}).first;
        }
        if (drop->second.left == 0) {
            write_gap(loop.thread, drop->second);
            dropping_.erase(drop);
            return true;
        }
        --drop->second.left;
        ++drop->second.count;
        drop->second.last_ns = t;
        return false;
    }
    void write_gap(std::uint32_t thread, const Drop& drop) {
        if (drop.count == 0) return;
        batch_.gap(thread, drop.count, drop.first_ns, drop.last_ns);
        dropped_ += drop.count;
        for (SimLoop& loop : loops_)
            if (loop.thread == thread) loop.needs_snapshot = true;
    }

    void turn(SimLoop& loop) {
        if (!loop.running) return start(loop);
        if (loop.polling) {
            const std::uint64_t t = tick(), found = random_() % 3;
            if (keep(loop, t)) batch_.poll_end(t, found);
            loop.polling = false;
            for (std::uint64_t i = 0; i < found && !loop.waiting.empty(); ++i) wake(loop, 0);
            if (loop.needs_snapshot || one_in(40)) snapshot(loop);
        } else if (loop.ready.empty() || one_in(6)) {
            const std::uint64_t t = tick();
            if (one_in(30) && loop.ready.empty()) {
                if (keep(loop, t)) batch_.loop_stopped(t, loop.id);
                loop.running = false;
                return;
            }
            if (keep(loop, t)) batch_.poll_begin(t);
            loop.polling = true;
        } else if (one_in(9)) {
            const std::uint64_t begin = tick(), end = tick();
            if (keep(loop, begin)) batch_.callback_begin(begin, 2);
            if (keep(loop, end)) batch_.callback_end(end);
        } else {
            step(loop);
        }
        if (one_in(static_cast<std::uint64_t>(options_.rounds))) add_report();
        if (one_in(25)) {
            const std::uint64_t begin = tick();
            batch_.thread(100).job(begin, tick(), 100 + random_() % 9, last_id_);
        }
        if (one_in(6)) use_resources(loop);
        if (one_in(50)) define_something();
    }

    // What tasks do with resources, and what the app annotates.
    void use_resources(SimLoop& loop) {
        using vocabulary::EventKind;
        const std::uint64_t t = tick(), resource = 1 + random_() % 6, task = 1 + random_() % (last_id_ + 1);
        const auto pair = vocabulary::pack_attribute(static_cast<std::uint32_t>(1 + random_() % 2),
                                                     static_cast<std::uint32_t>(1 + random_() % 4));
        if (!keep(loop, t)) return;
        switch (random_() % 9) {
            case 0:
                batch_.event(t, EventKind::resource_used).subject(resource);
                batch_.argument(vocabulary::pack_use(static_cast<vocabulary::Role>(random_() % 9), task)).stack(5);
                break;
            case 1: batch_.event(t, EventKind::resource_level).subject(resource).argument(random_() % 70); break;
            case 2: batch_.event(t, EventKind::member).subject(resource).argument(task); break;
            case 3: batch_.event(t, EventKind::task_attribute).subject(task).argument(pair); break;
            case 4: batch_.event(t, EventKind::resource_attribute).subject(resource).argument(pair); break;
            case 5: batch_.event(t, EventKind::span_begin).subject(++last_span_).argument(1).stack(5); break;
            case 6: batch_.event(t, EventKind::span_end).subject(1 + random_() % (last_span_ + 1)); break;
            case 7:
                batch_.event(t, EventKind::mark).subject(++last_span_).argument(2).stack(5);
                batch_.event(t, EventKind::span_attribute).subject(last_span_).argument(pair);
                break;
            default: batch_.event(t, EventKind::counter).subject(1 + random_() % 2).argument(random_()); break;
        }
    }

    void define_something() {
        v2::Batch& batch = batch_.batch();
        v2::Resource& resource = *batch.add_resources();
        resource.set_id(1 + random_() % 6);
        resource.set_type(static_cast<std::uint32_t>(random_() % (vocabulary::resource_types.size() + 2)));
        resource.set_name(one_in(2) ? "jobs" : "");
        resource.set_created_at(static_cast<std::uint32_t>(random_() % 8));
        resource.set_created_by(random_() % 5);
        resource.set_created_ns(now_ns_);
        resource.set_capacity(static_cast<std::int64_t>(random_() % 64));
        resource.set_parent(random_() % 7);
        resource.set_system_id(random_() % 9);
        // An id is closed once.
        if (const std::uint64_t id = 1 + random_() % 6; one_in(4) && closed_.insert(id).second) {
            v2::ClosedResource& closed = *batch.add_closed_resources();
            closed.set_id(id);
            closed.set_closed_ns(now_ns_);
        }
        v2::Value& value = *batch.add_values();
        value.set_id(static_cast<std::uint32_t>(1 + random_() % 4));
        switch (random_() % 4) {
            case 0: value.set_text("A-17"); break;
            case 1: value.set_integer(-static_cast<std::int64_t>(random_() % 1000)); break;
            case 2: value.set_real(0.5); break;
            default: value.set_boolean(true); break;
        }
        v2::Runtime& runtime = *batch.add_runtimes();
        runtime.set_id(static_cast<std::uint32_t>(1 + random_() % 2));
        runtime.set_language("c++");
        runtime.set_name("coroscope");
        runtime.set_capabilities(static_cast<std::uint32_t>(random_() % 1000));
        batch.set_time_ns(now_ns_);
        batch.set_backlog(random_() % 10);
    }

    void start(SimLoop& loop) {
        const std::uint64_t t = tick();
        if (keep(loop, t)) batch_.loop_started(t, loop.id);
        loop.running = true;
        if (loop.waiting.empty()) create(loop, 0, 1);
    }

    void create(SimLoop& loop, std::uint64_t parent, std::uint32_t root) {
        SimTask task;
        task.id = ++last_id_;
        task.parent = parent;
        task.root = root;
        const std::uint64_t t = tick();
        if (keep(loop, t)) batch_.created(t, task.id, parent, root);
        if (one_in(3)) {
            const std::uint64_t named_at = tick();
            task.named = true;
            if (keep(loop, named_at)) batch_.named(named_at, task.id, 1 + random_() % 2);
        }
        loop.ready.push_back(task);
    }

    void wake(SimLoop& loop, std::uint64_t waker) {
        const std::size_t i = pick(loop.waiting.size());
        const std::uint64_t t = tick();
        if (keep(loop, t)) batch_.ready(t, loop.waiting[i].id, waker);
        loop.ready.push_back(loop.waiting[i]);
        loop.waiting.erase(loop.waiting.begin() + static_cast<std::ptrdiff_t>(i));
    }

    void step(SimLoop& loop) {
        const std::size_t i = pick(loop.ready.size());
        SimTask task = loop.ready[i];
        loop.ready.erase(loop.ready.begin() + static_cast<std::ptrdiff_t>(i));
        std::uint64_t t = tick();
        if (keep(loop, t)) batch_.begin(t, task.id);
        while (one_in(3)) create(loop, task.id, 3);
        if (!loop.waiting.empty() && one_in(2)) wake(loop, task.id);
        if (!loop.waiting.empty() && one_in(12)) {
            t = tick();
            const std::uint64_t other = loop.waiting[pick(loop.waiting.size())].id;
            if (keep(loop, t)) batch_.cancel(t, other, task.id, 4);
        }
        const std::uint64_t fate = random_() % 6;
        if (fate <= 1) return finish(loop, task);
        task.at = task.root == 1 ? 4 : (one_in(2) ? 5 : 7);
        task.wait = fate == 2 ? vocabulary::Verb::turn : static_cast<vocabulary::Verb>(5 + random_() % 15);
        task.operand = task.wait == vocabulary::Verb::join ? last_id_ : random_() % 5;
        const bool woken = fate == 3;
        t = tick();
        if (woken && keep(loop, t)) batch_.ready(t, task.id, task.id);
        t = tick();
        const bool kept = keep(loop, t);
        if (kept && task.wait == vocabulary::Verb::acquire)
            batch_.event(t, vocabulary::EventKind::wait_holder).subject(task.id).argument(1 + random_() % 5);
        if (kept) batch_.end(t, task.id, task.wait, task.operand, task.at);
        (woken || fate == 2 ? loop.ready : loop.waiting).push_back(task);
    }

    void finish(SimLoop& loop, const SimTask& task) {
        std::uint64_t t = tick();
        if (keep(loop, t)) batch_.done(t, task.id, static_cast<vocabulary::Outcome>(1 + random_() % 3));
        if (!loop.waiting.empty()) wake(loop, task.id);
        t = tick();
        if (keep(loop, t)) batch_.finish(t, task.id);
    }

    void snapshot(SimLoop& loop) {
        loop.needs_snapshot = false;
        std::uint64_t t = tick();
        if (keep(loop, t)) batch_.loop_started(t, loop.id);
        if (keep(loop, t)) batch_.snapshot_begin(t, loop.id);
        for (const auto* list : {&loop.ready, &loop.waiting}) {
            for (const SimTask& task : *list) {
                t = tick();
                const bool waits = list == &loop.waiting;
                if (!keep(loop, t)) continue;
                batch_.snapshot(t, task.id, task.parent, task.root, waits ? task.wait : vocabulary::Verb::unknown,
                                waits ? task.operand : 0, waits ? task.at : 0);
            }
        }
        t = tick();
        if (keep(loop, t)) batch_.snapshot_end(t, loop.id);
    }

    void add_report() {
        constexpr auto crashed = static_cast<std::uint64_t>(vocabulary::ReportKind::crashed);  // would be the end
        const std::uint64_t number = 1 + random_() % (vocabulary::report_kinds.size() - 2);
        auto kind = static_cast<vocabulary::ReportKind>(number < crashed ? number : number + 1);
        std::uint64_t about = last_id_ == 0 ? 0 : 1 + random_() % last_id_;
        if (kind == vocabulary::ReportKind::task_destroyed_pending) {
            std::vector<SimTask>& waiting = loops_[pick(loops_.size())].waiting;
            if (waiting.empty()) {
                kind = vocabulary::ReportKind::stall;
            } else {
                about = waiting.back().id;
                waiting.pop_back();
            }
        }
        v2::Report& report = batch_.report(kind, tick(), about);
        report.set_site(4);
        report.set_stack(5);
        report.add_frames(2);
        report.add_frames(5);
        report.set_text("std::runtime_error: no route");
        report.set_thread(1);
        report.set_duration_ns(random_() % 1000);
        if (kind == vocabulary::ReportKind::step_cost) report.mutable_cost()->set_cpu_most_ns(random_() % 1000);
        if (kind == vocabulary::ReportKind::blocked_calls || kind == vocabulary::ReportKind::cpu_samples) {
            v2::Sums& sums = *report.mutable_sums();
            sums.set_id(static_cast<std::uint32_t>(1 + random_() % 5));
            sums.set_count(1 + random_() % 100);
            sums.set_total_ns(random_() % 100'000);
            sums.set_longest_ns(random_() % 1000);
            sums.set_slow_ns(random_() % 1000);
            sums.set_quick(random_() % 1000);
        }
        // Reports take effect behind the events of their batch: a list of the tasks that live comes later.
        if (kind == vocabulary::ReportKind::task_destroyed_pending) {
            end_batch();
            begin_batch();
        }
    }

    std::mt19937_64 random_;
    HistoryOptions options_;
    std::vector<SimLoop> loops_;
    BatchBuilder batch_;
    std::vector<v2::Batch> written_;
    std::map<std::uint32_t, Drop> dropping_;
    std::set<std::uint64_t> closed_;
    std::uint64_t now_ns_ = 1000, sequence_ = 0, last_id_ = 0, last_span_ = 0, dropped_ = 0;
};

}  // namespace

std::vector<v2::Batch> random_history(std::uint64_t seed, const HistoryOptions& options) {
    return Program(seed, options).run();
}

}  // namespace coroscope::model::test
