// queue_backlog: an unbounded queue grows and grows: its consumers are slower than its producers.
//
// A burst that is worked off is none: the queue must have been above half of its maximum for a while, and must have
// reached that maximum only now. A bounded queue makes its producers wait, which is as it should be.
#include <algorithm>

#include "agent/analysis/evidence.hpp"
#include "agent/words/task.hpp"
#include "agent/words/where.hpp"
#include "proto/words/amount.hpp"

namespace coroscope::analysis::rule {

namespace {

constexpr std::uint64_t many_items = 100;
constexpr std::uint64_t backlog_long_ns = 2'000'000'000;

// "task 'a' (produce), task 'b' (produce) and 3 more"
std::string users_text(const model::Model& model, const model::Resource& queue, model::Role role) {
    constexpr std::size_t most_named = 3;
    std::string text;
    std::size_t count = 0;
    for (const model::ResourceUser& user : queue.users) {
        if (user.role != role || user.task == 0) continue;
        if (++count > most_named) continue;
        text += (text.empty() ? "" : ", ") + words::task_phrase(model, user.task);
        if (user.at != 0) text += " " + words::at_text(words::where(model, user.at));
    }
    if (count > most_named) text += " and " + std::to_string(count - most_named) + " more";
    return text;
}

void check_queue_backlog(const Rule&, const Inspection& seen, std::vector<Problem>& found) {
    const model::Model& model = seen.model;
    for (const model::Resource* queue : model.resources()) {
        if (queue->type != model::ResourceType::queue || queue->capacity != 0 || queue->level < many_items) continue;
        const std::uint64_t end_ns = queue->closed_ns != 0 ? queue->closed_ns : model.now_ns();
        if (queue->low_ns == 0 || end_ns < queue->low_ns + backlog_long_ns) continue;
        const std::uint64_t above_ns = end_ns - queue->low_ns;
        if (queue->high_water_ns + above_ns / 5 < end_ns) continue;         // it has stopped to grow
        if (queue->level < queue->high_water / 10 * 9) continue;            // it falls
        if (queue->high_water_ns < queue->low_ns + above_ns / 2) continue;  // it rose at once and stands since
        Problem problem;
        problem.time_ns = queue->low_ns;
        problem.duration_ns = above_ns;
        problem.stack = places(model.stack(queue->created_at));
        problem.site = user_place(model, queue->created_at);
        const std::string name = model.resource_words(queue->id), items = words::full_count(queue->level);
        problem.summary = name + " grows: " + items + " items wait in it";
        problem.evidence = "it has no limit; " + items + " items are in it, the maximum was " +
                           words::full_count(queue->high_water) + ", and for " + words::duration(above_ns) +
                           " it has not fallen to half of its maximum";
        if (const std::string producers = users_text(model, *queue, model::Role::put); !producers.empty())
            problem.evidence += "; put by " + producers;
        const std::string consumers = users_text(model, *queue, model::Role::get);
        problem.evidence += consumers.empty() ? "; nobody is known to have taken an item" : "; taken by " + consumers;
        problem.certainty = Certainty::likely;
        problem.advice =
            "Give the queue a limit, so that put() waits while it is full, and run more consumers or make them faster. "
            "Without a limit the items fill the memory, and each waits longer than the one before.";
        found.push_back(std::move(problem));
    }
}

}  // namespace

extern const Rule queue_backlog{
    .name = "queue_backlog",
    .finds = "an unbounded queue grows because its consumers are too slow",
    .severity = Severity::warning,
    .ongoing = false,
    .check = check_queue_backlog,
};

}  // namespace coroscope::analysis::rule
