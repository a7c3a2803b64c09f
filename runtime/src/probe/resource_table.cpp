#include "resource_table.hpp"

#include <utility>

namespace coroscope::probe {

bool ResourceTable::add(ResourceDefinition&& resource) {
    const std::scoped_lock lock(mutex_);
    if (live_.size() + closed_.size() >= max_live) {
        ++lost_;
        return false;
    }
    const std::uint64_t id = resource.id;
    new_.push_back(id);
    live_.emplace(id, Live{std::move(resource)});
    return true;
}

void ResourceTable::close(std::uint64_t id, Stamp when) {
    const std::scoped_lock lock(mutex_);
    const auto found = live_.find(id);
    if (found == live_.end()) return;
    closed_.push_back({id, when});
    if (!found->second.taken) gone_.push_back(std::move(found->second.resource));
    live_.erase(found);
}

void ResourceTable::rename(std::uint64_t id, const std::string& name) {
    const std::scoped_lock lock(mutex_);
    const auto found = live_.find(id);
    if (found == live_.end()) return;
    new_.push_back(id);
    found->second.resource.name = name;
}

void ResourceTable::drop(std::uint64_t id) {
    const std::scoped_lock lock(mutex_);
    live_.erase(id);
}

std::optional<ResourceDefinition> ResourceTable::find(std::uint64_t id) {
    const std::scoped_lock lock(mutex_);
    const auto found = live_.find(id);
    return found == live_.end() ? std::nullopt : std::optional(found->second.resource);
}

void ResourceTable::take(News& news, bool all) {
    const std::scoped_lock lock(mutex_);
    news.defined = std::exchange(gone_, {});
    news.closed = std::exchange(closed_, {});
    news.lost = lost_;
    const auto define = [&](Live& live) {
        live.taken = true;
        news.defined.push_back(live.resource);
    };
    if (all) {
        for (auto& [id, live] : live_) define(live);
    } else {
        for (const std::uint64_t id : new_)
            if (const auto found = live_.find(id); found != live_.end()) define(found->second);
    }
    new_.clear();
}

}  // namespace coroscope::probe
