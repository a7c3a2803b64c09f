// lock_held_long: a task held a lock for long while others waited for it.
//
// Nobody reports an acquire that need not wait. What is known: who held the lock when a wait for it began, and to whom
// it was handed over. So the time told is the least that it can have been. An owner that is stuck is told by
// deadlock and stuck_forever.
#include <algorithm>
#include <map>
#include <unordered_map>

#include "agent/analysis/evidence.hpp"
#include "agent/words/task.hpp"
#include "agent/words/where.hpp"
#include "proto/words/amount.hpp"

namespace coroscope::analysis::rule {

namespace {

constexpr std::uint64_t held_long_ns = 1'000'000'000;

struct Held {
    model::ResourceId lock = 0;
    model::TaskId owner = 0;
    std::uint64_t begin_ns = 0, end_ns = 0;
    std::size_t waiters = 0;
    model::TaskId waiter = 0;  // that waited longest
    model::NodeId at = 0;      // where the owner stood for most of the time; 0: unknown
    bool lasts = false;

    std::uint64_t held_ns() const { return end_ns - begin_ns; }
};

bool is_lock(const model::Resource* resource) {
    return resource != nullptr && resource->type == model::ResourceType::lock;
}

void find_lasting(const Inspection& seen, std::vector<Held>& all) {
    const model::Model& model = seen.model;
    for (const model::Resource* lock : model.resources()) {
        if (!is_lock(lock) || lock->owner == 0) continue;
        const auto waiters = model.waiters(lock->id);
        const model::TaskId owner = model.owner(*lock);
        const model::Task* holder = model.task(owner);
        if (waiters.empty() || holder == nullptr || holder->state == model::State::done || holder->incomplete) continue;
        Held held{lock->id, owner, lock->owner_ns, model.now_ns(), waiters.size(), waiters.front(), 0, true};
        // Whoever came while it held the lock, and still waits, has seen no other owner: waiters take turns.
        for (const model::TaskId id : waiters)
            if (const model::Task* waiter = model.task(id); waiter->wait.holder == owner && !waiter->incomplete)
                held.begin_ns = std::min(held.begin_ns, waiter->changed_ns);
        held.at = model.stands_at(*holder);
        if (held.begin_ns + held_long_ns <= held.end_ns && !seen.waits().is_stuck(owner)) all.push_back(held);
    }
}

// One wait for a lock that ended: it was handed over by the task that let go.
struct Handed {
    model::TaskId waiter = 0, by = 0;
    std::uint64_t since_ns = 0, at_ns = 0;
};
using Handovers = std::map<model::ResourceId, std::vector<Handed>>;

Handovers handovers_of(const model::Model& model, const model::Loop& loop) {
    struct Waiting {
        model::ResourceId lock = 0;
        std::uint64_t since_ns = 0;
    };
    std::unordered_map<model::TaskId, Waiting> waiting;
    Handovers all;
    for (const model::Slice& slice : loop.slices) {
        if (!waiting.empty()) {
            const auto found = waiting.find(slice.task);
            if (found != waiting.end()) {
                if (slice.woken_by != 0 && slice.ready_ns != 0)
                    all[found->second.lock].push_back(
                        {slice.task, slice.woken_by, found->second.since_ns, slice.ready_ns});
                waiting.erase(found);
            }
        }
        if (vocabulary::verb_of(slice.wait) != static_cast<std::uint8_t>(vocabulary::Verb::acquire)) continue;
        const model::ResourceId id = vocabulary::operand_of(slice.wait);
        if (slice.task != 0 && is_lock(model.resource(id))) waiting[slice.task] = {id, slice.end_ns};
    }
    for (auto& [lock, handed] : all) std::ranges::sort(handed, {}, &Handed::at_ns);
    return all;
}

// Where the task was suspended longest within a time; 0: it was not.
model::NodeId stood_at(const model::Loop& loop, model::TaskId task, std::uint64_t begin_ns, std::uint64_t end_ns) {
    const auto begins_before = [](const model::Slice& slice, std::uint64_t time) { return slice.begin_ns < time; };
    auto at = std::lower_bound(loop.slices.begin(), loop.slices.end(), begin_ns, begins_before);
    const model::Slice* last = nullptr;
    model::NodeId where = 0;
    std::uint64_t longest_ns = 0;
    for (; at != loop.slices.end() && at->begin_ns <= end_ns; ++at) {
        if (at->task != task) continue;
        if (last == nullptr) {
            if (at->begin_ns - begin_ns > longest_ns) where = at->began_at;
            longest_ns = std::max(longest_ns, at->begin_ns - begin_ns);
        } else if (at->begin_ns - last->end_ns > longest_ns) {
            where = last->ended_at;
            longest_ns = at->begin_ns - last->end_ns;
        }
        last = &*at;
    }
    return where;
}

void find_past(const model::Model& model, const model::Loop& loop, std::vector<Held>& all) {
    for (const auto& [lock, handed] : handovers_of(model, loop)) {
        std::unordered_map<model::TaskId, std::uint64_t> got;  // when it was last handed to a task
        for (std::size_t i = 0; i < handed.size(); ++i) {
            const Handed& each = handed[i];
            Held held{lock, each.by, each.since_ns, each.at_ns, 0, 0, 0, false};
            if (const auto found = got.find(each.by); found != got.end())
                held.begin_ns = std::max(held.begin_ns, found->second);
            got[each.waiter] = each.at_ns;
            if (held.begin_ns + held_long_ns > held.end_ns) continue;
            std::uint64_t longest_ns = 0;
            for (std::size_t j = i; j < handed.size(); ++j) {
                if (handed[j].since_ns >= held.end_ns) continue;
                ++held.waiters;
                const std::uint64_t waited_ns = held.end_ns - handed[j].since_ns;
                if (waited_ns > longest_ns) held.waiter = handed[j].waiter;
                longest_ns = std::max(longest_ns, waited_ns);
            }
            held.at = stood_at(loop, held.owner, held.begin_ns, held.end_ns);
            all.push_back(held);
        }
    }
}

Problem problem_of(const model::Model& model, const Held& held) {
    Problem problem;
    problem.task = held.owner;
    problem.time_ns = held.begin_ns;
    problem.duration_ns = held.held_ns();
    problem.stack = places(model.stack(held.at));
    problem.site = user_place(model, held.at);
    const std::string lock = model.resource_words(held.lock), owner = words::task_phrase(model, held.owner);
    const std::string time = words::duration(held.held_ns());
    problem.summary = owner + (held.lasts ? " has held " : " held ") + lock + " for at least " + time + " while " +
                      words::counted(held.waiters, "task", "tasks") + " waited for it";
    const words::Where stood = words::where(model, held.at);
    if (stood.known())
        problem.evidence = std::string(held.lasts ? "the owner stands " : "the owner stood most of that time ") +
                           words::at_text(stood) + "; ";
    problem.evidence += words::task_phrase(model, held.waiter) + (held.lasts ? " waits longest" : " waited longest");
    if (const model::Task* waiter = model.task(held.waiter); held.lasts && waiter != nullptr)
        problem.evidence += ", " + words::at_text(words::where(model, *waiter));
    problem.advice =
        "Hold a lock only while the shared state is read or changed: prepare and wait before it is taken, or after it "
        "is released.";
    return problem;
}

void check_lock_held_long(const Rule&, const Inspection& seen, std::vector<Problem>& found) {
    const model::Model& model = seen.model;
    bool any = false;  // nobody ever had to wait for a lock: the usual case
    for (const model::Resource* resource : model.resources()) any = any || (is_lock(resource) && resource->owner != 0);
    if (!any) return;
    std::vector<Held> all;
    find_lasting(seen, all);
    for (const auto& loop : model.loops()) find_past(model, *loop, all);
    for (const Held& held : all) found.push_back(problem_of(model, held));
}

}  // namespace

extern const Rule lock_held_long{
    .name = "lock_held_long",
    .finds = "a task held a lock for long while others waited for it",
    .severity = Severity::warning,
    .ongoing = false,
    .needs = vocabulary::has_waits | vocabulary::has_holders,
    .check = check_lock_held_long,
};

}  // namespace coroscope::analysis::rule
