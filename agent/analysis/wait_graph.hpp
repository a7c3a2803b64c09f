// Who waits for whom: the tasks of an app, and what each needs from others to go on.
//
// A task waits for one task (a join, the owner of a lock), for several (a gather), or for any of those that are known
// to have fed what it waits on (a queue, an event, a semaphore). It is stuck if none of these can ever go on. That is
// proof where the wait can be ended by known tasks only, or where nothing at all can happen on the app's loops. Else it
// is what was seen so far: a task that never fed the queue could still do it.
//
// Nothing is said about tasks whose state is not known because events were lost.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "problem.hpp"

namespace coroscope::analysis {

class WaitGraph {
public:
    // O(live tasks and what they wait for).
    explicit WaitGraph(const model::Model& model);

    enum class Reason : std::uint8_t { joined, member, owner, feeder };

    struct Edge {
        model::TaskId to = 0;
        Reason reason = Reason::joined;
        // Of an owner, or a feeder: its first use of the resource in that role. Unknown role: not known.
        model::ResourceUser use;
    };

    // What a task needs to go on.
    struct Need {
        enum class From : std::uint8_t {
            unknown,  // its state is not known, or nobody is known who could end the wait
            outside,  // time, I/O, another process or thread, a limit that runs out: it can go on by itself
            tasks,    // the tasks in `edges`
        };
        From from = From::unknown;
        std::vector<Edge> edges;      // live tasks that could end the wait; if they are several, each alone
        std::vector<Edge> ended;      // tasks that could have, and have ended
        bool others_possible = true;  // a task that is not known to be concerned could end the wait, too
    };
    const Need& need(model::TaskId task) const;  // of a live task

    // It can never go on, unless it is cancelled.
    bool is_stuck(model::TaskId task) const { return stuck_.contains(task); }

    // Tasks that wait for each other.
    struct Circle {
        std::vector<model::TaskId> tasks;    // each waits for the next one, the last for the first
        std::vector<model::TaskId> waiting;  // other tasks that wait for these, directly or not; by id
        Certainty certainty = Certainty::certain;
    };
    const std::vector<Circle>& circles() const { return circles_; }

    // A task that is stuck though it waits for no other stuck task.
    struct DeadEnd {
        enum class Cause : std::uint8_t {
            nothing_can_happen,  // its loop has nothing to do, and nothing can wake it
            owner_ended,         // what it waits for is held by a task that has ended
            orphaned,            // of the future that it waits for, nobody else has a handle
            feeders_failed,      // all tasks known to have fed what it waits on have ended, at least one of them badly
        };
        model::TaskId task = 0;
        Cause cause = Cause::nothing_can_happen;
        std::vector<model::TaskId> waiting;  // as in Circle
        Certainty certainty = Certainty::certain;
    };
    const std::vector<DeadEnd>& dead_ends() const { return dead_ends_; }

    // Nothing can happen on the loops of the app: nothing is ready, no timer is set, no descriptor is watched, no job
    // runs, and no other thread is there to wake them.
    bool is_quiescent() const { return quiescent_; }

private:
    void find_needs();
    Need need_of(const model::Task& task) const;
    Need need_of_resource(const model::Task& task) const;
    void add_feeders(const model::Resource& resource, const model::Task& task, Need& need) const;
    void find_stuck();
    bool holds(model::TaskId task, const Need& need) const;
    bool is_orphaned(const model::Task& task) const;
    bool is_dead_end(const model::Task& task, const Need& need) const;
    void find_circles();
    void add_circle(const std::vector<model::TaskId>& component);
    std::vector<model::TaskId> shortest_circle(const std::vector<model::TaskId>& component) const;
    bool is_evidence(const std::vector<model::TaskId>& circle) const;
    void find_dead_ends();
    std::vector<model::TaskId> waiting_for(const std::vector<model::TaskId>& tasks) const;

    const model::Model& model_;
    bool quiescent_ = false;
    std::unordered_map<model::TaskId, Need> needs_;  // of all live tasks
    std::unordered_map<model::TaskId, std::vector<model::TaskId>> needed_by_;
    std::unordered_map<model::TaskId, bool> stuck_;  // used as a set
    std::vector<Circle> circles_;
    std::vector<DeadEnd> dead_ends_;
};

}  // namespace coroscope::analysis
