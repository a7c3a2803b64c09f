#include "definitions.hpp"

#include <array>
#include <bit>

#include "registry.hpp"

namespace coroscope::probe {

std::uint32_t Definitions::intern_site_locked(const SiteDefinition& site) {
    std::string key = site.file;
    key += ':' + std::to_string(site.line) + ':' + std::to_string(site.column) + ':' + site.function;
    const auto [found, added] = site_ids_.try_emplace(std::move(key), 0);
    if (added) {
        if (sites_.size() >= max_sites) {
            site_ids_.erase(found);
            return 0;
        }
        sites_.push_back(site);
        found->second = static_cast<std::uint32_t>(sites_.size());
    }
    return found->second;
}

std::uint32_t Definitions::intern_site(std::string_view function, std::string_view file, std::uint32_t line,
                                       std::uint32_t column) {
    const std::scoped_lock lock(mutex_);
    std::string key(file);
    key += ':' + std::to_string(line) + ':' + std::to_string(column) + ':' + std::string(function);
    if (const auto found = site_ids_.find(key); found != site_ids_.end()) return found->second;
    if (sites_.size() >= max_sites) return 0;
    const auto keep = [this](std::string_view text) {
        return owned_.emplace_back(std::make_unique<std::string>(text))->c_str();
    };
    sites_.push_back({keep(function), keep(file), line, column});
    const auto id = static_cast<std::uint32_t>(sites_.size());
    site_ids_.emplace(std::move(key), id);
    return id;
}

NodeId Definitions::intern_node(NodeId parent, const std::source_location& location, NodeKind kind) {
    const std::scoped_lock lock(mutex_);
    const std::uint32_t site =
        intern_site_locked({location.function_name(), location.file_name(), location.line(), location.column()});
    const NodeKey key{std::uint64_t{parent} << 8 | static_cast<std::uint8_t>(kind), site};
    if (const auto found = node_ids_.find(key); found != node_ids_.end()) return found->second;

    if (kind != NodeKind::call && parent != 0) {
        // Recursion: look for the same coroutine called from the same site further out. The tree stays as deep as the
        // program's distinct calls, however deep it recurses and however long a chain of tasks respawns itself.
        const std::uint32_t call_site = nodes_[parent - 1].site;
        for (NodeId at = parent; at != 0; at = nodes_[at - 1].parent) {
            const NodeDefinition& node = nodes_[at - 1];
            if (node.kind == kind && node.site == site && node.parent != 0 &&
                nodes_[node.parent - 1].site == call_site) {
                node_ids_.emplace(key, at);
                return at;
            }
        }
    }
    if (nodes_.size() >= max_nodes) return parent;
    nodes_.push_back({parent, site, kind});
    const auto id = static_cast<NodeId>(nodes_.size());
    node_ids_.emplace(key, id);
    return id;
}

NameId Definitions::intern_name(std::string_view text) {
    if (text.size() > max_name_bytes) {
        std::size_t end = max_name_bytes;
        while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;  // not within a character
        text = text.substr(0, end);
    }
    const std::scoped_lock lock(mutex_);
    const auto [found, added] = name_ids_.try_emplace(std::string(text), 0);
    if (added) {
        if (names_.size() >= max_names) {
            name_ids_.erase(found);
            return 0;
        }
        names_.emplace_back(text);
        found->second = static_cast<NameId>(names_.size());
    }
    return found->second;
}

void Definitions::read_since(Cursor& cursor, News& news) const {
    const std::scoped_lock lock(mutex_);
    const auto copy = [](const auto& from, std::size_t& at, auto& to) {
        to.assign(from.begin() + static_cast<std::ptrdiff_t>(at), from.end());
        at = from.size();
    };
    copy(sites_, cursor.sites, news.sites);
    copy(nodes_, cursor.nodes, news.nodes);
    copy(names_, cursor.names, news.names);
}

std::vector<NodeDefinition> Definitions::path(NodeId node) const {
    const std::scoped_lock lock(mutex_);
    std::vector<NodeDefinition> nodes;
    for (; node != 0; node = nodes.back().parent) nodes.push_back(nodes_[node - 1]);
    return nodes;
}

SiteDefinition Definitions::site(std::uint32_t id) const {
    const std::scoped_lock lock(mutex_);
    return id == 0 ? SiteDefinition{"?", "?", 0, 0} : sites_[id - 1];
}

std::string Definitions::name(NameId id) const {
    const std::scoped_lock lock(mutex_);
    return id == 0 ? std::string() : names_[id - 1];
}

namespace {

// Direct-mapped: a collision costs a look-up under the mutex, never a wrong answer.
struct CachedNode {
    std::uint64_t site = 0;  // address of the compiler's record of the source location: unique per await in the code
    std::uint64_t parent_and_kind = 0;
    NodeId node = 0;
};
constexpr std::size_t cache_size = 4096;

struct NodeCache {
    std::array<CachedNode, cache_size> entries{};
};

thread_local constinit NodeCache* t_cache = nullptr;

NodeId intern_slowly(NodeId parent, const std::source_location& site, NodeKind kind, std::uint64_t address,
                     std::uint64_t parent_and_kind) noexcept {
    try {
        if (t_cache == nullptr) {
            thread_local NodeCache cache;
            t_cache = &cache;
        }
        const NodeId node = registry().definitions.intern_node(parent, site, kind);
        t_cache->entries[((address >> 3) ^ (parent_and_kind * 0x9e3779b1u)) % cache_size] = {address, parent_and_kind,
                                                                                             node};
        return node;
    } catch (...) {  // out of memory: the stack is cut off here
        return parent;
    }
}

}  // namespace

NodeId intern_node(NodeId parent, const std::source_location& site, NodeKind kind) noexcept {
    static_assert(sizeof(std::source_location) == sizeof(std::uint64_t), "one pointer to a static record");
    const auto address = std::bit_cast<std::uint64_t>(site);
    const std::uint64_t parent_and_kind = std::uint64_t{parent} << 8 | static_cast<std::uint8_t>(kind);
    if (t_cache != nullptr) [[likely]] {
        const CachedNode& entry = t_cache->entries[((address >> 3) ^ (parent_and_kind * 0x9e3779b1u)) % cache_size];
        if (entry.site == address && entry.parent_and_kind == parent_and_kind) return entry.node;
    }
    return intern_slowly(parent, site, kind, address, parent_and_kind);
}

}  // namespace coroscope::probe
