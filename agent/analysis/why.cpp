#include "why.hpp"

#include <algorithm>

#include "agent/words/task.hpp"
#include "agent/words/where.hpp"
#include "evidence.hpp"
#include "jobs.hpp"
#include "proto/words/amount.hpp"

namespace coroscope::analysis {

namespace {

using model::TaskId;
using Need = WaitGraph::Need;

constexpr std::size_t most_named = 3;  // of several

std::string at(const model::Model& model, model::NodeId node) {
    return node == 0 ? std::string() : " " + words::at_text(words::where(model, node));
}

// The wait itself names the owner.
std::string owner_text(const model::Model& model, const model::Resource& resource, const WaitGraph::Edge& owner) {
    std::string text;
    const std::string name = "'" + words::task_name(model, owner.to) + "'";
    if (owner.use.at != 0) text += "; " + name + " first took it" + at(model, owner.use.at);
    const model::Task* holder = model.task(owner.to);
    if (holder != nullptr && holder->state == model::State::done)
        text += "; " + name + " ended " + words::duration(model.in_state_ns(*holder)) + " ago without releasing it";
    const std::size_t waiters = model.waiters(resource.id).size();
    if (waiters > 1) text += "; " + std::to_string(waiters) + " tasks wait for it";
    return text;
}

std::string list_text(std::size_t all, const std::vector<std::string>& named) {
    std::string text;
    for (const std::string& each : named) text += (text.empty() ? "" : "; ") + each;
    if (all > named.size()) text += "; and " + std::to_string(all - named.size()) + " more";
    return text;
}

std::string feeders_text(const model::Model& model, const Need& need) {
    std::vector<std::string> named;
    const std::size_t all = need.ended.size() + need.edges.size();
    for (const auto* list : {&need.ended, &need.edges})
        for (const WaitGraph::Edge& edge : *list)
            if (named.size() < most_named) named.push_back(feeder_text(model, edge));
    return all == 0 ? "" : "; so far " + list_text(all, named);
}

std::string members_text(const model::Model& model, const Need& need) {
    if (need.edges.empty()) return {};
    std::vector<std::string> named;
    for (const WaitGraph::Edge& edge : need.edges)
        if (named.size() < most_named) named.push_back(words::task_phrase(model, edge.to));
    const std::size_t all = need.edges.size() + need.ended.size();
    return "; of its " + words::counted(all, "task", "tasks") +
           " these have not ended: " + list_text(need.edges.size(), named);
}

// Of a job, or of a subprocess: what keeps it.
std::string outside_text(const model::Model& model, const model::Resource& resource, model::Verb verb) {
    if (verb == model::Verb::job && resource.type == model::ResourceType::job) {
        if (resource.begun_ns != 0) return {};
        const std::size_t running = running_jobs(model, resource.parent).size();
        return "; no thread has begun it: " + words::counted(running, "job runs", "jobs run") + " in its pool";
    }
    if (verb != model::Verb::exit) return {};
    std::string text;
    if (resource.system_id != 0) text += "; its process id is " + std::to_string(resource.system_id);
    for (const model::Resource* pipe : model.resources())
        if (pipe->parent == resource.id && pipe->level != 0 && model.waiters(pipe->id).empty())
            text += "; " + std::to_string(pipe->level) + " bytes of its " + pipe->name +
                    " are unread, and no task reads them";
    return text;
}

std::string level_text(const model::Resource& resource, model::Verb verb) {
    if (verb == model::Verb::all_done && resource.unfinished != 0)
        return "; " + words::counted(resource.unfinished, "item is", "items are") +
               " unfinished: task_done() was not called for " + (resource.unfinished == 1 ? "it" : "them");
    if (verb == model::Verb::put && resource.capacity != 0)
        return "; it is full with " + words::counted(resource.level, "item", "items");
    return {};
}

}  // namespace

std::string feeder_text(const model::Model& model, const WaitGraph::Edge& feeder) {
    std::string text;
    if (feeder.use.role != model::Role::unknown)
        text =
            std::string(model.term_words(vocabulary::Table::role, static_cast<std::uint32_t>(feeder.use.role))) + " ";
    text += words::task_phrase(model, feeder.to) + at(model, feeder.use.at);
    const model::Task* task = model.task(feeder.to);
    if (task == nullptr || task->state != model::State::done) return text;
    return text + ", which " + words::duration(model.in_state_ns(*task)) + " ago " + words::status(model, *task);
}

Part wait_part(const model::Model& model, const WaitGraph& graph, TaskId id) {
    Part part;
    part.task = id;
    const model::Task* task = model.task(id);
    if (task == nullptr) {
        part.text = words::task_phrase(model, id) + " is not known any more";
        return part;
    }
    part.site = user_place(model, model.stands_at(*task));
    part.text = words::task_phrase(model, id) + " " + words::status(model, *task);
    if (task->state == model::State::done) return part;
    part.text += " " + words::at_text(words::where(model, *task));
    if (task->state != model::State::suspended) return part;
    const Need& need = graph.need(id);
    if (const model::Resource* resource = model.resource(task->wait.resource())) {
        part.text += level_text(*resource, task->wait.verb);
        part.text += outside_text(model, *resource, task->wait.verb);
        const std::vector<WaitGraph::Edge>& any = need.edges.empty() ? need.ended : need.edges;
        const auto reason = any.empty() ? WaitGraph::Reason::joined : any.front().reason;
        if (reason == WaitGraph::Reason::owner) part.text += owner_text(model, *resource, any.front());
        if (reason == WaitGraph::Reason::feeder) part.text += feeders_text(model, need);
        if (reason == WaitGraph::Reason::member) part.text += members_text(model, need);
    }
    if (task->time_limits != 0) part.text += "; a time limit will end the wait";
    return part;
}

std::vector<Part> why(const model::Model& model, const WaitGraph& graph, TaskId task) {
    std::vector<Part> chain;
    while (true) {
        const auto before = std::ranges::find(chain, task, &Part::task);
        if (before != chain.end()) {
            chain.back().text += before == std::prev(chain.end()) ? ": it waits for itself" : ": this closes a circle";
            return chain;
        }
        chain.push_back(wait_part(model, graph, task));
        const std::vector<WaitGraph::Edge>& edges = graph.need(task).edges;
        if (edges.empty()) return chain;
        const auto stuck = std::ranges::find_if(edges, [&](const auto& edge) { return graph.is_stuck(edge.to); });
        task = (stuck == edges.end() ? edges.front() : *stuck).to;
    }
}

}  // namespace coroscope::analysis
