// One app's model as timelines show it: the steps of each loop and each task, what lay between a task's steps, and who
// made whom run. Everything is derived from what the model retains; what it does not know is left out.
//
// A Timeline refers to its model: apply no batch while it exists.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "agent/model/session.hpp"

namespace coroscope::trace {

// A slice of a loop. `index` equal to the number of slices: the one that is still open.
struct StepRef {
    std::uint32_t loop = 0;  // index into Model::loops()
    std::uint32_t index = 0;
    friend auto operator<=>(const StepRef&, const StepRef&) = default;
};

// One step made another run: it created the task, or it woke it.
struct Edge {
    enum class Kind : std::uint8_t { spawn, wake };
    Kind kind = Kind::spawn;
    std::uint64_t id = 0;       // from 1, unique in the app
    std::uint64_t time_ns = 0;  // within `from`
    StepRef from, to;
};

// A part of a task's life in which it did not run.
struct Phase {
    enum class Kind : std::uint8_t { suspended, ready };
    Kind kind = Kind::suspended;
    std::uint64_t begin_ns = 0, end_ns = 0;  // end 0: it still lasts
    model::NodeId at = 0;                    // suspended: where
    model::Wait wait;                        // suspended: on what

    bool knows_wait() const { return wait.verb != model::Verb::unknown || wait.operand != 0; }
};

struct Lifetime {
    std::uint64_t begin_ns = 0, end_ns = 0;  // end 0: it lives
};

using Samples = std::vector<std::pair<std::uint64_t, std::int64_t>>;  // time in ns, value from then on

class Timeline {
public:
    explicit Timeline(const model::Model& model);

    const model::Model& model() const { return model_; }

    // Loops that took turns on one thread share its row; each row's loops in order of time.
    const std::vector<std::vector<std::uint32_t>>& rows() const { return rows_; }
    std::uint32_t step_count(std::uint32_t loop) const;  // with the open one
    const model::Slice& slice(StepRef ref) const;
    std::span<const StepRef> steps_of(model::TaskId task) const;  // in order of time

    std::span<const Edge> edges_from(StepRef ref) const;
    std::vector<Edge> edges_to(StepRef ref) const;  // at most one of each kind

    Lifetime lifetime(const model::Task& task) const;
    std::vector<Phase> phases(const model::Task& task) const;  // in order, disjoint, within the lifetime

    Samples live_tasks() const;
    Samples ready_depth(std::uint32_t loop) const;
    Samples lag(std::uint32_t loop) const;  // ns: the length of the iteration that runs, 0 while it polls

private:
    struct TaskSteps {
        model::TaskId task = 0;
        std::uint32_t first = 0, count = 0;
    };

    void index_steps();
    void find_edges();
    std::optional<StepRef> step_at(model::TaskId task, std::uint64_t time_ns) const;
    bool add_edge(Edge::Kind kind, model::TaskId from, std::uint64_t time_ns, StepRef to);

    const model::Model& model_;
    std::vector<std::vector<std::uint32_t>> rows_;
    std::vector<StepRef> steps_;    // by task and time
    std::vector<TaskSteps> tasks_;  // by task
    std::vector<Edge> edges_;       // by `from`
    std::vector<std::uint32_t> edges_by_target_;
};

// All apps on one clock. Apps of one host share CLOCK_MONOTONIC; the others are shifted by their wall clocks.
class Clocks {
public:
    explicit Clocks(const model::Session& session);
    std::uint64_t at(model::AppKey app, std::uint64_t time_ns) const;

private:
    struct Shift {
        model::AppKey app = 0;
        bool back = false;  // its times are moved towards 0
        std::uint64_t by_ns = 0;
    };
    std::vector<Shift> shifts_;
};

}  // namespace coroscope::trace
