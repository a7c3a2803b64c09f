#include "definitions.hpp"

#include <utility>

#include "coroscope/emit.h"
#include "proto/words/function_name.hpp"
#include "proto/words/utf8.hpp"

namespace coroscope::probe {

std::string readable_name(const SiteDefinition& site) {
    return (site.flags & CS_SITE_RAW_NAME) != 0 ? words::function_name(site.function) : std::string(site.function);
}

const char* Definitions::keep(std::string_view text) { return strings_.emplace(text).first->c_str(); }

SiteId Definitions::intern_site(std::string_view function, std::string_view file, std::uint32_t line,
                                std::uint32_t column, std::uint32_t flags) {
    function = words::cut_utf8(function, max_place_bytes);
    file = words::cut_utf8(file, max_place_bytes);
    std::string key(file);
    key += ':' + std::to_string(line) + ':' + std::to_string(column) + ':';
    key += function;
    const std::scoped_lock lock(mutex_);
    if (const auto found = site_ids_.find(key); found != site_ids_.end()) return found->second;
    if (sites_.size() >= max_sites) return 0;
    sites_.push_back({keep(function), keep(file), line, column, flags});
    const auto id = static_cast<SiteId>(sites_.size());
    site_ids_.emplace(std::move(key), id);
    return id;
}

NodeId Definitions::intern_node(NodeId parent, const std::source_location& location, NodeKind kind) {
    return intern_node(parent,
                       intern_site(location.function_name(), location.file_name(), location.line(), location.column(),
                                   CS_SITE_RAW_NAME),
                       kind);
}

NodeId Definitions::intern_node(NodeId parent, SiteId site, NodeKind kind) {
    const std::scoped_lock lock(mutex_);
    if (parent > nodes_.size()) parent = 0;
    if (site == 0 || site > sites_.size() || kind < NodeKind::frame || kind > NodeKind::task) return parent;
    const NodeKey key{std::uint64_t{parent} << 8 | static_cast<std::uint8_t>(kind), site};
    if (const auto found = node_ids_.find(key); found != node_ids_.end()) return found->second;

    if (kind != NodeKind::call && parent != 0) {
        // Recursion: look for the same coroutine called from the same site further out. The tree stays as deep as the
        // program's distinct calls, however deep it recurses and however long a chain of tasks respawns itself.
        const SiteId call_site = nodes_[parent - 1].site;
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

namespace {

// The id of `value` in a table and its index by value; a new one at the end, or 0 if the table is full.
template <class Index, class Value>
std::uint32_t intern(std::vector<Value>& table, Index& index, const Value& value, std::size_t most) {
    if (const auto found = index.find(value); found != index.end()) return found->second;
    if (table.size() >= most) return 0;
    table.push_back(value);
    const auto id = static_cast<std::uint32_t>(table.size());
    index.emplace(value, id);
    return id;
}

}  // namespace

NameId Definitions::intern_name(std::string_view text) {
    const std::string name(words::cut_utf8(text, max_name_bytes));
    const std::scoped_lock lock(mutex_);
    return intern(names_, name_ids_, name, max_names);
}

ValueId Definitions::intern_value(ValueDefinition value) {
    if (auto* text = std::get_if<std::string>(&value)) text->resize(words::cut_utf8(*text, max_value_bytes).size());
    const std::scoped_lock lock(mutex_);
    return intern(values_, value_ids_, value, max_values);
}

std::uint32_t Definitions::define_type(std::string_view name, std::string_view words) {
    name = words::cut_utf8(name, max_name_bytes);
    words = words::cut_utf8(words, max_name_bytes);
    const std::scoped_lock lock(mutex_);
    for (std::size_t i = 0; i < types_.size(); ++i)
        if (types_[i].name == name) return static_cast<std::uint32_t>(vocabulary::first_adapter_type + i);
    if (types_.size() >= max_types) return 0;
    types_.push_back({std::string(name), std::string(words)});
    return static_cast<std::uint32_t>(vocabulary::first_adapter_type + types_.size() - 1);
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
    copy(values_, cursor.values, news.values);
    copy(types_, cursor.types, news.types);
}

std::vector<NodeDefinition> Definitions::path(NodeId node) const {
    const std::scoped_lock lock(mutex_);
    std::vector<NodeDefinition> nodes;
    for (; node != 0 && node <= nodes_.size(); node = nodes.back().parent) nodes.push_back(nodes_[node - 1]);
    return nodes;
}

SiteDefinition Definitions::site(SiteId id) const {
    const std::scoped_lock lock(mutex_);
    return id == 0 || id > sites_.size() ? SiteDefinition{"?", "?", 0, 0, 0} : sites_[id - 1];
}

std::string Definitions::name(NameId id) const {
    const std::scoped_lock lock(mutex_);
    return id == 0 || id > names_.size() ? std::string() : names_[id - 1];
}

}  // namespace coroscope::probe
