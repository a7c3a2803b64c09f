#include "task_lane.hpp"

#include <algorithm>
#include <unordered_map>

#include "agent/model/pauses.hpp"

namespace coroscope::viewer {

namespace {

bool by_begin(const model::Slice& a, const model::Slice& b) { return a.begin_ns < b.begin_ns; }

void append(TaskSlices& lane, const model::Slice& slice) {
    if (lane.slices.size() >= TaskSlices::most_slices) {
        lane.slices.erase(lane.slices.begin(), lane.slices.begin() + TaskSlices::most_slices / 2);
        lane.truncated = true;
    }
    lane.slices.push_back(slice);
}

// Adds the spans of one task from left to right, merging what is narrow.
class SpanWriter {
public:
    SpanWriter(const TimeAxis& axis, float narrowest_px)
        : range_(axis.range), narrowest_ns_(axis.ns_per_px() * static_cast<double>(narrowest_px)) {}

    void add(Span span) {
        span.begin_ns = std::max(span.begin_ns, range_.begin_ns);
        span.end_ns = std::min(span.end_ns, range_.end_ns);
        if (span.end_ns <= span.begin_ns) return;
        const bool narrow = span.end_ns - span.begin_ns < narrowest_ns_;
        if (narrow && span.phase == Phase::suspended) return;  // the background, as it were
        if (span.phase == Phase::running && span.merged == 1) span.busy_ns = span.end_ns - span.begin_ns;
        if (span.phase == Phase::ready) span.ready_ns = span.end_ns - span.begin_ns;
        if (narrow && joins_last(span)) return join_last(span);
        spans_.push_back(span);
    }

    std::vector<Span> take() { return std::move(spans_); }

private:
    bool joins_last(const Span& span) const {
        if (spans_.empty() || spans_.back().phase == Phase::suspended) return false;
        const Span& last = spans_.back();
        return span.begin_ns - last.end_ns < narrowest_ns_ && last.end_ns - last.begin_ns < narrowest_ns_;
    }

    // Running wins over ready: a merged span tells by its sums how much of it was what.
    void join_last(const Span& span) {
        Span& last = spans_.back();
        last.end_ns = std::max(last.end_ns, span.end_ns);
        last.busy_ns += span.busy_ns;
        last.ready_ns += span.ready_ns;
        if (span.phase != Phase::running) return;
        last.merged = last.phase == Phase::running ? last.merged + span.merged : span.merged;
        last.phase = Phase::running;
        last.node = span.node;
        last.woken_by = span.woken_by;
    }

    TimeRange range_;
    double narrowest_ns_;
    std::vector<Span> spans_;
};

// Steps [first, last) as one span; sums from no more than `samples` of them.
Span merged_span(std::vector<model::Slice>::const_iterator first, std::vector<model::Slice>::const_iterator last) {
    constexpr std::ptrdiff_t samples = 32;
    Span span;
    span.begin_ns = static_cast<double>(first->begin_ns);
    span.end_ns = static_cast<double>(std::prev(last)->end_ns);
    span.phase = Phase::running;
    span.node = first->began_at;
    span.woken_by = first->woken_by;
    span.merged = static_cast<std::size_t>(last - first);
    const std::ptrdiff_t stride = std::max<std::ptrdiff_t>(1, (last - first) / samples);
    std::ptrdiff_t looked_at = 0;
    for (std::ptrdiff_t i = 0; i < last - first; i += stride, ++looked_at) {
        const model::Slice& slice = first[i];
        span.busy_ns += static_cast<double>(slice.end_ns - slice.begin_ns);
        // The wait of the first lies before this span.
        if (i > 0 && slice.ready_ns != 0 && slice.ready_ns < slice.begin_ns)
            span.ready_ns += static_cast<double>(slice.begin_ns - slice.ready_ns);
    }
    const double factor = static_cast<double>(last - first) / static_cast<double>(looked_at);
    span.busy_ns *= factor;
    span.ready_ns *= factor;
    return span;
}

}  // namespace

void LaneIndex::update(const model::Model& model, const std::vector<Lane>& lanes) {
    const auto wanted = [&](auto member, auto id) {
        return std::any_of(lanes.begin(), lanes.end(), [&](const Lane& lane) { return lane.*member == id; });
    };
    std::erase_if(lanes_, [&](const auto& kept) { return !wanted(&Lane::task, kept.first); });
    std::erase_if(groups_, [&](const auto& kept) { return !wanted(&Lane::root, kept.first); });
    bool any_fresh = false;
    for (const Lane& lane : lanes) {
        if (lane.task != 0) any_fresh |= lanes_.try_emplace(lane.task).second;
        if (lane.root != 0) any_fresh |= groups_.try_emplace(lane.root).second;
    }
    for (const auto& loop : model.loops()) {
        const std::uint64_t dropped = loop->slices_dropped;
        const std::uint64_t total = dropped + loop->slices.size();
        std::uint64_t& seen = seen_[loop->id];
        if (total < seen) {  // another history: begin again
            *this = {};
            return update(model, lanes);
        }
        const std::size_t known = seen > dropped ? seen - dropped : 0;
        for (std::size_t i = any_fresh ? 0 : known; i < loop->slices.size(); ++i)
            add(model, loop->slices[i], i < known);
        seen = total;
    }
    for (auto& [id, kept] : lanes_) kept.fresh = false;
    for (auto& [id, kept] : groups_) kept.fresh = false;
}

void LaneIndex::add(const model::Model& model, const model::Slice& slice, bool old) {
    if (slice.task == 0) return;
    if (const auto lane = lanes_.find(slice.task); lane != lanes_.end() && (!old || lane->second.fresh))
        append(lane->second.lane, slice);
    if (groups_.empty()) return;
    const model::Task* task = model.task(slice.task);
    const auto group = task == nullptr ? groups_.end() : groups_.find(task->root);
    if (group != groups_.end() && (!old || group->second.fresh)) append(group->second.lane, slice);
}

const TaskSlices* LaneIndex::find(model::TaskId task) const {
    const auto lane = lanes_.find(task);
    return lane == lanes_.end() ? nullptr : &lane->second.lane;
}

const TaskSlices* LaneIndex::find_group(model::NodeId root) const {
    const auto group = groups_.find(root);
    return group == groups_.end() ? nullptr : &group->second.lane;
}

std::vector<Span> spans(const model::Model& model, const model::Task& task, const TaskSlices& lane,
                        const TimeAxis& axis, float narrowest_px) {
    SpanWriter writer(axis, narrowest_px);
    const auto& slices = lane.slices;
    const auto end_of_story =
        static_cast<double>(task.state == model::State::done && task.done_ns != 0 ? task.done_ns : model.now_ns());
    const double per_px = axis.ns_per_px() * static_cast<double>(narrowest_px);
    const auto add = [&](const model::Pause& pause) {
        const auto ready = std::min(static_cast<double>(pause.ready_ns), end_of_story);
        writer.add({static_cast<double>(pause.begin_ns), ready, Phase::suspended, pause.at});
        const auto end = std::min(static_cast<double>(pause.end_ns), end_of_story);
        writer.add({ready, end, Phase::ready, pause.at, pause.woken_by});
    };
    const auto ends_before = [](const model::Slice& slice, double time) {
        return static_cast<double>(slice.end_ns) < time;
    };
    auto at = std::lower_bound(slices.begin(), slices.end(), axis.range.begin_ns, ends_before);
    const model::Slice* before = at == slices.begin() ? nullptr : &*std::prev(at);
    while (at != slices.end()) {
        if (before != nullptr && static_cast<double>(before->end_ns) >= axis.range.end_ns) return writer.take();
        add(before == nullptr ? model::pause_before(task, *at) : model::pause_between(*before, *at));
        auto last = std::lower_bound(at, slices.end(), static_cast<double>(at->begin_ns) + per_px, ends_before);
        if (last == at) ++last;
        writer.add(merged_span(at, last));
        before = &*std::prev(last);
        at = last;
    }
    if (task.state == model::State::running)
        writer.add(
            {static_cast<double>(task.step_began_ns), end_of_story, Phase::running, task.step_began_at, task.woken_by});
    if (const auto now = model::pause_after(task, before)) add(*now);
    return writer.take();
}

namespace {

std::unordered_map<model::TaskId, double> busy_by_task(const model::Model& model, const TimeRange& range,
                                                       std::size_t most_looked_at) {
    std::unordered_map<model::TaskId, double> busy;
    for (const auto& loop : model.loops()) {
        const auto& slices = loop->slices;
        const auto first =
            std::lower_bound(slices.begin(), slices.end(), range.begin_ns,
                             [](const model::Slice& s, double t) { return static_cast<double>(s.end_ns) < t; });
        const auto last = std::lower_bound(first, slices.end(), range.end_ns, [](const model::Slice& s, double t) {
            return static_cast<double>(s.begin_ns) < t;
        });
        const auto total = static_cast<std::size_t>(last - first);
        const std::size_t stride = std::max<std::size_t>(1, total / most_looked_at);
        for (std::size_t i = 0; i < total; i += stride) {
            const model::Slice& slice = first[static_cast<std::ptrdiff_t>(i)];
            if (slice.task != 0) busy[slice.task] += static_cast<double>(slice.end_ns - slice.begin_ns);
        }
    }
    return busy;
}

}  // namespace

std::vector<Lane> busiest_lanes(const model::Model& model, const TimeRange& range, std::size_t count,
                                std::size_t group_from, std::size_t most_looked_at) {
    struct Candidate {
        Lane lane;
        double busy_ns = 0;
    };
    const auto busy = busy_by_task(model, range, most_looked_at);
    std::unordered_map<model::NodeId, Candidate> by_root;
    for (const auto& [id, ns] : busy) {
        const model::Task* task = model.task(id);
        if (task == nullptr) continue;
        Candidate& candidate = by_root[task->root];
        candidate.lane.tasks = candidate.lane.root == 0 ? 1 : candidate.lane.tasks + 1;
        candidate.lane.root = task->root;
        candidate.busy_ns += ns;
    }
    std::vector<Candidate> candidates;
    for (const auto& [root, candidate] : by_root) {
        if (candidate.lane.tasks >= group_from && root != 0) candidates.push_back(candidate);
    }
    for (const auto& [id, ns] : busy) {
        const model::Task* task = model.task(id);
        if (task == nullptr || (task->root != 0 && by_root[task->root].lane.tasks >= group_from)) continue;
        candidates.push_back({{id, 0, 1}, ns});
    }
    std::sort(candidates.begin(), candidates.end(), [](const Candidate& a, const Candidate& b) {
        if (a.busy_ns != b.busy_ns) return a.busy_ns > b.busy_ns;
        return a.lane.task != b.lane.task ? a.lane.task < b.lane.task : a.lane.root < b.lane.root;
    });
    std::vector<Lane> result;
    for (std::size_t i = 0; i < candidates.size() && i < count; ++i) result.push_back(candidates[i].lane);
    return result;
}

std::ptrdiff_t slice_at_or_before(const std::vector<model::Slice>& slices, double time_ns) {
    const auto after = std::upper_bound(
        slices.begin(), slices.end(), time_ns,
        [](double time, const model::Slice& slice) { return time < static_cast<double>(slice.begin_ns); });
    return after - slices.begin() - 1;
}

std::vector<Wake> wakes(const LaneIndex& index, model::TaskId task, const std::vector<Lane>& shown,
                        const TimeRange& range, std::size_t most) {
    std::vector<Wake> result;
    for (const Lane& each : shown) {
        const model::TaskId other = each.task;
        const TaskSlices* lane = other == 0 ? nullptr : index.find(other);
        if (lane == nullptr) continue;
        model::Slice from;
        from.begin_ns = range.begin_ns > 0 ? static_cast<std::uint64_t>(range.begin_ns) : 0;
        auto at = std::lower_bound(lane->slices.begin(), lane->slices.end(), from, by_begin);
        for (; at != lane->slices.end() && static_cast<double>(at->begin_ns) < range.end_ns; ++at) {
            const model::TaskId waker = model::waker_of(*at);
            if (waker == 0 || (other != task && waker != task)) continue;
            if (result.size() == most) return {};  // a thicket helps nobody: zoom in to see them
            result.push_back({waker, other, static_cast<double>(at->ready_ns), static_cast<double>(at->begin_ns)});
        }
    }
    return result;
}

}  // namespace coroscope::viewer
