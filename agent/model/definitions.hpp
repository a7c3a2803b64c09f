// What an app defines once and refers to by a small id ever after: sites, stack nodes, names, values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "model.hpp"

namespace coroscope::model {

// Cuts to at most `limit` bytes, not inside a UTF-8 character: protobuf refuses to read text that is cut there.
void shorten(std::string& text, std::size_t limit);

// Defining an id again replaces it: an app that reconnects sends everything anew. What is out of bounds, or has a
// parent that was not defined before it, is refused.
class DefinitionTable {
public:
    explicit DefinitionTable(const Limits& limits) : limits_(limits) {}

    bool add_site(SiteId id, Site site);
    bool add_node(NodeId id, Node node);
    bool add_name(std::uint32_t id, std::string text);
    bool add_value(ValueId id, Value value);

    const Site* site(SiteId id) const { return id < sites_.size() && defined(sites_[id]) ? &sites_[id] : nullptr; }
    const Node* node(NodeId id) const {
        return id < nodes_.size() && nodes_[id].kind != NodeKind::unknown ? &nodes_[id] : nullptr;
    }
    const Value* value(ValueId id) const { return id != 0 && id < values_.size() ? &values_[id] : nullptr; }
    std::string_view name(std::uint32_t id) const { return id < names_.size() ? names_[id] : std::string_view{}; }

    // Indexed by id; some may be undefined.
    const std::vector<Site>& sites() const { return sites_; }
    const std::vector<Node>& nodes() const { return nodes_; }
    const std::vector<std::string>& names() const { return names_; }
    const std::vector<Value>& values() const { return values_; }

private:
    static bool defined(const Site& site) { return !site.function.empty() || !site.file.empty(); }

    Limits limits_;
    std::vector<Site> sites_;
    std::vector<Node> nodes_;
    std::vector<std::string> names_;
    std::vector<Value> values_;
};

}  // namespace coroscope::model
