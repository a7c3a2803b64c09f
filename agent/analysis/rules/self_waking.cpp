// self_waking: a task that never waits for anything but its turn, for many thousand turns: it polls, and keeps a CPU
// busy with it. No step of it is long, so no other rule sees it.
//
// Steps that were lost only make the counts lower than they were. A task that does work between its turns, to let
// others run, has longer steps, and is none.
#include <algorithm>
#include <unordered_map>

#include "agent/analysis/evidence.hpp"
#include "agent/words/task.hpp"
#include "agent/words/where.hpp"
#include "proto/words/amount.hpp"

namespace coroscope::analysis::rule {

namespace {

constexpr std::uint64_t many_turns = 5'000;
constexpr std::uint64_t very_many_turns = 200'000;  // however short the time
constexpr std::uint64_t circling_long_ns = 1'000'000'000;
constexpr std::uint64_t short_step_ns = 20'000;  // on average

struct Turns {
    std::uint64_t turns = 0, others = 0;  // steps after which it was ready again at once; steps that ended otherwise
    std::uint64_t busy_ns = 0;            // in the turns
    std::uint64_t first_ns = 0, last_ns = 0;
    model::NodeId at = 0;

    void add(const model::Slice& slice, bool is_turn) {
        if (!is_turn) {
            ++others;
            return;
        }
        ++turns;
        busy_ns += slice.end_ns - slice.begin_ns;
        if (first_ns == 0) first_ns = slice.begin_ns;
        last_ns = slice.end_ns;
        at = slice.ended_at;
    }
    bool polls() const {
        return turns >= many_turns && others <= turns / 100 && busy_ns / turns < short_step_ns &&
               (last_ns - first_ns >= circling_long_ns || turns >= very_many_turns);
    }
};

std::unordered_map<model::TaskId, Turns> turns_of(const model::Loop& loop,
                                                  std::unordered_map<model::TaskId, Turns> candidates) {
    for (const model::Slice& slice : loop.slices) {
        const auto found = candidates.find(slice.task);
        if (found == candidates.end()) continue;
        const bool gives_up_turn = vocabulary::verb_of(slice.wait) == static_cast<std::uint8_t>(vocabulary::Verb::turn);
        found->second.add(slice, gives_up_turn);
    }
    std::erase_if(candidates, [](const auto& each) { return !each.second.polls(); });
    return candidates;
}

// Of the steps that the loop ran in the time of those tasks, how many were theirs.
double share_of(const model::Loop& loop, const std::unordered_map<model::TaskId, Turns>& polling) {
    std::uint64_t first_ns = model::end_of_time, last_ns = 0, turns = 0;
    for (const auto& [task, each] : polling) {
        first_ns = std::min(first_ns, each.first_ns);
        last_ns = std::max(last_ns, each.last_ns);
        turns += each.turns;
    }
    const auto begins_before = [](const model::Slice& slice, std::uint64_t time) { return slice.begin_ns < time; };
    const auto begin = std::lower_bound(loop.slices.begin(), loop.slices.end(), first_ns, begins_before);
    const auto end = std::lower_bound(begin, loop.slices.end(), last_ns, begins_before);
    return begin == end ? 0 : static_cast<double>(turns) / static_cast<double>(end - begin);
}

Problem problem_of(const model::Model& model, model::TaskId task, const Turns& turns, double share) {
    Problem problem;
    problem.task = task;
    problem.time_ns = turns.first_ns;
    problem.duration_ns = turns.last_ns - turns.first_ns;
    problem.stack = places(model.stack(turns.at));
    problem.site = user_place(model, turns.at);
    const std::string count = words::counted(turns.turns, "turn", "turns");
    const std::string time = words::duration(problem.duration_ns);
    problem.summary =
        words::task_phrase(model, task) + " polls: at least " + count + " in " + time + ", each ready again at once";
    problem.evidence = "it was suspended " + words::at_text(words::where(model, turns.at)) + " at least " +
                       words::counted(turns.turns, "time", "times") + " in " + time +
                       " and waited for nothing but its turn; its steps took " +
                       words::duration(turns.busy_ns / turns.turns) + " on average, and " +
                       std::to_string(static_cast<int>(share * 100)) +
                       " % of all steps of the loop were of tasks that do so";
    problem.certainty = Certainty::likely;
    problem.advice =
        "The loop never sleeps and keeps a CPU busy. Wait for what is polled: an Event or a Condition that is set when "
        "it changes, a Queue, a Future; or, if nobody tells, poll with co_await sleep(...).";
    return problem;
}

void check_self_waking(const Rule&, const Inspection& seen, std::vector<Problem>& found) {
    const model::Model& model = seen.model;
    std::unordered_map<model::TaskId, Turns> candidates;
    for (const auto& tasks : {model.live_tasks(), model.done_tasks()})
        for (const model::Task* task : tasks)
            if (task->steps >= many_turns) candidates.try_emplace(task->id);
    if (candidates.empty()) return;
    for (const auto& loop : model.loops()) {
        const auto polling = turns_of(*loop, candidates);
        const double share = share_of(*loop, polling);
        if (share < 0.5) continue;
        for (const auto& [task, turns] : polling) found.push_back(problem_of(model, task, turns, share));
    }
}

}  // namespace

extern const Rule self_waking{
    .name = "self_waking",
    .finds = "a task polls: it is ready again at once for many thousand turns",
    .severity = Severity::warning,
    .ongoing = false,
    .needs = vocabulary::has_waits,
    .check = check_self_waking,
};

}  // namespace coroscope::analysis::rule
