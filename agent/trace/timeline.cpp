// Derives steps, phases, edges and counters from a model.
#include "timeline.hpp"

#include <algorithm>
#include <limits>
#include <map>
#include <tuple>

#include "agent/model/pauses.hpp"

namespace coroscope::trace {

using model::Slice;
using model::State;
using model::Task;
using model::TaskId;

Timeline::Timeline(const model::Model& model) : model_(model) {
    std::map<std::uint32_t, std::vector<std::uint32_t>> by_thread;
    const auto& loops = model_.loops();
    for (std::uint32_t i = 0; i < loops.size(); ++i) by_thread[loops[i]->thread].push_back(i);
    for (auto& [thread, row] : by_thread) {
        std::sort(row.begin(), row.end(), [&](auto a, auto b) {
            return std::tie(loops[a]->started_ns, a) < std::tie(loops[b]->started_ns, b);
        });
        rows_.push_back(std::move(row));
    }
    index_steps();
    find_edges();
}

std::uint32_t Timeline::step_count(std::uint32_t loop) const {
    const auto& l = *model_.loops()[loop];
    return static_cast<std::uint32_t>(l.slices.size()) + (l.open_slice ? 1u : 0u);
}

const Slice& Timeline::slice(StepRef ref) const {
    const auto& l = *model_.loops()[ref.loop];
    return ref.index < l.slices.size() ? l.slices[ref.index] : *l.open_slice;
}

void Timeline::index_steps() {
    for (std::uint32_t loop = 0; loop < model_.loops().size(); ++loop) {
        for (std::uint32_t i = 0, count = step_count(loop); i < count; ++i)
            if (slice({loop, i}).task != 0) steps_.push_back({loop, i});
    }
    const auto key = [this](StepRef ref) {
        const Slice& s = slice(ref);
        return std::tuple{s.task, s.begin_ns, ref};
    };
    std::sort(steps_.begin(), steps_.end(), [&](StepRef a, StepRef b) { return key(a) < key(b); });
    for (std::uint32_t i = 0; i < steps_.size(); ++i) {
        const TaskId task = slice(steps_[i]).task;
        if (tasks_.empty() || tasks_.back().task != task) tasks_.push_back({task, i, 0});
        ++tasks_.back().count;
    }
}

std::span<const StepRef> Timeline::steps_of(TaskId task) const {
    const auto at = std::lower_bound(tasks_.begin(), tasks_.end(), task,
                                     [](const TaskSteps& entry, TaskId id) { return entry.task < id; });
    if (at == tasks_.end() || at->task != task) return {};
    return std::span{steps_}.subspan(at->first, at->count);
}

std::optional<StepRef> Timeline::step_at(TaskId task, std::uint64_t time_ns) const {
    const auto steps = steps_of(task);
    auto after = std::upper_bound(steps.begin(), steps.end(), time_ns,
                                  [this](std::uint64_t time, StepRef ref) { return time < slice(ref).begin_ns; });
    if (after == steps.begin()) return std::nullopt;
    const Slice& s = slice(*--after);
    if (s.end_ns != 0 && time_ns > s.end_ns) return std::nullopt;
    return *after;
}

bool Timeline::add_edge(Edge::Kind kind, TaskId from, std::uint64_t time_ns, StepRef to) {
    const auto source = step_at(from, time_ns);
    if (!source || slice(*source).begin_ns > slice(to).begin_ns) return false;
    edges_.push_back({kind, edges_.size() + 1, time_ns, *source, to});
    return true;
}

void Timeline::find_edges() {
    for (const StepRef ref : steps_) {
        const Slice& s = slice(ref);
        const Task* task = model_.task(s.task);
        if (task != nullptr && task->parent != 0 && task->created_ns != 0 && s.began_at == task->root &&
            s.began_at != 0 && ref == steps_of(s.task).front())
            add_edge(Edge::Kind::spawn, task->parent, task->created_ns, ref);
        if (const TaskId waker = model::waker_of(s); waker != 0) add_edge(Edge::Kind::wake, waker, s.ready_ns, ref);
    }
    std::sort(edges_.begin(), edges_.end(),
              [](const Edge& a, const Edge& b) { return std::tie(a.from, a.id) < std::tie(b.from, b.id); });
    edges_by_target_.resize(edges_.size());
    for (std::uint32_t i = 0; i < edges_.size(); ++i) edges_by_target_[i] = i;
    std::sort(edges_by_target_.begin(), edges_by_target_.end(), [this](auto a, auto b) {
        return std::tie(edges_[a].to, edges_[a].id) < std::tie(edges_[b].to, edges_[b].id);
    });
}

std::span<const Edge> Timeline::edges_from(StepRef ref) const {
    const auto first =
        std::lower_bound(edges_.begin(), edges_.end(), ref, [](const Edge& edge, StepRef r) { return edge.from < r; });
    auto last = first;
    while (last != edges_.end() && last->from == ref) ++last;
    return {first, last};
}

std::vector<Edge> Timeline::edges_to(StepRef ref) const {
    std::vector<Edge> found;
    auto at = std::lower_bound(edges_by_target_.begin(), edges_by_target_.end(), ref,
                               [this](std::uint32_t i, StepRef r) { return edges_[i].to < r; });
    for (; at != edges_by_target_.end() && edges_[*at].to == ref; ++at) found.push_back(edges_[*at]);
    return found;
}

Lifetime Timeline::lifetime(const Task& task) const {
    const auto steps = steps_of(task.id);
    Lifetime life{task.created_ns, task.done_ns};
    if (life.begin_ns == 0) {
        // Its creation was lost or lies before the capture: it lived at least since the first that is known of it.
        life.begin_ns = task.changed_ns != 0 ? task.changed_ns : model_.first_ns();
        if (!steps.empty()) life.begin_ns = std::min(life.begin_ns, slice(steps.front()).begin_ns);
    }
    if (task.state == State::done && life.end_ns == 0) {
        life.end_ns = task.changed_ns;
        if (!steps.empty()) life.end_ns = std::max(life.end_ns, slice(steps.back()).end_ns);
    }
    if (life.end_ns != 0) life.end_ns = std::max(life.end_ns, life.begin_ns);
    return life;
}

namespace {

// Collects phases so that they are disjoint and inside the lifetime whatever the times say.
class Phases {
public:
    explicit Phases(const Lifetime& life) : life_(life), cursor_(life.begin_ns) {}

    void add(const model::Pause& pause) {
        if (pause.ready_ns > pause.begin_ns)
            add({Phase::Kind::suspended, pause.begin_ns, pause.ready_ns, pause.at, pause.wait});
        if (pause.end_ns > pause.ready_ns) add({Phase::Kind::ready, pause.ready_ns, pause.end_ns, 0, {}});
    }
    void skip_to(std::uint64_t time_ns) { cursor_ = std::max(cursor_, time_ns); }
    std::vector<Phase> take() { return std::move(found_); }

private:
    void add(Phase phase) {
        phase.begin_ns = std::max(phase.begin_ns, cursor_);
        if (life_.end_ns != 0) phase.end_ns = std::min(phase.end_ns, life_.end_ns);
        if (phase.end_ns <= phase.begin_ns) return;
        cursor_ = phase.end_ns;
        if (phase.end_ns == model::still_lasts) phase.end_ns = 0;
        found_.push_back(phase);
    }

    Lifetime life_;
    std::uint64_t cursor_;
    std::vector<Phase> found_;
};

}  // namespace

std::vector<Phase> Timeline::phases(const Task& task) const {
    Phases phases(lifetime(task));
    const Slice* before = nullptr;
    for (const StepRef ref : steps_of(task.id)) {
        const Slice& s = slice(ref);
        phases.add(before == nullptr ? model::pause_before(task, s) : model::pause_between(*before, s));
        phases.skip_to(s.end_ns);
        before = &s;
    }
    if (const auto now = model::pause_after(task, before)) phases.add(*now);
    return phases.take();
}

namespace {

Samples accumulate(Samples& changes) {
    std::sort(changes.begin(), changes.end());
    Samples samples;
    std::int64_t value = 0;
    for (std::size_t i = 0; i < changes.size(); ++i) {
        value += changes[i].second;
        if (i + 1 == changes.size() || changes[i + 1].first != changes[i].first)
            samples.emplace_back(changes[i].first, std::max<std::int64_t>(value, 0));
    }
    return samples;
}

}  // namespace

Samples Timeline::live_tasks() const {
    Samples changes;
    for (const Task* task : model_.all_tasks()) {
        const Lifetime life = lifetime(*task);
        changes.emplace_back(life.begin_ns, 1);
        if (life.end_ns != 0) changes.emplace_back(life.end_ns, -1);
    }
    return accumulate(changes);
}

Samples Timeline::ready_depth(std::uint32_t loop) const {
    Samples changes;
    for (std::uint32_t i = 0, count = step_count(loop); i < count; ++i) {
        const Slice& s = slice({loop, i});
        if (s.ready_ns == 0 || s.ready_ns > s.begin_ns) continue;
        changes.emplace_back(s.ready_ns, 1);
        changes.emplace_back(s.begin_ns, -1);
    }
    for (const Task* task : model_.live_tasks()) {
        const bool ready = task->state == State::ready || task->state == State::created;
        if (ready && task->loop == model_.loops()[loop]->id && task->changed_ns != 0)
            changes.emplace_back(task->changed_ns, 1);
    }
    return accumulate(changes);
}

Samples Timeline::lag(std::uint32_t loop) const {
    Samples samples;
    for (const model::Iteration& iteration : model_.loops()[loop]->iterations) {
        if (iteration.end_ns < iteration.begin_ns) continue;
        if (!samples.empty() && samples.back().first == iteration.begin_ns) samples.pop_back();
        constexpr std::uint64_t longest = std::numeric_limits<std::int64_t>::max();
        const std::uint64_t length = std::min(iteration.end_ns - iteration.begin_ns, longest);
        samples.emplace_back(iteration.begin_ns, static_cast<std::int64_t>(length));
        samples.emplace_back(iteration.end_ns, 0);
    }
    return samples;
}

Clocks::Clocks(const model::Session& session) {
    // Less apart than this: one clock, read at slightly different moments.
    constexpr std::uint64_t same_clock_ns = 1'000'000'000;
    std::optional<std::uint64_t> reference;
    for (const auto& [key, app] : session.apps()) {
        const std::uint64_t now_ns = app.model.now_ns(), wall_ns = app.model.wall_unix_ns(now_ns);
        Shift shift{key, false, 0};
        if (wall_ns > now_ns) {  // else: the app did not say what its wall clock showed
            // Both offsets are the app's own numbers and may be anything: only unsigned arithmetic has no overflow.
            const std::uint64_t offset = wall_ns - now_ns;
            if (!reference) reference = offset;
            shift.back = offset < *reference;
            shift.by_ns = shift.back ? *reference - offset : offset - *reference;
            if (shift.by_ns < same_clock_ns) shift.by_ns = 0;
        }
        shifts_.push_back(shift);
    }
}

std::uint64_t Clocks::at(model::AppKey app, std::uint64_t time_ns) const {
    const auto shift = std::ranges::find(shifts_, app, &Shift::app);
    if (shift == shifts_.end()) return time_ns;
    // The axis begins at 0 and ends with the largest time: what lies beyond is drawn at its end.
    if (shift->back) return time_ns - std::min(time_ns, shift->by_ns);
    return time_ns + std::min(shift->by_ns, std::numeric_limits<std::uint64_t>::max() - time_ns);
}

}  // namespace coroscope::trace
