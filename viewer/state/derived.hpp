// What is computed from the session for the views, and kept until the session or the user's choice changes: rows of the
// tree, the problems, lanes, maxima. Views read it; the application updates it once a frame, before they draw.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "agent/analysis/problem.hpp"
#include "agent/model/session.hpp"
#include "rate.hpp"
#include "throttle.hpp"
#include "view_state.hpp"
#include "viewer/layout/iterations.hpp"
#include "viewer/layout/said.hpp"
#include "viewer/layout/task_lane.hpp"
#include "viewer/layout/task_tree.hpp"

namespace coroscope::viewer {

// What the latency view says beside its strips.
struct LatencyDigest {
    static constexpr int bins_per_decade = 4, bins = 7 * bins_per_decade;  // 1 us .. 10 s
    static constexpr std::size_t most_longest = 50;
    std::vector<std::size_t> histogram;
    std::vector<LongIteration> longest;
};

// What a problem is recognised by when the list is made anew.
std::string identity(const analysis::Problem& problem);
// Where that problem is now; `otherwise` if it is gone or none was chosen.
std::size_t index_of(const std::vector<analysis::Problem>& problems, const std::string& identity,
                     std::size_t otherwise);

class Derived {
public:
    // `now_s`: any steady time. Returns the earliest time at which another update is wanted, 0: none.
    double update(const model::Session& session, const ViewState& state, double now_s);

    const TaskTree& tree() const { return tree_; }
    const std::vector<analysis::Problem>& problems() const { return problems_; }  // of all apps, worst first
    std::size_t problems_of(model::AppKey app) const;
    const LaneIndex& lanes() const { return lanes_; }
    const SaidIndex& said() const { return said_; }
    const std::vector<Lane>& shown_lanes() const { return shown_lanes_; }  // top to bottom
    const IterationIndex& iterations(model::LoopId loop) const;
    const std::vector<model::TaskId>& awaiters() const { return awaiters_; }  // of the selected task
    // Why the selected task waits, from it to what it really waits for; empty: it does not wait.
    const std::vector<analysis::Part>& why() const { return why_; }
    const LatencyDigest& latency() const { return latency_; }  // kept up while its view is shown
    double events_per_s() const { return rate_.per_s(); }
    void forget();  // the session was replaced

private:
    void update_tree(const model::App& app, const ViewState& state, double now_s);
    void update_problems(const model::Session& session, double now_s);
    void update_why(const model::Model& model, model::TaskId task, double now_s);
    void update_latency(const model::App& app, double now_s);
    void update_lanes(const model::App& app, const ViewState& state, double now_s);

    TaskTree tree_;
    Throttle tree_due_{0.1};
    std::vector<analysis::Part> why_;
    Throttle why_due_{0.25};
    std::vector<analysis::Problem> problems_;
    Throttle problems_due_{0.5};
    LaneIndex lanes_;
    std::vector<Lane> shown_lanes_;
    SaidIndex said_;
    Throttle lanes_due_{0.5};
    std::map<model::LoopId, IterationIndex> iterations_;
    std::vector<model::TaskId> awaiters_;
    Throttle awaiters_due_{0.25};
    LatencyDigest latency_;
    Throttle latency_due_{0.5};
    Rate rate_;
    model::AppKey app_ = 0;
};

}  // namespace coroscope::viewer
