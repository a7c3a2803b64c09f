// task_leak: tasks made at one place are made again and again, and hardly any ends: their number only grows.
//
// Many tasks that are made at once and work in parallel are no leak: the creations must be spread over time. Tasks that
// run now and then, or wait for I/O, may well be meant to live: connections, say. What a library makes is its business.
#include <algorithm>
#include <map>
#include <utility>

#include "agent/analysis/evidence.hpp"
#include "agent/words/task.hpp"
#include "agent/words/where.hpp"
#include "proto/words/amount.hpp"

namespace coroscope::analysis::rule {

namespace {

constexpr std::size_t many_alive = 1'000;
constexpr std::uint64_t spread_long_ns = 1'000'000'000;
constexpr std::uint64_t few_steps = 10;  // of one that waits for ever

// Those that were alive at the moment when the most were.
struct Peak {
    std::vector<const model::Task*> alive;
    std::size_t ended = 0;  // by then
};

Peak peak_of(const std::vector<const model::Task*>& tasks) {
    std::vector<std::pair<std::uint64_t, int>> changes;  // ends before begins of the same time
    for (const model::Task* task : tasks) {
        changes.emplace_back(task->created_ns, 1);
        if (task->done_ns != 0) changes.emplace_back(task->done_ns, -1);
    }
    std::ranges::sort(changes);
    std::int64_t alive = 0, most = 0;
    std::uint64_t at_ns = 0;
    for (const auto& [time, change] : changes) {
        alive += change;
        if (alive <= most) continue;
        most = alive;
        at_ns = time;
    }
    Peak peak;
    for (const model::Task* task : tasks) {
        if (task->created_ns > at_ns) continue;
        if (task->done_ns != 0 && task->done_ns <= at_ns) {
            ++peak.ended;
        } else {
            peak.alive.push_back(task);
        }
    }
    return peak;
}

bool waits_for_io(const model::Task& task) {
    using enum vocabulary::Verb;
    switch (task.wait.verb) {
        case read:
        case write:
        case accept:
        case connect:
        case descriptor_read:
        case descriptor_write: return true;
        default: return false;
    }
}

// How long it took to make all but the first and the last tenth of them.
std::uint64_t spread_ns(const std::vector<const model::Task*>& tasks) {
    std::vector<std::uint64_t> created;
    for (const model::Task* task : tasks) created.push_back(task->created_ns);
    std::ranges::sort(created);
    return created[created.size() * 9 / 10] - created[created.size() / 10];
}

bool leaks(const Peak& peak) {
    const std::size_t count = peak.alive.size();
    if (count < many_alive || peak.ended > (peak.ended + count) / 10 || spread_ns(peak.alive) < spread_long_ns)
        return false;
    const auto idle = std::ranges::count_if(
        peak.alive, [](const model::Task* task) { return task->steps <= few_steps && !waits_for_io(*task); });
    return static_cast<std::size_t>(idle) >= count / 10 * 9;
}

Problem problem_of(const model::Model& model, const Peak& peak) {
    const model::Task& first = *peak.alive.front();
    const model::NodeId creation = creation_of(model, first.root);
    Problem problem;
    problem.task = first.id;
    std::uint64_t newest_ns = 0, oldest_ns = model::end_of_time;
    std::size_t alive_now = 0;
    std::map<model::NodeId, std::vector<const model::Task*>> by_place;  // of those that are alive
    for (const model::Task* task : peak.alive) {
        newest_ns = std::max(newest_ns, task->created_ns);
        oldest_ns = std::min(oldest_ns, task->created_ns);
        if (task->done_ns != 0) continue;
        ++alive_now;
        by_place[model.stands_at(*task)].push_back(task);
    }
    problem.time_ns = oldest_ns;
    problem.duration_ns = newest_ns - oldest_ns;
    problem.stack = places(model.stack(creation));
    problem.site = user_place(model, creation);
    const std::string tasks = words::full_count(peak.alive.size()) + " tasks of " + words::coroutine(model, first);
    problem.summary = tasks + " were alive at once, and their number only grew";
    problem.evidence = "they were created " + words::at_text(words::where(model, creation)) + " within " +
                       words::duration(problem.duration_ns) + ", " +
                       (peak.ended == 0 ? "none" : words::full_count(peak.ended)) + " of them had ended by then";
    if (alive_now != 0) {
        const auto most = std::ranges::max_element(by_place, {}, [](const auto& each) { return each.second.size(); });
        const model::Task& one = *most->second.front();
        problem.evidence += "; " + words::full_count(alive_now) + " are alive now, and of " +
                            words::full_count(most->second.size()) + " of them each " +
                            words::waits_text(model, one, words::where(model, one));
    }
    problem.certainty = Certainty::likely;
    problem.advice =
        "Something must end them: cancel what is no longer needed, give their waits a limit (wait_for), or keep them "
        "in a TaskGroup whose end waits for them.";
    return problem;
}

void check_task_leak(const Rule&, const Inspection& seen, std::vector<Problem>& found) {
    const model::Model& model = seen.model;
    // By the call that made them and their coroutine.
    std::map<std::pair<model::SiteId, model::SiteId>, std::vector<const model::Task*>> groups;
    for (const auto& tasks : {model.live_tasks(), model.done_tasks()}) {
        if (tasks.size() < many_alive) continue;
        for (const model::Task* task : tasks) {
            if (task->incomplete || task->created_ns == 0) continue;
            const model::Node* root = model.node(task->root);
            const model::Node* call = root == nullptr ? nullptr : model.node(root->parent);
            if (call != nullptr) groups[{call->site, root->site}].push_back(task);
        }
    }
    for (const auto& [sites, tasks] : groups) {
        if (tasks.size() < many_alive) continue;
        const model::Site* call = model.site(sites.first);
        if (call == nullptr || !in_users_code(place_of(*call))) continue;
        if (const Peak peak = peak_of(tasks); leaks(peak)) found.push_back(problem_of(model, peak));
    }
}

}  // namespace

extern const Rule task_leak{
    .name = "task_leak",
    .finds = "tasks made at one place only grow in number",
    .severity = Severity::warning,
    .ongoing = false,
    .needs = vocabulary::has_lines,
    .check = check_task_leak,
};

}  // namespace coroscope::analysis::rule
