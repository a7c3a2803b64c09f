#include "definition_writer.hpp"

#include <string>
#include <variant>

#include "coroscope/v2/events.pb.h"
#include "proto/words/utf8.hpp"

namespace coroscope::debug {

void fill(v2::Runtime& out, const probe::Runtime& runtime) {
    out.set_id(runtime.id);
    out.set_language(words::valid_utf8(runtime.language));
    out.set_name(words::valid_utf8(runtime.name));
    out.set_version(words::valid_utf8(runtime.version));
    out.set_capabilities(runtime.capabilities);
}

bool DefinitionWriter::write(v2::Batch& batch, bool all) {
    all = all || !began_;
    began_ = true;
    if (all) {
        cursor_ = {};
        runtimes_ = 0;
        write_vocabulary(batch);
    }
    write_tables(batch);
    write_runtimes(batch);
    write_resources(batch, all);
    return batch.kinds_size() != 0 || batch.sites_size() != 0 || batch.stacks_size() != 0 || batch.names_size() != 0 ||
           batch.values_size() != 0 || batch.terms_size() != 0 || batch.runtimes_size() != 0 ||
           batch.resources_size() != 0 || batch.closed_resources_size() != 0;
}

void DefinitionWriter::skip() {
    began_ = false;
    registry_.resources.take(resources_, false);
}

// The rows of the vocabulary that this app was built with: a reader of another version finds out what its numbers mean.
void DefinitionWriter::write_vocabulary(v2::Batch& batch) {
    for (std::size_t id = 1; id < vocabulary::event_kinds.size(); ++id) {
        const vocabulary::EventKindRow& row = vocabulary::event_kinds[id];
        v2::KindDefinition& out = *batch.add_kinds();
        out.set_id(static_cast<std::uint32_t>(id));
        out.set_name(std::string(row.name));
        out.set_subject(static_cast<std::uint32_t>(row.subject));
        out.set_argument(static_cast<std::uint32_t>(row.argument));
        out.set_stack(row.stack);
    }
    vocabulary::for_each_term([&batch](const vocabulary::TermRow& row) {
        v2::Term& out = *batch.add_terms();
        out.set_table(static_cast<std::uint32_t>(row.table));
        out.set_id(row.id);
        out.set_name(std::string(row.name));
        out.set_words(std::string(row.words));
        out.set_severity(static_cast<std::uint32_t>(row.severity));
    });
}

void DefinitionWriter::write_tables(v2::Batch& batch) {
    probe::Definitions::Cursor at = cursor_;
    registry_.definitions.read_since(cursor_, news_);
    for (const probe::SiteDefinition& site : news_.sites) {
        v2::Site& out = *batch.add_sites();
        out.set_id(static_cast<std::uint32_t>(++at.sites));
        out.set_function(words::valid_utf8(probe::readable_name(site)));
        out.set_file(words::valid_utf8(site.file));
        out.set_line(site.line);
        out.set_column(site.column);
        if ((site.flags & CS_SITE_LIBRARY) != 0) out.set_flags(vocabulary::site_is_library);
    }
    for (const probe::NodeDefinition& node : news_.nodes) {
        v2::StackNode& out = *batch.add_stacks();
        out.set_id(static_cast<std::uint32_t>(++at.nodes));
        out.set_parent(node.parent);
        out.set_site(node.site);
        out.set_kind(static_cast<std::uint32_t>(node.kind));
    }
    for (const std::string& name : news_.names) {
        v2::Name& out = *batch.add_names();
        out.set_id(static_cast<std::uint32_t>(++at.names));
        out.set_text(words::valid_utf8(name));
    }
    for (const probe::ValueDefinition& value : news_.values) {
        v2::Value& out = *batch.add_values();
        out.set_id(static_cast<std::uint32_t>(++at.values));
        if (const auto* text = std::get_if<std::string>(&value)) out.set_text(words::valid_utf8(*text));
        if (const auto* integer = std::get_if<std::int64_t>(&value)) out.set_integer(*integer);
        if (const auto* real = std::get_if<double>(&value)) out.set_real(*real);
        if (const auto* boolean = std::get_if<bool>(&value)) out.set_boolean(*boolean);
    }
    for (const probe::TypeDefinition& type : news_.types) {
        v2::Term& out = *batch.add_terms();
        out.set_table(static_cast<std::uint32_t>(vocabulary::Table::resource_type));
        out.set_id(static_cast<std::uint32_t>(vocabulary::first_adapter_type + at.types++));
        out.set_name(words::valid_utf8(type.name));
        out.set_words(words::valid_utf8(type.words));
    }
}

void DefinitionWriter::write_runtimes(v2::Batch& batch) {
    const auto all = registry_.all_runtimes();
    for (; runtimes_ < all.size(); ++runtimes_) fill(*batch.add_runtimes(), *all[runtimes_]);
}

void DefinitionWriter::write_resources(v2::Batch& batch, bool all) {
    registry_.resources.take(resources_, all);
    for (const probe::ResourceDefinition& resource : resources_.defined) {
        v2::Resource& out = *batch.add_resources();
        out.set_id(resource.id);
        out.set_type(resource.type);
        out.set_name(words::valid_utf8(resource.name));
        out.set_created_at(resource.created_at);
        out.set_created_by(resource.created_by);
        out.set_created_ns(clock_.ns(resource.created));
        out.set_capacity(resource.capacity);
        out.set_parent(resource.parent);
        out.set_system_id(resource.system_id);
    }
    for (const probe::ClosedResource& closed : resources_.closed) {
        v2::ClosedResource& out = *batch.add_closed_resources();
        out.set_id(closed.id);
        out.set_closed_ns(clock_.ns(closed.closed));
    }
    batch.set_resources_lost_total(resources_.lost);
}

}  // namespace coroscope::debug
