// Bounds and checks of the definitions.
#include "definitions.hpp"

#include <utility>

#include "proto/words/utf8.hpp"

namespace coroscope::model {

namespace {

template <typename T>
bool put(std::vector<T>& all, std::uint32_t id, T value, std::size_t limit) {
    if (id == 0 || id > limit) return false;
    if (id >= all.size()) all.resize(id + std::size_t{1});
    all[id] = std::move(value);
    return true;
}

}  // namespace

void shorten(std::string& text, std::size_t limit) {
    if (text.size() <= limit) return;
    text.resize(words::cut_utf8(text, limit).size());
    text.shrink_to_fit();
}

bool DefinitionTable::add_site(SiteId id, Site site) {
    shorten(site.function, limits_.text_bytes);
    shorten(site.file, limits_.text_bytes);
    return put(sites_, id, std::move(site), limits_.sites);
}

bool DefinitionTable::add_node(NodeId id, Node node) {
    // A parent is defined before its children, so it has the smaller id: no path can be a cycle.
    if (node.parent >= id || node.kind == NodeKind::unknown) return false;
    return put(nodes_, id, node, limits_.nodes);
}

bool DefinitionTable::add_value(ValueId id, Value value) {
    if (auto* text = std::get_if<std::string>(&value)) shorten(*text, limits_.text_bytes);
    return put(values_, id, std::move(value), limits_.values);
}

bool DefinitionTable::add_name(std::uint32_t id, std::string text) {
    shorten(text, limits_.text_bytes);
    return put(names_, id, std::move(text), limits_.names);
}

}  // namespace coroscope::model
