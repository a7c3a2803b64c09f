// A batch as a whole: its number, definitions, losses, reports; and the threads and loops that there are.
#include "fold.hpp"

#include <algorithm>

namespace coroscope::model {

void Model::Fold::set_hello(const v2::Hello& the_hello) {
    hello = the_hello;
    slow_step_ns = hello.slow_step_ns() != 0 ? hello.slow_step_ns() : default_slow_step_ns;
}

void Model::Fold::begin(const v2::Batch& batch) {
    current = &batch;
    next_report = next_closed = 0;
    ++batches;
    account(batch);
    define(batch);
    open_lanes(batch);
}

// In this order and no other: Model::apply() says what it means to stop in between.
bool Model::Fold::go_on(std::uint64_t until_ns) {
    if (!fold_lanes(until_ns) || !take_reports(until_ns) || !close_resources(until_ns)) return false;
    if (current->time_ns() > until_ns) return false;
    if (current->time_ns() != 0) saw(current->time_ns());
    if (threads.size() > limits.threads) trim_threads();
    close_lanes();
    current = nullptr;
    return true;
}

bool Model::Fold::take_reports(std::uint64_t until_ns) {
    for (; next_report < current->reports_size(); ++next_report) {
        const v2::Report& report = current->reports(next_report);
        if (report.time_ns() > until_ns) return false;
        if (report.kind() <= 0xffff && is_hotspot(static_cast<ReportKind>(report.kind()))) {
            hotspot(report);
            continue;
        }
        if (report.time_ns() != 0) saw_event(report.time_ns());
        if (report.kind() == static_cast<std::uint32_t>(ReportKind::step_cost)) {
            step_cost(report);
            continue;
        }
        keep(report);
        if (report.kind() != static_cast<std::uint32_t>(ReportKind::task_destroyed_pending)) continue;
        TaskEntry* destroyed = tasks.find(report.task());
        if (destroyed != nullptr && destroyed->state != State::done)
            retire(*destroyed, report.time_ns(), Outcome::unknown);
    }
    return true;
}

// Holes in the sequence are batches that got lost on the way, or that the emitter threw away: then it says how many.
// Before the first batch seen, a hole means nothing: the app ran before anybody listened.
void Model::Fold::account(const v2::Batch& batch) {
    const std::uint64_t number = batch.sequence();
    std::uint64_t lost = batch.batches_lost();
    if (sequence != 0 && number > sequence) lost = std::max(lost, number - sequence - 1);
    if (sequence != 0 && number != 0 && number <= sequence) ++anomalies;
    sequence = std::max(sequence, number);
    dropped = std::max(dropped, batch.dropped_total());
    resources_lost = std::max(resources_lost, batch.resources_lost_total());
    backlog = batch.backlog();
    if (batch.app_threads() != 0) app_threads = batch.app_threads();
    if (batch.slow_step_ns() != 0) {
        hello.set_slow_step_ns(batch.slow_step_ns());  // keyframes have it from there
        slow_step_ns = batch.slow_step_ns();
    }
    if (lost == 0) return;
    batches_lost += lost;
    // Any thread may be concerned, from the last time seen on it to nobody knows when.
    for (auto& [id, on] : thread_entries)
        if (on.loop != nullptr) lose_track(*on.loop, on.last_ns, 0);
    while (tasks_without_loop.first != nullptr && !tasks_without_loop.first->incomplete)
        mark_incomplete(*tasks_without_loop.first);
}

void Model::Fold::define(const v2::Batch& batch) {
    if (batch.kinds_size() != 0 || batch.terms_size() != 0) define_terms(batch);
    for (const v2::Name& name : batch.names())
        if (!definitions.add_name(name.id(), name.text())) ++anomalies;
    for (const v2::Site& site : batch.sites())
        if (!definitions.add_site(site.id(), {site.function(), site.file(), site.line(), site.column(), site.flags()}))
            ++anomalies;
    for (const v2::StackNode& node : batch.stacks()) {
        const NodeKind kind = vocabulary::row_of(vocabulary::node_kinds, node.kind()).kind;
        if (!definitions.add_node(node.id(), {node.parent(), node.site(), kind})) ++anomalies;
    }
    for (const v2::Thread& defined : batch.threads()) {
        Thread& known = threads[thread(defined.id()).index];
        known.tid = defined.tid();
        known.name = defined.name();
        shorten(known.name, limits.text_bytes);
    }
    if (batch.values_size() != 0 || batch.runtimes_size() != 0) define_annotations(batch);
    if (batch.resources_size() != 0) define_resources(batch);
}

// Of one of the newest long steps; of none, if its begin or end was lost.
void Model::Fold::step_cost(const v2::Report& report) {
    constexpr std::size_t most_looked_at = 256;
    std::size_t looked_at = 0;
    for (auto step = long_steps.rbegin(); step != long_steps.rend() && looked_at < most_looked_at;
         ++step, ++looked_at) {
        const LoopEntry* on = find_loop(step->loop);
        if (on == nullptr || on->loop->thread != report.thread()) continue;
        if (step->task != report.task() || step->measured) continue;
        // The emitter reads the clock of the stamps anew now and then: its times of one stamp may differ a little.
        if (report.time_ns() < step->begin_ns + (step->end_ns - step->begin_ns) / 2) continue;
        if (report.time_ns() > step->end_ns + (step->end_ns - step->begin_ns) / 2) continue;
        step->measured = true;
        step->cpu_least_ns = report.cost().cpu_least_ns();
        step->cpu_most_ns = report.cost().cpu_most_ns();
        step->no_cpu_ns = report.cost().no_cpu_ns();
        return;
    }
}

void Model::Fold::keep(const v2::Report& report) {
    Report kept;
    kept.kind = static_cast<ReportKind>(std::min<std::uint32_t>(report.kind(), 0xffff));
    if (report.kind() == 0) ++anomalies;
    if (UnknownTerm* term = find_term(vocabulary::Table::report_kind, report.kind())) ++term->count;
    kept.time_ns = report.time_ns();
    kept.task = report.task();
    kept.site = report.site();
    kept.stack = report.stack();
    kept.frames.assign(report.frames().begin(), report.frames().end());
    kept.text = report.text();
    kept.thread = report.thread();
    kept.duration_ns = report.duration_ns();
    keep(std::move(kept));
}

void Model::Fold::keep(Report report) {
    // Of too many frames the outermost say least.
    if (report.frames.size() > limits.report_frames)
        report.frames.erase(report.frames.begin(),
                            report.frames.end() - static_cast<std::ptrdiff_t>(limits.report_frames));
    shorten(report.text, limits.text_bytes);
    reports.push_back(std::move(report));
    bound(reports, limits.reports);
}

bool Model::Fold::is_hotspot(ReportKind kind) {
    return kind == ReportKind::blocked_calls || kind == ReportKind::cpu_samples;
}

// It tells of what was before: no event.
void Model::Fold::hotspot(const v2::Report& report) {
    if (report.time_ns() != 0) saw(report.time_ns());
    Hotspot told;
    told.kind = static_cast<ReportKind>(report.kind());
    told.id = report.sums().id();
    told.function = report.text();
    told.stack = report.stack();
    told.frames.assign(report.frames().begin(), report.frames().end());
    told.task = report.task();
    told.thread = report.thread();
    told.time_ns = report.time_ns();
    told.count = report.sums().count();
    told.total_ns = report.sums().total_ns();
    told.longest_ns = report.sums().longest_ns();
    told.slow_ns = report.sums().slow_ns();
    told.quick = report.sums().quick();
    if (!keep(std::move(told))) ++anomalies;
}

bool Model::Fold::keep(Hotspot hotspot) {
    if (!is_hotspot(hotspot.kind) || hotspot.id == 0) return false;
    const std::pair key(hotspot.kind, hotspot.id);
    if (hotspots.size() >= limits.hotspots && !hotspots.contains(key)) return false;
    if (hotspot.frames.size() > limits.report_frames)
        hotspot.frames.erase(hotspot.frames.begin(),
                             hotspot.frames.end() - static_cast<std::ptrdiff_t>(limits.report_frames));
    shorten(hotspot.function, limits.text_bytes);
    hotspots.insert_or_assign(key, std::move(hotspot));
    return true;
}

ThreadEntry& Model::Fold::thread(std::uint32_t id) {
    const auto [place, is_new] = thread_entries.try_emplace(id);
    if (is_new) {
        place->second.id = id;
        place->second.index = threads.size();
        threads.push_back({id, 0, {}, 0});
    }
    return place->second;
}

void Model::Fold::trim_threads() {
    std::size_t too_many = threads.size() - limits.threads;
    std::erase_if(threads, [&](const Thread& each) {
        if (too_many == 0 || each.loop != 0) return false;
        --too_many;
        thread_entries.erase(each.id);
        return true;
    });
    for (std::size_t i = 0; i < threads.size(); ++i) thread_entries[threads[i].id].index = i;
}

LoopEntry* Model::Fold::find_loop(LoopId id) const {
    for (const auto& entry : loop_entries)
        if (entry->loop->id == id) return entry.get();
    return nullptr;
}

LoopEntry* Model::Fold::add_loop(LoopId id) {
    if (id == 0 || (loops.size() >= limits.loops && !drop_stopped_loop())) {
        ++anomalies;
        return nullptr;
    }
    return &new_loop(id);
}

LoopEntry& Model::Fold::new_loop(LoopId id) {
    loops.push_back(std::make_unique<Loop>());
    loops.back()->id = id;
    loop_entries.push_back(std::make_unique<LoopEntry>());
    loop_entries.back()->loop = loops.back().get();
    return *loop_entries.back();
}

bool Model::Fold::drop_stopped_loop() {
    std::size_t oldest = loops.size();
    for (std::size_t i = 0; i < loops.size(); ++i) {
        if (loops[i]->running) continue;
        if (oldest == loops.size() || loops[i]->stopped_ns < loops[oldest]->stopped_ns) oldest = i;
    }
    if (oldest == loops.size()) return false;
    LoopEntry& gone = *loop_entries[oldest];
    while (gone.tasks.first != nullptr) move_to(*gone.tasks.first, nullptr);
    loops.erase(loops.begin() + static_cast<std::ptrdiff_t>(oldest));
    loop_entries.erase(loop_entries.begin() + static_cast<std::ptrdiff_t>(oldest));
    return true;
}

void Model::Fold::apply_gap(ThreadEntry& on, const v2::Gap& gap) {
    gaps.push_back({gap.thread(), gap.count(), gap.first_ns(), gap.last_ns()});
    bound(gaps, limits.gaps);
    if (gap.last_ns() != 0) saw(gap.last_ns());
    if (on.loop == nullptr) return;
    lose_track(*on.loop, std::max(gap.first_ns(), on.last_ns), gap.last_ns());
    on.last_ns = std::max(on.last_ns, gap.last_ns());
}

// Events of the loop are missing from `from_ns` on; from `to_ns` on (0: nobody knows) there are all again.
void Model::Fold::lose_track(LoopEntry& loop, std::uint64_t from_ns, std::uint64_t to_ns) {
    while (loop.loop->open_slice) {  // with nested steps, several
        TaskEntry* running = tasks.find(loop.loop->open_slice->task);
        close_slice(loop, from_ns, 0, false);
        if (running == nullptr || running->state != State::running) continue;
        running->state = State::suspended;  // where, and on what, comes with the snapshot
        running->wait = {};
        running->changed_ns = from_ns;
        running->found = true;
        running->step_began_ns = 0;
    }
    loop.gap_end_ns = to_ns;
    ++loop.losses;
    end_poll(*loop.loop);
    loop.loop->iteration_began_ns = 0;
    while (loop.tasks.first != nullptr && !loop.tasks.first->incomplete) mark_incomplete(*loop.tasks.first);
}

}  // namespace coroscope::model
