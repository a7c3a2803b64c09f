// A task's own lane: when it ran, waited for the loop, or was suspended. Lanes are kept for the few tasks that are
// shown; each is extended by the slices that came since the last update.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "agent/model/model.hpp"
#include "time_axis.hpp"

namespace coroscope::viewer {

enum class Phase : std::uint8_t { suspended, ready, running };

struct Span {
    double begin_ns = 0, end_ns = 0;
    Phase phase = Phase::suspended;
    model::NodeId node = 0;            // suspended: where; running: where it had been suspended
    model::TaskId woken_by = 0;        // ready, running: who made it ready
    std::size_t merged = 1;            // running: steps in it; more than one when they were too narrow to show
    double busy_ns = 0, ready_ns = 0;  // merged: how long they ran and waited for the loop, all together
};

// One lane of the timeline: a task's, or one for all tasks of a creation site, when there are too many for a lane each.
struct Lane {
    model::TaskId task = 0;
    model::NodeId root = 0;  // not 0: of all tasks with this root node
    std::size_t tasks = 1;   // how many of them ran in the range

    bool group() const { return root != 0; }
};

// The slices of one lane, oldest first. Bound: `most_slices`, then the oldest half is dropped.
struct TaskSlices {
    static constexpr std::size_t most_slices = 200'000;
    std::vector<model::Slice> slices;
    bool truncated = false;
};

// Slices of the tasks that are shown.
class LaneIndex {
public:
    // Keeps exactly these lanes, folding in what is new in the model's loops. A new lane costs a pass over all slices.
    void update(const model::Model& model, const std::vector<Lane>& lanes);
    const TaskSlices* find(model::TaskId task) const;
    const TaskSlices* find_group(model::NodeId root) const;

private:
    struct Kept {
        TaskSlices lane;
        bool fresh = true;  // has not seen the old slices yet
    };
    void add(const model::Model& model, const model::Slice& slice, bool old);

    std::map<model::TaskId, Kept> lanes_;
    std::map<model::NodeId, Kept> groups_;
    std::map<model::LoopId, std::uint64_t> seen_;  // slices by number that were looked at
};

// What a lane draws in the axis's range: spans at least `narrowest_px` wide; narrower steps are merged into one running
// span. What still lasts ends at the model's now.
std::vector<Span> spans(const model::Model& model, const model::Task& task, const TaskSlices& lane,
                        const TimeAxis& axis, float narrowest_px = 2);

// Lanes for the tasks that were longest busy in a range, longest first. From `group_from` tasks of one creation site on
// they share a lane. Looks at no more than `most_looked_at` slices of a loop, evenly spread.
std::vector<Lane> busiest_lanes(const model::Model& model, const TimeRange& range, std::size_t count,
                                std::size_t group_from = 4, std::size_t most_looked_at = 50'000);

// Index of the step that a time falls in, or of the last one before it: for stepping through a task's story. -1: none.
std::ptrdiff_t slice_at_or_before(const std::vector<model::Slice>& slices, double time_ns);

// One task made another ready.
struct Wake {
    model::TaskId from = 0, to = 0;
    double from_ns = 0, to_ns = 0;  // when `to` became ready; when it began to run
};
// The wakes of a task within a range: into it, and out of it to other tasks of which lanes exist.
std::vector<Wake> wakes(const LaneIndex& index, model::TaskId task, const std::vector<Lane>& shown,
                        const TimeRange& range, std::size_t most);

}  // namespace coroscope::viewer
