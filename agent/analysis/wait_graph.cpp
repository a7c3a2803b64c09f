#include "wait_graph.hpp"

#include <algorithm>
#include <deque>
#include <initializer_list>
#include <unordered_set>

namespace coroscope::analysis {

namespace {

using model::ResourceType;
using model::Role;
using model::Task;
using model::TaskId;
using model::Verb;
using From = WaitGraph::Need::From;

// A wait that only tasks can end is looked at when it has lasted a moment: what ends it may be under way.
constexpr std::uint64_t moment_ns = 200'000'000;
// A loop that can do nothing is believed to stay so when it has been so for longer than the app takes to say what
// threads it has: a heartbeat.
constexpr std::uint64_t rest_ns = 600'000'000;

// The roles in which a task ends such a wait; empty: other things end it.
std::initializer_list<Role> feeding_roles(Verb verb, const model::Resource& resource) {
    static constexpr auto puts = {Role::put};
    static constexpr auto gets = {Role::get};
    static constexpr auto does_items = {Role::get, Role::item_done};
    static constexpr auto sets = {Role::set};
    static constexpr auto notifies = {Role::notify};
    static constexpr auto acquires = {Role::acquire};
    static constexpr auto releases = {Role::release};
    switch (verb) {
        case Verb::get: return puts;
        case Verb::put: return gets;
        case Verb::all_done: return does_items;
        case Verb::until_set: return sets;
        case Verb::notification: return notifies;
        case Verb::acquire: return resource.capacity != 0 ? acquires : releases;  // without permits, it is a signal
        default: return {};
    }
}

bool is_outside(Verb verb) {
    switch (verb) {
        case Verb::join:
        case Verb::members:
        case Verb::get:
        case Verb::put:
        case Verb::all_done:
        case Verb::acquire:
        case Verb::until_set:
        case Verb::notification:
        case Verb::others:
        case Verb::result: return false;
        default: return true;
    }
}

bool ended_badly(const Task& task) {
    return task.outcome == model::Outcome::error || task.outcome == model::Outcome::cancelled;
}

bool is_semaphore(const model::Resource& resource) {
    return resource.type == ResourceType::semaphore || resource.type == ResourceType::bounded_semaphore;
}

bool nothing_can_happen(const model::Model& model) {
    bool any = false;
    for (const auto& loop : model.loops()) {
        if (!loop->running) continue;
        any = true;
        if (loop->idle_since_ns == 0 || loop->idle_watched != 0 || loop->foreign_wakes != 0) return false;
        if (loop->idle_since_ns + rest_ns > model.now_ns()) return false;
    }
    if (!any || model.other_threads().value_or(0) != 0) return false;
    return std::ranges::all_of(model.live_tasks(), [&](const Task* task) {
        return task->state == model::State::suspended && model.state_known(*task) && task->time_limits == 0 &&
               !is_outside(task->wait.verb);
    });
}

}  // namespace

WaitGraph::WaitGraph(const model::Model& model) : model_(model), quiescent_(nothing_can_happen(model)) {
    find_needs();
    find_stuck();
    find_circles();
    find_dead_ends();
}

const WaitGraph::Need& WaitGraph::need(TaskId task) const {
    static const Need unknown;
    const auto found = needs_.find(task);
    return found == needs_.end() ? unknown : found->second;
}

void WaitGraph::find_needs() {
    for (const Task* task : model_.live_tasks()) {
        const Need& need = needs_[task->id] = need_of(*task);
        for (const Edge& edge : need.edges) needed_by_[edge.to].push_back(task->id);
    }
}

WaitGraph::Need WaitGraph::need_of(const Task& task) const {
    Need need;
    if (!model_.state_known(task)) return need;
    if (task.state != model::State::suspended || task.time_limits != 0 || is_outside(task.wait.verb)) {
        need.from = From::outside;
        return need;
    }
    if (const TaskId joined = task.wait.task(); joined != 0) {
        const Task* other = model_.task(joined);
        if (other == nullptr) return need;
        need.others_possible = false;
        (other->state == model::State::done ? need.ended : need.edges).push_back({joined, Reason::joined, {}});
        need.from = other->state == model::State::done ? From::outside : From::tasks;  // it is about to be woken
        return need;
    }
    return need_of_resource(task);
}

WaitGraph::Need WaitGraph::need_of_resource(const Task& task) const {
    Need need;
    const model::Resource* resource = model_.resource(task.wait.resource());
    if (resource == nullptr) return need;
    if (task.wait.verb == Verb::members) {
        if (resource->members_total > resource->members.size()) return need;
        need.others_possible = false;
        for (const TaskId member : resource->members) {
            const Task* other = model_.task(member);
            const bool alive = other != nullptr && other->state != model::State::done;
            (alive ? need.edges : need.ended).push_back({member, Reason::member, {}});
        }
        need.from = need.edges.empty() ? From::unknown : From::tasks;
        return need;
    }
    if (task.wait.verb == Verb::acquire && resource->type == ResourceType::lock) {
        const TaskId owner = model_.owner(*resource);
        const Task* holder = model_.task(owner);
        if (holder == nullptr) return need;
        Edge edge{owner, Reason::owner, {}};
        for (const model::ResourceUser& user : resource->users)
            if (user.task == owner && user.role == Role::acquire) edge.use = user;
        need.others_possible = false;
        need.from = From::tasks;
        (holder->state == model::State::done ? need.ended : need.edges).push_back(edge);
        return need;
    }
    if (resource->orphaned_ns != 0) {
        need.from = From::tasks;  // of which there is none
        return need;
    }
    add_feeders(*resource, task, need);
    return need;
}

// Whoever fed it once may do it again.
void WaitGraph::add_feeders(const model::Resource& resource, const Task& task, Need& need) const {
    const auto roles = feeding_roles(task.wait.verb, resource);
    bool all_known = resource.users_total == resource.users.size();
    std::size_t holders = 0;
    for (const model::ResourceUser& user : resource.users) {
        if (std::ranges::find(roles, user.role) == roles.end()) continue;
        const Task* feeder = model_.task(user.task);
        const Edge edge{user.task, Reason::feeder, user};
        if (feeder == nullptr) {
            all_known = false;  // a callback, or a task that is forgotten
        } else if (feeder->state == model::State::done) {
            const bool again = std::ranges::find(need.ended, edge.to, &Edge::to) != need.ended.end();
            if (!again) need.ended.push_back(edge);
        } else if (std::ranges::find(need.edges, edge.to, &Edge::to) == need.edges.end()) {
            need.edges.push_back(edge);
            ++holders;
        }
    }
    if (is_semaphore(resource) && resource.capacity != 0) {
        // Those that hold its permits are known if there are as many of them as permits; who has ended holds none.
        need.ended.clear();
        all_known = all_known && holders >= static_cast<std::size_t>(resource.capacity);
    }
    need.from = all_known && !(need.edges.empty() && need.ended.empty()) ? From::tasks : From::unknown;
}

bool WaitGraph::is_orphaned(const Task& task) const {
    const model::Resource* resource = model_.resource(task.wait.resource());
    return resource != nullptr && task.wait.verb == Verb::result && resource->orphaned_ns != 0;
}

// Known feeders that came and went do not mean that no other will come; those that failed were meant to be there.
bool WaitGraph::is_dead_end(const Task& task, const Need& need) const {
    if (need.from != From::tasks || !need.edges.empty()) return false;
    if (is_orphaned(task)) return task.changed_ns + moment_ns <= model_.now_ns();
    if (need.ended.empty()) return false;
    if (need.ended.front().reason == Reason::owner) return true;
    if (need.ended.front().reason != Reason::feeder || task.changed_ns + moment_ns > model_.now_ns()) return false;
    return std::ranges::all_of(need.ended, [&](const Edge& edge) { return ended_badly(*model_.task(edge.to)); });
}

bool WaitGraph::holds(TaskId id, const Need& need) const {
    if (need.from != From::tasks) return false;
    const Task& task = *model_.task(id);
    if (need.edges.empty()) return is_dead_end(task, need);
    if (need.edges.front().reason == Reason::feeder) {
        if (task.changed_ns + moment_ns > model_.now_ns()) return false;
        const auto came_and_went = [&](const Edge& edge) { return !ended_badly(*model_.task(edge.to)); };
        if (std::ranges::any_of(need.ended, came_and_went)) return false;
    }
    return std::ranges::all_of(need.edges, [&](const Edge& edge) { return stuck_.contains(edge.to); });
}

// The greatest set in which each task needs tasks of the set only.
void WaitGraph::find_stuck() {
    for (const auto& [task, need] : needs_)
        if (quiescent_ || need.from == From::tasks) stuck_[task] = true;
    if (quiescent_) return;
    std::vector<TaskId> to_check;
    for (const auto& [task, is] : stuck_) to_check.push_back(task);
    while (!to_check.empty()) {
        const TaskId task = to_check.back();
        to_check.pop_back();
        if (!stuck_.contains(task) || holds(task, needs_.at(task))) continue;
        stuck_.erase(task);
        const auto needed_by = needed_by_.find(task);
        if (needed_by != needed_by_.end())
            to_check.insert(to_check.end(), needed_by->second.begin(), needed_by->second.end());
    }
}

// The strongly connected components of the stuck tasks (Tarjan's algorithm, without recursion).
void WaitGraph::find_circles() {
    struct Visit {
        std::size_t index = 0, low = 0;
        bool on_stack = false;
    };
    struct Step {
        TaskId task = 0;
        std::size_t next_edge = 0;
    };
    std::unordered_map<TaskId, Visit> visits;
    std::vector<TaskId> stack, starts;
    for (const auto& [task, is] : stuck_) starts.push_back(task);
    std::ranges::sort(starts);
    for (const TaskId start : starts) {
        if (visits.contains(start)) continue;
        std::vector<Step> way;
        const auto enter = [&](TaskId task) {
            const std::size_t index = visits.size() + 1;
            visits[task] = {index, index, true};
            stack.push_back(task);
            way.push_back({task, 0});
        };
        enter(start);
        while (!way.empty()) {
            Step& step = way.back();
            const std::vector<Edge>& edges = needs_.at(step.task).edges;
            if (step.next_edge < edges.size()) {
                const TaskId to = edges[step.next_edge++].to;
                if (!stuck_.contains(to)) continue;
                const auto seen = visits.find(to);
                if (seen == visits.end()) {
                    enter(to);
                } else if (seen->second.on_stack) {
                    Visit& here = visits[step.task];
                    here.low = std::min(here.low, seen->second.index);
                }
                continue;
            }
            const TaskId task = step.task;
            const Visit visit = visits[task];
            way.pop_back();
            if (!way.empty()) {
                Visit& before = visits[way.back().task];
                before.low = std::min(before.low, visit.low);
            }
            if (visit.low != visit.index) continue;
            std::vector<TaskId> component;
            do {
                component.push_back(stack.back());
                visits[stack.back()].on_stack = false;
                stack.pop_back();
            } while (component.back() != task);
            add_circle(component);
        }
    }
}

void WaitGraph::add_circle(const std::vector<TaskId>& component) {
    Circle circle;
    circle.tasks = shortest_circle(component);
    if (circle.tasks.empty() || !is_evidence(circle.tasks)) return;
    const bool by_feeders = std::ranges::any_of(
        circle.tasks, [&](TaskId task) { return needs_.at(task).edges.front().reason == Reason::feeder; });
    circle.certainty = by_feeders && !quiescent_ ? Certainty::likely : Certainty::certain;
    circle.waiting = waiting_for(circle.tasks);
    circles_.push_back(std::move(circle));
}

// Through the task of the component with the least id; empty: there is none.
std::vector<TaskId> WaitGraph::shortest_circle(const std::vector<TaskId>& component) const {
    const std::unordered_set<TaskId> inside(component.begin(), component.end());
    const TaskId start = *std::ranges::min_element(component);
    std::unordered_map<TaskId, TaskId> came_from;
    std::deque<TaskId> queue{start};
    while (!queue.empty()) {
        const TaskId task = queue.front();
        queue.pop_front();
        for (const Edge& edge : needs_.at(task).edges) {
            if (edge.to == start) {
                std::vector<TaskId> circle;
                for (TaskId at = task; at != start; at = came_from.at(at)) circle.push_back(at);
                circle.push_back(start);
                std::ranges::reverse(circle);
                return circle;
            }
            if (inside.contains(edge.to) && came_from.try_emplace(edge.to, task).second) queue.push_back(edge.to);
        }
    }
    return {};
}

// Tasks that all wait in the same way on the same queue, semaphore or event, and all fed it before, are at rest, as
// workers are that give each other work: another task can be the one that feeds them next. A task that holds the only
// permit of a semaphore and wants it again waits for itself.
bool WaitGraph::is_evidence(const std::vector<TaskId>& circle) const {
    const Task& first = *model_.task(circle.front());
    if (quiescent_ || needs_.at(first.id).edges.front().reason != Reason::feeder) return true;
    const auto waits_alike = [&](TaskId id) {
        const Task& task = *model_.task(id);
        return task.wait.verb == first.wait.verb && task.wait.operand == first.wait.operand;
    };
    if (!std::ranges::all_of(circle, waits_alike)) return true;
    const model::Resource& resource = *model_.resource(first.wait.resource());
    return circle.size() == 1 && is_semaphore(resource) && resource.capacity == 1;
}

void WaitGraph::find_dead_ends() {
    std::vector<TaskId> all;
    for (const auto& [task, is] : stuck_) all.push_back(task);
    std::ranges::sort(all);
    for (const TaskId id : all) {
        const Need& need = needs_.at(id);
        if (std::ranges::any_of(need.edges, [&](const Edge& edge) { return stuck_.contains(edge.to); })) continue;
        DeadEnd end;
        end.task = id;
        const bool owned = !need.ended.empty() && need.ended.front().reason == Reason::owner;
        if (owned) {
            end.cause = DeadEnd::Cause::owner_ended;
        } else if (is_dead_end(*model_.task(id), need)) {
            end.cause = is_orphaned(*model_.task(id)) ? DeadEnd::Cause::orphaned : DeadEnd::Cause::feeders_failed;
            end.certainty = quiescent_ ? Certainty::certain : Certainty::likely;
        }
        // Where it is not known whether there are other threads, one could be there.
        if (quiescent_ && !owned && !model_.other_threads()) end.certainty = Certainty::likely;
        end.waiting = waiting_for({id});
        dead_ends_.push_back(std::move(end));
    }
}

std::vector<TaskId> WaitGraph::waiting_for(const std::vector<TaskId>& tasks) const {
    std::unordered_set<TaskId> seen(tasks.begin(), tasks.end());
    std::vector<TaskId> all, to_visit = tasks;
    while (!to_visit.empty()) {
        const auto needed_by = needed_by_.find(to_visit.back());
        to_visit.pop_back();
        if (needed_by == needed_by_.end()) continue;
        for (const TaskId task : needed_by->second) {
            if (!stuck_.contains(task) || !seen.insert(task).second) continue;
            all.push_back(task);
            to_visit.push_back(task);
        }
    }
    std::ranges::sort(all);
    return all;
}

}  // namespace coroscope::analysis
