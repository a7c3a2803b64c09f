// Sites, stacks (a calling-context tree) and names: interned once, referred to by a 32-bit id ever after. std only.
//
// Definitions do not pass through the rings, so a full ring never loses one. A record that uses an id is pushed after
// the id's definition was stored here, so whoever drains a ring and *then* reads the tables has every definition it
// needs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <source_location>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "coroscope/vocabulary.hpp"

namespace coroscope::probe {

using NodeId = std::uint32_t;  // 0: none
using NameId = std::uint32_t;  // 0: none

using vocabulary::NodeKind;

struct SiteDefinition {
    const char* function;  // as the compiler names it; strings live as long as the program
    const char* file;
    std::uint32_t line;
    std::uint32_t column;
};

struct NodeDefinition {
    NodeId parent;
    std::uint32_t site;
    NodeKind kind;
};

// All threads share one; only misses of the per-thread cache come here, so a mutex is enough.
class Definitions {
public:
    // Named bounds. Past them, sites and names become 0 and a stack is cut off at the deepest node that exists.
    static constexpr std::size_t max_sites = 1 << 16;
    static constexpr std::size_t max_nodes = 1 << 18;
    static constexpr std::size_t max_names = 1 << 16;
    static constexpr std::size_t max_name_bytes = 256;  // a longer name is cut off

    // The node for `site` under `parent`. Recursion folds: a frame (or task) node whose own site and call site stand
    // already among its ancestors is that ancestor. Amortised O(depth) on creation, one hash look-up otherwise.
    NodeId intern_node(NodeId parent, const std::source_location& site, NodeKind kind);
    NameId intern_name(std::string_view text);
    // A site that no coroutine reported (a resolved native frame, say). The strings are copied.
    std::uint32_t intern_site(std::string_view function, std::string_view file, std::uint32_t line,
                              std::uint32_t column);

    // Copies what was defined since the sizes given, and advances them. Drainer.
    struct Cursor {
        std::size_t sites = 0, nodes = 0, names = 0;
    };
    struct News {
        std::vector<SiteDefinition> sites;
        std::vector<NodeDefinition> nodes;
        std::vector<std::string> names;
    };
    void read_since(Cursor& cursor, News& news) const;

    std::vector<NodeDefinition> path(NodeId node) const;  // innermost first
    SiteDefinition site(std::uint32_t id) const;
    std::string name(NameId id) const;  // "" for 0

private:
    std::uint32_t intern_site_locked(const SiteDefinition& site);

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
    std::unordered_map<std::string, std::uint32_t> site_ids_;  // by file:line:column:function
    std::unordered_map<NodeKey, NodeId, NodeKeyHash> node_ids_;
    std::unordered_map<std::string, NameId> name_ids_;
    std::vector<std::unique_ptr<std::string>> owned_;  // strings of sites that no coroutine reported
};

// As Definitions::intern_node, through a small cache of this thread: about 3 ns when it hits.
NodeId intern_node(NodeId parent, const std::source_location& site, NodeKind kind) noexcept;

}  // namespace coroscope::probe
