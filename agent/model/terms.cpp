// The app's vocabulary where it differs from this reader's: a newer app, or an adapter with terms of its own.
//
// What is known here needs no entry. An unknown kind of event is skipped by its columns and counted.
#include <algorithm>

#include "fold.hpp"

namespace coroscope::model {

namespace {

using vocabulary::Table;

// Whether this reader was built with the row.
bool is_known(Table table, std::uint32_t id) {
    switch (table) {
        case Table::none: return id < vocabulary::event_kinds.size();
        case Table::verb: return id < vocabulary::verbs.size();
        case Table::resource_type: return id < vocabulary::resource_types.size();
        case Table::role: return id < vocabulary::roles.size();
        case Table::outcome: return id < vocabulary::outcomes.size();
        case Table::report_kind: return id < vocabulary::report_kinds.size();
        case Table::cancel_origin: return id < vocabulary::cancel_origins.size();
    }
    return false;
}

// In kind_columns: defined by the app, but what its events mean is not known here.
constexpr std::uint8_t skip = 64;

}  // namespace

void Model::Fold::define_terms(const v2::Batch& batch) {
    for (const v2::KindDefinition& kind : batch.kinds()) {
        const std::uint8_t columns = static_cast<std::uint8_t>(
            (kind.subject() != 0 ? vocabulary::subject_column : 0) |
            (kind.argument() != 0 ? vocabulary::argument_column : 0) | (kind.stack() ? vocabulary::stack_column : 0));
        if (kind.id() == 0 || kind.id() >= static_cast<std::uint32_t>(vocabulary::EventKind::gap)) {
            ++anomalies;
            continue;
        }
        if (is_known(Table::none, kind.id())) {
            // A number never changes its meaning: an app that says otherwise is not to be believed.
            if (columns != vocabulary::columns_by_kind[kind.id()]) ++anomalies;
            continue;
        }
        UnknownTerm term;
        term.id = kind.id();
        term.name = kind.name();
        term.columns = columns;
        add_term(std::move(term));
    }
    for (const v2::Term& defined : batch.terms()) {
        if (defined.table() == 0) {
            ++anomalies;
            continue;
        }
        // A table that is not known here has no meaning here either.
        const auto table = static_cast<Table>(std::min<std::uint32_t>(defined.table(), 255));
        if (defined.table() > static_cast<std::uint32_t>(Table::cancel_origin) || is_known(table, defined.id()))
            continue;
        UnknownTerm term;
        term.table = table;
        term.id = defined.id();
        term.name = defined.name();
        term.words = defined.words();
        term.severity = static_cast<vocabulary::Severity>(
            std::min(defined.severity(), static_cast<std::uint32_t>(vocabulary::Severity::error)));
        add_term(std::move(term));
    }
}

void Model::Fold::add_term(UnknownTerm term) {
    shorten(term.name, limits.text_bytes);
    shorten(term.words, limits.text_bytes);
    if (UnknownTerm* known = find_term(term.table, term.id)) {  // sent anew after a reconnect
        term.count = known->count;
        if (term.table == Table::none) kind_columns[term.id] = term.columns | skip;
        *known = std::move(term);
        return;
    }
    if (unknown_terms.size() >= limits.unknown_terms) {
        ++anomalies;
        return;
    }
    if (term.table == Table::none) kind_columns[term.id] = term.columns | skip;
    unknown_terms.push_back(std::move(term));
}

bool Model::Fold::load_term(UnknownTerm term) {
    constexpr std::uint8_t all_columns =
        vocabulary::subject_column | vocabulary::argument_column | vocabulary::stack_column;
    if ((term.columns & ~all_columns) != 0) return false;
    const bool is_kind = term.table == Table::none;
    if (is_kind && (term.id == 0 || term.id >= static_cast<std::uint32_t>(vocabulary::EventKind::gap))) return false;
    // What the writer of the keyframe did not know may be known here.
    if (term.table > Table::cancel_origin || is_known(term.table, term.id)) return true;
    if (find_term(term.table, term.id) != nullptr) return false;
    add_term(std::move(term));
    return true;
}

UnknownTerm* Model::Fold::find_term(Table table, std::uint32_t id) {
    const auto found = std::find_if(unknown_terms.begin(), unknown_terms.end(),
                                    [&](const UnknownTerm& each) { return each.table == table && each.id == id; });
    return found == unknown_terms.end() ? nullptr : &*found;
}

const UnknownTerm* Model::Fold::find_term(Table table, std::uint32_t id) const {
    return const_cast<Fold*>(this)->find_term(table, id);
}

void Model::Fold::skip_event(std::uint8_t kind) {
    ++events_unknown;
    if (UnknownTerm* term = find_term(Table::none, kind)) ++term->count;
}

std::string_view Model::term(Table table, std::uint32_t id) const {
    if (is_known(table, id)) {
        switch (table) {
            case Table::none: return vocabulary::row_of(vocabulary::event_kinds, id).name;
            case Table::verb: return vocabulary::row_of(vocabulary::verbs, id).name;
            case Table::resource_type: return vocabulary::row_of(vocabulary::resource_types, id).name;
            case Table::role: return vocabulary::row_of(vocabulary::roles, id).name;
            case Table::outcome: return vocabulary::row_of(vocabulary::outcomes, id).name;
            case Table::report_kind: return vocabulary::row_of(vocabulary::report_kinds, id).name;
            case Table::cancel_origin: return vocabulary::row_of(vocabulary::cancel_origins, id).name;
        }
    }
    const UnknownTerm* unknown = fold_->find_term(table, id);
    return unknown == nullptr || unknown->name.empty() ? std::string_view("unknown") : std::string_view(unknown->name);
}

std::string_view Model::term_words(Table table, std::uint32_t id) const {
    if (is_known(table, id)) {
        switch (table) {
            case Table::verb: return vocabulary::row_of(vocabulary::verbs, id).words;
            case Table::resource_type: return vocabulary::row_of(vocabulary::resource_types, id).words;
            case Table::role: return vocabulary::row_of(vocabulary::roles, id).words;
            case Table::report_kind: return vocabulary::row_of(vocabulary::report_kinds, id).meaning;
            case Table::cancel_origin: return vocabulary::row_of(vocabulary::cancel_origins, id).words;
            case Table::none:
            case Table::outcome: return term(table, id);
        }
    }
    const UnknownTerm* unknown = fold_->find_term(table, id);
    return unknown == nullptr || unknown->words.empty() ? term(table, id) : std::string_view(unknown->words);
}

const std::vector<UnknownTerm>& Model::unknown_terms() const { return fold_->unknown_terms; }

}  // namespace coroscope::model
