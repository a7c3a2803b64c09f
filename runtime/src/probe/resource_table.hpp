// The resources of all runtimes of the process: what they are, for as long as they live. std only.
//
// Like the other definitions, they do not pass through the rings. Bound: `max_live`; overflow policy: the newest is not
// defined; counter: lost().
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "clock.hpp"
#include "definitions.hpp"

namespace coroscope::probe {

struct ResourceDefinition {
    std::uint64_t id = 0;
    std::uint32_t type = 0;  // a vocabulary::ResourceType, or from Definitions::define_type()
    NodeId created_at = 0;
    std::string name{};  // given by the app; often empty
    std::uint64_t created_by = 0;
    Stamp created = 0;
    std::int64_t capacity = 0;
    std::uint64_t parent = 0;
    std::uint64_t system_id = 0;
};

struct ClosedResource {
    std::uint64_t id = 0;
    Stamp closed = 0;
};

class ResourceTable {
public:
    static constexpr std::size_t max_live = 1 << 18;

    bool add(ResourceDefinition&& resource);  // false: it counts as lost
    void close(std::uint64_t id, Stamp when);
    void rename(std::uint64_t id, const std::string& name);  // it is defined anew
    // It is no more, and nobody takes what happens: it leaves nothing behind.
    void drop(std::uint64_t id);
    std::optional<ResourceDefinition> find(std::uint64_t id);  // if it lives

    // What is new since the last call; with `all`, every live resource. Drainer.
    struct News {
        std::vector<ResourceDefinition> defined;
        std::vector<ClosedResource> closed;
        std::uint64_t lost = 0;  // since the start
    };
    void take(News& news, bool all);

    std::mutex& mutex() noexcept { return mutex_; }  // held while the process forks

private:
    struct Live {
        ResourceDefinition resource;
        bool taken = false;  // by the drainer, once at least
    };

    std::mutex mutex_;
    std::unordered_map<std::uint64_t, Live> live_;  // under mutex_, as all below
    std::vector<std::uint64_t> new_;                // ids; some may not be live any more
    std::vector<ResourceDefinition> gone_;          // closed before anybody took their definition
    std::vector<ClosedResource> closed_;
    std::uint64_t lost_ = 0;
};

}  // namespace coroscope::probe
