// What the definitions and events of resources mean: locks, queues, sockets, groups of tasks, jobs on pool threads.
#include <algorithm>
#include <tuple>

#include "fold.hpp"

namespace coroscope::model {

Resource* Model::Fold::find_resource(ResourceId id) {
    const auto found = resources.find(id);
    return found == resources.end() ? nullptr : &found->second;
}

std::vector<const Resource*> Model::Fold::sorted_resources() const {
    std::vector<const Resource*> all;
    all.reserve(resources.size());
    for (const auto& [id, resource] : resources) all.push_back(&resource);
    std::sort(all.begin(), all.end(), [](const Resource* a, const Resource* b) { return a->id < b->id; });
    return all;
}

// A resource whose definition was lost is known by its id only.
Resource* Model::Fold::resource_or_placeholder(ResourceId id) {
    if (id == 0) {
        ++anomalies;
        return nullptr;
    }
    if (Resource* known = find_resource(id)) return known;
    if (resources.size() - closed_resources.size() >= limits.resources) {
        ++resources_refused;
        return nullptr;
    }
    Resource& made = resources[id];
    made.id = id;
    return &made;
}

void Model::Fold::define_resources(const v2::Batch& batch) {
    for (const v2::Resource& defined : batch.resources()) {
        Resource* resource = resource_or_placeholder(defined.id());
        if (resource == nullptr || resource->closed_ns != 0) continue;
        // Defined again after a reconnect: what the events said since stays.
        resource->type = static_cast<ResourceType>(std::min<std::uint32_t>(defined.type(), 0xffff));
        resource->name = defined.name();
        shorten(resource->name, limits.text_bytes);
        resource->created_at = defined.created_at();
        resource->created_by = defined.created_by();
        resource->created_ns = defined.created_ns();
        resource->capacity = defined.capacity();
        resource->parent = defined.parent();
        resource->system_id = defined.system_id();
    }
}

bool Model::Fold::close_resources(std::uint64_t until_ns) {
    for (; next_closed < current->closed_resources_size(); ++next_closed) {
        const v2::ClosedResource& closed = current->closed_resources(next_closed);
        if (closed.closed_ns() > until_ns) return false;
        Resource* resource = find_resource(closed.id());
        if (resource == nullptr) continue;  // it was made, and closed, while nobody listened
        if (resource->closed_ns != 0) {
            ++anomalies;
            continue;
        }
        if (closed.closed_ns() != 0) saw(closed.closed_ns());
        resource->closed_ns = std::max<std::uint64_t>({closed.closed_ns(), resource->created_ns, 1});
        closed_resources.push_back(closed.id());
    }
    for (; closed_resources.size() > limits.closed_resources; closed_resources.pop_front()) {
        forget_attributes(Of::resource, closed_resources.front());
        resources.erase(closed_resources.front());
    }
    return true;
}

void Model::Fold::resource_used(std::uint64_t time_ns, ResourceId id, std::uint64_t use, NodeId at) {
    Resource* resource = resource_or_placeholder(id);
    if (resource == nullptr) return;
    const ResourceUser user{vocabulary::task_of_use(use), static_cast<Role>(vocabulary::role_of(use)), time_ns, at};
    auto& users = resource->users;
    const auto same = std::find_if(users.begin(), users.end(), [&](const ResourceUser& each) {
        return each.task == user.task && each.role == user.role;
    });
    if (same != users.end()) return;
    ++resource->users_total;
    if (users.size() >= limits.resource_users) {
        if (users.empty()) return;
        users.erase(users.begin());
    }
    users.push_back(user);
}

void Model::Fold::resource_level(std::uint64_t time_ns, ResourceId id, std::uint64_t level) {
    Resource* resource = resource_or_placeholder(id);
    if (resource == nullptr || time_ns < resource->level_ns) return;  // another thread's news, of before
    resource->level = level;
    resource->level_ns = time_ns;
    if (level > resource->high_water) {
        // Until now it was at most half of the new maximum: it has doubled at once.
        if (resource->high_water <= level / 2) resource->low_ns = time_ns;
        resource->high_water = level;
        resource->high_water_ns = time_ns;
    }
    if (level <= resource->high_water / 2) resource->low_ns = time_ns;
}

void Model::Fold::unfinished(ResourceId id, std::uint64_t count) {
    if (Resource* resource = resource_or_placeholder(id)) resource->unfinished = count;
}

void Model::Fold::orphaned(std::uint64_t time_ns, ResourceId id) {
    if (Resource* resource = resource_or_placeholder(id)) resource->orphaned_ns = std::max<std::uint64_t>(time_ns, 1);
}

void Model::Fold::add_member(ResourceId id, TaskId member) {
    Resource* resource = resource_or_placeholder(id);
    if (resource == nullptr) return;
    auto& members = resource->members;
    // Members are listed anew after a reconnect, in the same order.
    if (std::find(members.begin(), members.end(), member) != members.end()) return;
    ++resource->members_total;
    if (members.size() < limits.resource_members) members.push_back(member);
}

void Model::Fold::set_owner(ResourceId id, TaskId owner, std::uint64_t time_ns) {
    Resource* resource = resource_or_placeholder(id);
    if (resource == nullptr || time_ns < resource->owner_ns) return;
    resource->owner = owner;
    resource->owner_ns = time_ns;
}

void Model::Fold::job_begin(ThreadEntry& on, std::uint64_t time_ns, ResourceId id, TaskId waiting) {
    Resource* job = resource_or_placeholder(id);
    if (job == nullptr) return;
    if (job->type == ResourceType::unknown) job->type = ResourceType::job;
    job->begun_ns = time_ns;
    job->ended_ns = 0;
    job->thread = on.id;
    job->job_of = waiting;
    if (Resource* pool = find_resource(job->parent)) resource_level(time_ns, pool->id, pool->level + 1);
}

void Model::Fold::job_end(std::uint64_t time_ns, ResourceId id) {
    Resource* job = resource_or_placeholder(id);
    if (job == nullptr || job->ended_ns != 0) return;
    job->ended_ns = std::max(time_ns, job->begun_ns);
    Resource* pool = find_resource(job->parent);
    if (pool != nullptr && pool->level != 0) resource_level(time_ns, pool->id, pool->level - 1);
}

const Resource* Model::resource(ResourceId id) const { return fold_->find_resource(id); }

std::vector<const Resource*> Model::resources() const { return fold_->sorted_resources(); }

std::vector<TaskId> Model::waiters(ResourceId id) const {
    Fold::Children& index = fold_->waiters;
    if (index.version != fold_->version) {
        index.version = fold_->version;
        index.of.clear();
        std::vector<const Task*> waiting;
        for (const Task* task : live_tasks())
            if (task->state == State::suspended && task->wait.resource() != 0) waiting.push_back(task);
        std::sort(waiting.begin(), waiting.end(), [](const Task* a, const Task* b) {
            return std::tie(a->changed_ns, a->id) < std::tie(b->changed_ns, b->id);
        });
        for (const Task* task : waiting) index.of[task->wait.resource()].push_back(task->id);
    }
    const auto found = index.of.find(id);
    return found == index.of.end() ? std::vector<TaskId>{} : found->second;
}

TaskId Model::owner(const Resource& resource) const {
    return resource.owner != 0 && !waiters(resource.id).empty() ? resource.owner : 0;
}

std::string Model::resource_words(ResourceId id) const {
    const Resource* known = resource(id);
    const auto type = static_cast<std::uint32_t>(known == nullptr ? ResourceType::unknown : known->type);
    std::string text(term_words(vocabulary::Table::resource_type, type));
    if (id == 0) return text;
    return known != nullptr && !known->name.empty() ? text + " '" + known->name + "'" : text + " " + std::to_string(id);
}

std::string Model::wait_words(const Wait& wait) const {
    std::string text(term_words(vocabulary::Table::verb, static_cast<std::uint32_t>(wait.verb)));
    const std::size_t at = text.find("{}");
    if (at == std::string::npos) return text;
    // A runtime need not say what exactly: no name is made up for it.
    if (wait.operand == 0 && wait.verb == Verb::unknown) return "something";
    if (wait.operand == 0 && wait.verb == Verb::join) return "tasks";
    std::string what;
    switch (vocabulary::row(wait.verb).operand) {
        case vocabulary::Operand::task: {
            const Task* other = task(wait.operand);
            what = other != nullptr ? task_name(*other) : "Task-" + std::to_string(wait.operand) + " (gone)";
            break;
        }
        case vocabulary::Operand::descriptor: what = "fd " + std::to_string(wait.operand); break;
        case vocabulary::Operand::resource:
            what = wait.operand == 0 ? vocabulary::thing_of(wait.verb) : resource_words(wait.operand);
            break;
        case vocabulary::Operand::due:
        case vocabulary::Operand::nothing: break;
    }
    return text.replace(at, 2, what);
}

std::uint64_t Model::resources_lost() const { return fold_->resources_lost; }
std::uint64_t Model::resources_refused() const { return fold_->resources_refused; }

}  // namespace coroscope::model
