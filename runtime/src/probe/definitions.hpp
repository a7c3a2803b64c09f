// Sites, stacks (a calling-context tree), names, values and types: interned once, referred to by an id ever after. std
// only.
//
// Definitions do not pass through the rings, so a full ring never loses one. A record that uses an id is pushed after
// the id's definition was stored here, so whoever drains a ring and *then* reads the tables has every definition it
// needs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <source_location>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <variant>
#include <vector>

#include "coroscope/vocabulary.hpp"

namespace coroscope::probe {

using SiteId = std::uint32_t;  // 0: none, here and below
using NodeId = std::uint32_t;
using NameId = std::uint32_t;
using ValueId = std::uint32_t;

using vocabulary::NodeKind;

struct SiteDefinition {
    const char* function;  // strings live as long as the program
    const char* file;
    std::uint32_t line;
    std::uint32_t column;
    std::uint32_t flags;  // CS_SITE_...
};

struct NodeDefinition {
    NodeId parent;
    SiteId site;
    NodeKind kind;
};

using ValueDefinition = std::variant<std::string, std::int64_t, double, bool>;

// A type of resource that an adapter defined: "asyncio.Lock". Its number is vocabulary::first_adapter_type + index.
struct TypeDefinition {
    std::string name;
    std::string words;
};

// All threads share one; only misses of the per-thread caches come here, so a mutex is enough.
class Definitions {
public:
    // Named bounds. Past them, ids become 0 and a stack is cut off at the deepest node that exists.
    static constexpr std::size_t max_sites = 1 << 16;
    static constexpr std::size_t max_nodes = 1 << 18;
    static constexpr std::size_t max_names = 1 << 16;
    static constexpr std::size_t max_values = 1 << 16;
    static constexpr std::size_t max_types = 256;
    static constexpr std::size_t max_name_bytes = 256;    // a longer name is cut off
    static constexpr std::size_t max_value_bytes = 1024;  // a longer value is cut off
    static constexpr std::size_t max_place_bytes = 4096;  // and so is a longer name of a function or file

    // The strings are copied. `flags` count for the first definition of a place.
    SiteId intern_site(std::string_view function, std::string_view file, std::uint32_t line, std::uint32_t column,
                       std::uint32_t flags);
    // The node for `site` under `parent`. Recursion folds: a frame (or task) node whose own site and call site stand
    // already among its ancestors is that ancestor. Amortised O(depth) on creation, one hash look-up otherwise.
    // A site or kind that there is not gives `parent`, a parent that there is not counts as none.
    NodeId intern_node(NodeId parent, SiteId site, NodeKind kind);
    NodeId intern_node(NodeId parent, const std::source_location& location, NodeKind kind);
    NameId intern_name(std::string_view text);
    ValueId intern_value(ValueDefinition value);
    std::uint32_t define_type(std::string_view name, std::string_view words);

    // Copies what was defined since the sizes given, and advances them. Drainer.
    struct Cursor {
        std::size_t sites = 0, nodes = 0, names = 0, values = 0, types = 0;
    };
    struct News {
        std::vector<SiteDefinition> sites;
        std::vector<NodeDefinition> nodes;
        std::vector<std::string> names;
        std::vector<ValueDefinition> values;
        std::vector<TypeDefinition> types;
    };
    void read_since(Cursor& cursor, News& news) const;

    std::vector<NodeDefinition> path(NodeId node) const;  // innermost first
    SiteDefinition site(SiteId id) const;
    std::string name(NameId id) const;  // "" for 0

    // Held while the process forks, so that the child finds the tables whole.
    std::mutex& mutex() noexcept { return mutex_; }

private:
    const char* keep(std::string_view text);

    struct NodeKey {
        std::uint64_t parent_and_kind, site;
        bool operator==(const NodeKey&) const = default;
    };
    struct NodeKeyHash {
        std::size_t operator()(const NodeKey& key) const noexcept {
            return (key.parent_and_kind * 0x9e3779b97f4a7c15u) ^ (key.site * 0xc2b2ae3d27d4eb4fu);
        }
    };

    mutable std::mutex mutex_;
    std::vector<SiteDefinition> sites_;  // id - 1 is the index, here and below
    std::vector<NodeDefinition> nodes_;
    std::vector<std::string> names_;
    std::vector<ValueDefinition> values_;
    std::vector<TypeDefinition> types_;
    std::unordered_set<std::string> strings_;           // of sites
    std::unordered_map<std::string, SiteId> site_ids_;  // by file:line:column:function
    std::unordered_map<NodeKey, NodeId, NodeKeyHash> node_ids_;
    std::unordered_map<std::string, NameId> name_ids_;
    std::unordered_map<ValueDefinition, ValueId> value_ids_;
};

// The name of its function for a person.
std::string readable_name(const SiteDefinition& site);

}  // namespace coroscope::probe
