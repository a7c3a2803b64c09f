// What is computed from the session for the views, and kept until the session or the user's choice changes: rows of the tree,
// the problems, lanes, maxima. Views read it; the application updates it once a frame, before they draw.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "agent/analysis/problem.hpp"
#include "agent/model/session.hpp"
#include "rate.hpp"
#include "throttle.hpp"
#include "view_state.hpp"
#include "viewer/layout/iterations.hpp"
#include "viewer/layout/task_lane.hpp"
#include "viewer/layout/task_tree.hpp"

namespace coroscope::viewer {

class Derived {
public:
    // `now_s`: any steady time. Returns the earliest time at which another update is wanted, 0: none.
    double update(const model::Session& session, ViewState& state, double now_s);

    const TaskTree& tree() const { return tree_; }
    const std::vector<analysis::Problem>& problems() const { return problems_; }  // of all apps, worst first
    std::size_t problems_of(model::AppKey app) const;
    const LaneIndex& lanes() const { return lanes_; }
    const std::vector<model::TaskId>& lane_tasks() const { return lane_tasks_; }  // top to bottom
    const IterationIndex& iterations(model::LoopId loop) const;
    const std::vector<model::TaskId>& awaiters() const { return awaiters_; }      // of the selected task
    double events_per_s() const { return rate_.per_s(); }
    void forget();  // the session was replaced

private:
    void update_tree(const model::App& app, const ViewState& state, double now_s);
    void update_problems(const model::Session& session, double now_s);
    void update_lanes(const model::App& app, const ViewState& state, double now_s);

    TaskTree tree_;
    Throttle tree_due_{0.1};
    std::vector<analysis::Problem> problems_;
    Throttle problems_due_{0.5};
    LaneIndex lanes_;
    std::vector<model::TaskId> lane_tasks_;
    Throttle lanes_due_{0.5};
    std::map<model::LoopId, IterationIndex> iterations_;
    std::vector<model::TaskId> awaiters_;
    Throttle awaiters_due_{0.25};
    Rate rate_;
    model::AppKey app_ = 0;
};

}  // namespace coroscope::viewer
