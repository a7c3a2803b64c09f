// starved: a task was ready for much longer than the threshold while its loop ran others. The loop takes turns, so it
// is the number of ready tasks, or what each of them does, that is too much.
//
// Where one long step held the loop for most of that time, slow_step tells it; where the loop did not run at all, it
// was not the others.
#include <algorithm>
#include <map>

#include "agent/analysis/evidence.hpp"
#include "agent/words/task.hpp"
#include "agent/words/where.hpp"
#include "proto/words/amount.hpp"

namespace coroscope::analysis::rule {

namespace {

constexpr std::uint64_t times_the_threshold = 5;
constexpr std::uint64_t least_ns = 500'000'000;

// One wait of a ready task for its loop.
struct Wait {
    model::TaskId task = 0;
    model::NodeId at = 0;
    std::uint64_t ready_ns = 0, until_ns = 0;
    std::size_t steps = 0;  // of others meanwhile

    std::uint64_t waited_ns() const { return until_ns > ready_ns ? until_ns - ready_ns : 0; }
};

// What a loop did in a time.
class LoopTime {
public:
    explicit LoopTime(const model::Loop& loop) : loop_(loop) {
        sums_.reserve(loop.slices.size() + 1);
        std::uint64_t sum = 0;
        sums_.push_back(0);
        for (const model::Slice& slice : loop.slices) sums_.push_back(sum += slice.end_ns - slice.begin_ns);
    }
    // The wait was for many short steps of others.
    bool was_busy_with_others(Wait& wait, std::uint64_t threshold_ns) const {
        const auto begins_before = [](const model::Slice& slice, std::uint64_t time) { return slice.begin_ns < time; };
        const auto begin = std::lower_bound(loop_.slices.begin(), loop_.slices.end(), wait.ready_ns, begins_before);
        const auto end = std::lower_bound(begin, loop_.slices.end(), wait.until_ns, begins_before);
        const auto from = static_cast<std::size_t>(begin - loop_.slices.begin());
        const auto to = static_cast<std::size_t>(end - loop_.slices.begin());
        wait.steps = to - from;
        if (sums_[to] - sums_[from] < wait.waited_ns() / 5 * 4) return false;
        std::uint64_t in_long_steps_ns = 0;
        for (auto at = begin; at != end; ++at)
            if (at->end_ns - at->begin_ns >= threshold_ns) in_long_steps_ns += at->end_ns - at->begin_ns;
        return in_long_steps_ns < wait.waited_ns() / 2;
    }

private:
    const model::Loop& loop_;
    std::vector<std::uint64_t> sums_;  // of the slices before
};

struct Starved {
    Wait worst;
    std::uint64_t count = 0;
};

Problem problem_of(const model::Model& model, const model::Loop& loop, const Starved& starved) {
    const Wait& worst = starved.worst;
    Problem problem;
    problem.task = worst.task;
    problem.time_ns = worst.ready_ns;
    problem.duration_ns = worst.waited_ns();
    problem.count = starved.count;
    problem.stack = places(model.stack(worst.at));
    problem.site = user_place(model, worst.at);
    const std::string waited = words::duration(worst.waited_ns());
    const std::string who = words::task_phrase(model, worst.task);
    problem.summary = who + " was ready and waited " + waited + " for its turn";
    problem.evidence = "loop " + std::to_string(loop.id) + " ran " + words::counted(worst.steps, "step", "steps") +
                       " of others meanwhile, most of them short";
    if (starved.count > 1)
        problem.evidence += "; tasks that stand there waited as long " +
                            words::counted(starved.count, "time", "times") + ", and this was the longest";
    problem.advice =
        "More is ready than the loop can run. Limit how many tasks are at work at once (a Semaphore, a bounded Queue), "
        "make their steps shorter, or move their work to threads with to_thread(...).";
    return problem;
}

void check_starved(const Rule&, const Inspection& seen, std::vector<Problem>& found) {
    const model::Model& model = seen.model;
    const std::uint64_t limit_ns = std::max(model.slow_step_ns() * times_the_threshold, least_ns);
    bool any = false;
    std::vector<Wait> ready_now;
    for (const model::Task* task : model.live_tasks()) {
        any = any || task->longest_ready_ns >= limit_ns;
        const bool is_ready = task->state == model::State::ready || task->state == model::State::created;
        if (is_ready && !task->incomplete && model.in_state_ns(*task) >= limit_ns)
            ready_now.push_back({task->id, model.stands_at(*task), task->changed_ns, model.now_ns(), 0});
    }
    for (const model::Task* task : model.done_tasks()) any = any || task->longest_ready_ns >= limit_ns;
    if (!any && ready_now.empty()) return;
    for (const auto& loop : model.loops()) {
        const LoopTime time(*loop);
        std::map<model::NodeId, Starved> by_place;
        const auto add = [&](Wait wait) {
            if (!time.was_busy_with_others(wait, model.slow_step_ns())) return;
            Starved& starved = by_place[wait.at];
            ++starved.count;
            if (wait.waited_ns() > starved.worst.waited_ns()) starved.worst = wait;
        };
        for (const model::Slice& slice : loop->slices)
            if (slice.ready_ns != 0 && slice.begin_ns >= slice.ready_ns + limit_ns)
                add({slice.task, slice.began_at, slice.ready_ns, slice.begin_ns, 0});
        for (const Wait& wait : ready_now)
            if (const model::Task* task = model.task(wait.task); task->loop == loop->id) add(wait);
        for (const auto& [at, starved] : by_place) found.push_back(problem_of(model, *loop, starved));
    }
}

}  // namespace

extern const Rule starved{
    .name = "starved",
    .finds = "a task was ready for long while its loop ran others",
    .severity = Severity::warning,
    .ongoing = false,
    .needs = vocabulary::has_ready,
    .check = check_starved,
};

}  // namespace coroscope::analysis::rule
