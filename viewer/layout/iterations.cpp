#include "iterations.hpp"

#include <algorithm>
#include <cmath>
#include <unordered_map>

namespace coroscope::viewer {

namespace {

std::uint64_t length_ns(const model::Iteration& iteration) {
    return iteration.end_ns > iteration.begin_ns ? iteration.end_ns - iteration.begin_ns : 0;
}

std::size_t longest_of(const model::Newest<model::Iteration>& all, std::size_t first, std::size_t last) {
    std::size_t best = first;
    for (std::size_t i = first + 1; i < last; ++i) {
        if (length_ns(all[i]) > length_ns(all[best])) best = i;
    }
    return best;
}

}  // namespace

void IterationIndex::update(const model::Loop& loop) {
    const std::uint64_t dropped = loop.iterations_dropped;
    const std::uint64_t total = dropped + loop.iterations.size();
    if (loop_ != loop.id || total < indexed_ || dropped > indexed_) *this = {};
    if (loop_ != loop.id) {
        loop_ = loop.id;
        first_block_ = (dropped + block_size - 1) / block_size;
        indexed_ = first_block_ * block_size;
    }
    for (; indexed_ + block_size <= total; indexed_ += block_size) {
        const std::size_t first = indexed_ - dropped;
        longest_.push_back(dropped + longest_of(loop.iterations, first, first + block_size));
    }
    while (!longest_.empty() && first_block_ * block_size < dropped) {
        longest_.pop_front();
        ++first_block_;
    }
}

std::size_t IterationIndex::longest(const model::Loop& loop, std::size_t first, std::size_t last) const {
    const std::uint64_t dropped = loop.iterations_dropped;
    std::size_t best = first;
    for (std::size_t i = first; i < last;) {
        const std::uint64_t number = dropped + i;
        const std::uint64_t block = number / block_size;
        const bool whole = number % block_size == 0 && i + block_size <= last && block >= first_block_ &&
                           block - first_block_ < longest_.size();
        const std::size_t candidate = whole ? longest_[block - first_block_] - dropped : i;
        if (length_ns(loop.iterations[candidate]) > length_ns(loop.iterations[best])) best = candidate;
        i += whole ? block_size : 1;
    }
    return best;
}

std::vector<LatencyColumn> latency_columns(const model::Loop& loop, const IterationIndex& index, const TimeAxis& axis) {
    const auto& all = loop.iterations;
    std::vector<LatencyColumn> columns(static_cast<std::size_t>(std::max(0.0f, axis.width_px)));
    const auto ends_before = [](const model::Iteration& one, double time) {
        return static_cast<double>(one.end_ns) <= time;
    };
    const double per_px = axis.ns_per_px();
    auto at = std::lower_bound(all.begin(), all.end(), axis.range.begin_ns, ends_before);
    for (std::size_t column = 0; column < columns.size() && at != all.end(); ++column) {
        const double begin = axis.range.begin_ns + static_cast<double>(column) * per_px;
        const double end = begin + per_px;
        if (static_cast<double>(at->end_ns) <= begin) at = std::lower_bound(at, all.end(), begin, ends_before);
        if (at == all.end()) break;
        if (static_cast<double>(at->begin_ns) >= end) continue;
        auto past = std::lower_bound(at, all.end(), end, ends_before);
        if (past != all.end() && static_cast<double>(past->begin_ns) < end) ++past;
        if (past == at) ++past;
        const auto first = static_cast<std::size_t>(at - all.begin());
        const auto last = static_cast<std::size_t>(past - all.begin());
        columns[column].count = last - first;
        columns[column].longest = index.longest(loop, first, last);
        columns[column].longest_ns = std::max<std::uint64_t>(1, length_ns(all[columns[column].longest]));
    }
    return columns;
}

std::vector<Share> composition(const model::Loop& loop, const model::Iteration& iteration) {
    std::unordered_map<model::TaskId, Share> by_task;
    const auto& slices = loop.slices;
    auto at = std::lower_bound(slices.begin(), slices.end(), iteration.begin_ns,
                               [](const model::Slice& slice, std::uint64_t time) { return slice.end_ns <= time; });
    constexpr std::size_t most_steps = 200'000;  // a hover must not cost a frame
    for (std::size_t n = 0; at != slices.end() && at->begin_ns < iteration.end_ns && n < most_steps; ++at, ++n) {
        Share& share = by_task[at->task];
        const std::uint64_t ns = at->end_ns - at->begin_ns;
        share.task = at->task;
        share.busy_ns += ns;
        ++share.steps;
        if (ns >= share.longest_ns) {
            share.longest_ns = ns;
            share.node = at->began_at;
        }
    }
    std::vector<Share> shares;
    for (const auto& [task, share] : by_task) shares.push_back(share);
    std::sort(shares.begin(), shares.end(), [](const Share& a, const Share& b) {
        return a.busy_ns != b.busy_ns ? a.busy_ns > b.busy_ns : a.task < b.task;
    });
    return shares;
}

std::vector<LongIteration> longest_iterations(const model::Model& model, std::size_t most) {
    std::vector<LongIteration> longest;
    const auto worse = [](const LongIteration& a, const LongIteration& b) {
        return length_ns(a.iteration) > length_ns(b.iteration);
    };
    for (const auto& loop : model.loops()) {
        for (const model::Iteration& iteration : loop->iterations) {
            const LongIteration one{loop->id, iteration, {}};
            if (longest.size() == most && !worse(one, longest.back())) continue;
            longest.insert(std::upper_bound(longest.begin(), longest.end(), one, worse), one);
            if (longest.size() > most) longest.pop_back();
        }
    }
    for (LongIteration& one : longest) {
        for (const auto& loop : model.loops()) {
            if (loop->id != one.loop) continue;
            const std::vector<Share> shares = composition(*loop, one.iteration);
            if (!shares.empty()) one.mostly = shares.front();
        }
    }
    return longest;
}

std::vector<std::size_t> length_histogram(const model::Newest<model::Iteration>& iterations, int per_decade, int bins) {
    std::vector<std::size_t> counts(static_cast<std::size_t>(bins));
    for (const model::Iteration& iteration : iterations) {
        const double decades = std::log10(std::max(1.0, static_cast<double>(length_ns(iteration)) / 1e3));
        ++counts[static_cast<std::size_t>(std::clamp(static_cast<int>(decades * per_decade), 0, bins - 1))];
    }
    return counts;
}

}  // namespace coroscope::viewer
