// Where the rows of each table are: all that a fold knows, row by row.
#pragma once

#include <algorithm>

#include "fields.hpp"

namespace coroscope::model {

// for_each_row(fold, type, visit) calls visit(row) with each row of the table whose rows are of this type. A row that
// is kept as such is the kept one; others live until visit() returns. row_count() may be a few more than there are.
template <typename Row>
struct RowType {};

template <typename Visit>
void for_each_row(const Model::Fold& fold, RowType<Capture>, Visit visit) {
    visit(static_cast<const Capture&>(fold));
}
template <typename Visit>
void for_each_row(const Model::Fold& fold, RowType<NameRow>, Visit visit) {
    const std::vector<std::string>& names = fold.definitions.names();
    for (std::uint32_t id = 1; id < names.size(); ++id)
        if (!names[id].empty()) visit(NameRow{id, names[id]});
}
template <typename Visit>
void for_each_row(const Model::Fold& fold, RowType<SiteRow>, Visit visit) {
    for (SiteId id = 1; id < fold.definitions.sites().size(); ++id)
        if (const Site* site = fold.definitions.site(id)) visit(SiteRow{*site, id});
}
template <typename Visit>
void for_each_row(const Model::Fold& fold, RowType<NodeRow>, Visit visit) {
    for (NodeId id = 1; id < fold.definitions.nodes().size(); ++id)
        if (const Node* node = fold.definitions.node(id)) visit(NodeRow{*node, id});
}
template <typename Visit>
void for_each_row(const Model::Fold& fold, RowType<LoopEntry>, Visit visit) {
    for (const auto& entry : fold.loop_entries) visit(static_cast<const LoopEntry&>(*entry));
}
template <typename Visit>
void for_each_row(const Model::Fold& fold, RowType<ThreadRow>, Visit visit) {
    for (const Thread& thread : fold.threads) visit(ThreadRow{thread, fold.thread_entries.at(thread.id).last_ns});
}
template <typename Visit>
void for_each_row(const Model::Fold& fold, RowType<TaskEntry>, Visit visit) {
    for (const TaskEntry* task : fold.tasks.sorted()) visit(*task);
}
template <typename Visit>
void for_each_row(const Model::Fold& fold, RowType<EndedRow>, Visit visit) {
    for (const TaskEntry* task = fold.done_tasks.first; task != nullptr; task = task->next) visit(EndedRow{task->id});
}
template <typename Visit>
void for_each_row(const Model::Fold& fold, RowType<SliceRow>, Visit visit) {
    for (const auto& entry : fold.loop_entries) {
        const Loop& loop = *entry->loop;
        for (const Slice& slice : loop.slices) visit(SliceRow{slice, loop.id, false, false, 0});
        for (std::size_t i = 0; i < loop.outer_slices.size(); ++i)
            visit(SliceRow{loop.outer_slices[i], loop.id, false, true, entry->outer_ran_ns[i]});
        if (loop.open_slice) visit(SliceRow{*loop.open_slice, loop.id, true, false, entry->open_ran_ns});
    }
}
template <typename Visit>
void for_each_row(const Model::Fold& fold, RowType<IterationRow>, Visit visit) {
    for (const auto& loop : fold.loops)
        for (const Iteration& iteration : loop->iterations) visit(IterationRow{iteration, loop->id});
}
template <typename Visit>
void for_each_row(const Model::Fold& fold, RowType<LongStep>, Visit visit) {
    for (const LongStep& step : fold.long_steps) visit(step);
}
template <typename Visit>
void for_each_row(const Model::Fold& fold, RowType<Report>, Visit visit) {
    for (const Report& report : fold.reports) visit(report);
}
template <typename Visit>
void for_each_row(const Model::Fold& fold, RowType<Hotspot>, Visit visit) {
    for (const auto& [key, hotspot] : fold.hotspots) visit(hotspot);
}
template <typename Visit>
void for_each_row(const Model::Fold& fold, RowType<LatencyRow>, Visit visit) {
    for (const auto& loop : fold.loops) {
        for (const Latency of : {Latency::iteration, Latency::wake_to_run}) {
            const std::vector<std::uint64_t>& counts = histogram_of(*loop, of).counts();
            for (std::uint32_t bucket = 0; bucket < counts.size(); ++bucket)
                if (counts[bucket] != 0) visit(LatencyRow{loop->id, of, bucket, counts[bucket]});
        }
    }
}
template <typename Visit>
void for_each_row(const Model::Fold& fold, RowType<Gap>, Visit visit) {
    for (const Gap& gap : fold.gaps) visit(gap);
}

template <typename Visit>
void for_each_row(const Model::Fold& fold, RowType<UnknownTerm>, Visit visit) {
    for (const UnknownTerm& term : fold.unknown_terms) visit(term);
}
template <typename Visit>
void for_each_row(const Model::Fold& fold, RowType<Runtime>, Visit visit) {
    for (const Runtime& runtime : fold.runtimes) visit(runtime);
}
template <typename Visit>
void for_each_row(const Model::Fold& fold, RowType<ValueRow>, Visit visit) {
    const std::vector<Value>& values = fold.definitions.values();
    for (ValueId id = 1; id < values.size(); ++id) {
        ValueRow row;
        row.id = id;
        row.type = static_cast<ValueType>(values[id].index());
        if (row.type == ValueType::unknown) continue;
        if (const auto* text = std::get_if<std::string>(&values[id])) row.text = *text;
        if (const auto* integer = std::get_if<std::int64_t>(&values[id])) row.integer = *integer;
        if (const auto* real = std::get_if<double>(&values[id])) row.real = *real;
        if (const auto* boolean = std::get_if<bool>(&values[id])) row.boolean = *boolean;
        visit(std::move(row));
    }
}
template <typename Visit>
void for_each_row(const Model::Fold& fold, RowType<Resource>, Visit visit) {
    for (const Resource* resource : fold.sorted_resources()) visit(*resource);
}
template <typename Visit>
void for_each_row(const Model::Fold& fold, RowType<ClosedRow>, Visit visit) {
    for (const ResourceId id : fold.closed_resources) visit(ClosedRow{id});
}
template <typename Visit>
void for_each_row(const Model::Fold& fold, RowType<UserRow>, Visit visit) {
    for (const Resource* resource : fold.sorted_resources())
        for (const ResourceUser& user : resource->users) visit(UserRow{user, resource->id});
}
template <typename Visit>
void for_each_row(const Model::Fold& fold, RowType<MemberRow>, Visit visit) {
    for (const Resource* resource : fold.sorted_resources())
        for (const TaskId task : resource->members) visit(MemberRow{resource->id, task});
}
template <typename Visit>
void for_each_row(const Model::Fold& fold, RowType<SpanRow>, Visit visit) {
    for (const Span& span : fold.spans) visit(SpanRow{span, false});
    for (const auto& [id, span] : fold.open_spans) visit(SpanRow{span, true});
}
template <typename Visit>
void for_each_row(const Model::Fold& fold, RowType<AttributeRow>, Visit visit) {
    for (std::size_t of = 0; of < fold.attributes.size(); ++of) {
        std::vector<std::uint64_t> ids;
        for (const auto& [id, list] : fold.attributes[of]) ids.push_back(id);
        std::sort(ids.begin(), ids.end());
        for (const std::uint64_t id : ids)
            for (const Attribute& each : fold.attributes[of].at(id))
                visit(AttributeRow{each, static_cast<Model::Of>(of), id});
    }
}
template <typename Visit>
void for_each_row(const Model::Fold& fold, RowType<Counter>, Visit visit) {
    for (const auto& [name, counter] : fold.app_counters) visit(counter);
}
template <typename Visit>
void for_each_row(const Model::Fold& fold, RowType<CounterSampleRow>, Visit visit) {
    for (const auto& [name, counter] : fold.app_counters)
        for (const CounterSample& sample : counter.recent) visit(CounterSampleRow{sample, name});
}

inline std::size_t row_count(const Model::Fold&, RowType<Capture>) { return 1; }
inline std::size_t row_count(const Model::Fold& fold, RowType<NameRow>) { return fold.definitions.names().size(); }
inline std::size_t row_count(const Model::Fold& fold, RowType<SiteRow>) { return fold.definitions.sites().size(); }
inline std::size_t row_count(const Model::Fold& fold, RowType<NodeRow>) { return fold.definitions.nodes().size(); }
inline std::size_t row_count(const Model::Fold& fold, RowType<LoopEntry>) { return fold.loops.size(); }
inline std::size_t row_count(const Model::Fold& fold, RowType<ThreadRow>) { return fold.threads.size(); }
inline std::size_t row_count(const Model::Fold& fold, RowType<TaskEntry>) { return fold.tasks.size(); }
inline std::size_t row_count(const Model::Fold& fold, RowType<EndedRow>) { return fold.done_count; }
inline std::size_t row_count(const Model::Fold& fold, RowType<SliceRow>) {
    std::size_t count = 0;
    for (const auto& loop : fold.loops) count += loop->slices.size() + loop->outer_slices.size() + 1;
    return count;
}
inline std::size_t row_count(const Model::Fold& fold, RowType<IterationRow>) {
    std::size_t count = 0;
    for (const auto& loop : fold.loops) count += loop->iterations.size();
    return count;
}
inline std::size_t row_count(const Model::Fold& fold, RowType<LongStep>) { return fold.long_steps.size(); }
inline std::size_t row_count(const Model::Fold& fold, RowType<Report>) { return fold.reports.size(); }
inline std::size_t row_count(const Model::Fold& fold, RowType<Hotspot>) { return fold.hotspots.size(); }
inline std::size_t row_count(const Model::Fold& fold, RowType<LatencyRow>) {
    std::size_t count = 0;
    for (const auto& loop : fold.loops)
        count += loop->iteration_lengths.counts().size() + loop->wake_to_run.counts().size();
    return count;
}
inline std::size_t row_count(const Model::Fold& fold, RowType<Gap>) { return fold.gaps.size(); }
inline std::size_t row_count(const Model::Fold& fold, RowType<UnknownTerm>) { return fold.unknown_terms.size(); }
inline std::size_t row_count(const Model::Fold& fold, RowType<Runtime>) { return fold.runtimes.size(); }
inline std::size_t row_count(const Model::Fold& fold, RowType<ValueRow>) { return fold.definitions.values().size(); }
inline std::size_t row_count(const Model::Fold& fold, RowType<Resource>) { return fold.resources.size(); }
inline std::size_t row_count(const Model::Fold& fold, RowType<ClosedRow>) { return fold.closed_resources.size(); }
inline std::size_t row_count(const Model::Fold& fold, RowType<UserRow>) {
    std::size_t count = 0;
    for (const auto& [id, resource] : fold.resources) count += resource.users.size();
    return count;
}
inline std::size_t row_count(const Model::Fold& fold, RowType<MemberRow>) {
    std::size_t count = 0;
    for (const auto& [id, resource] : fold.resources) count += resource.members.size();
    return count;
}
inline std::size_t row_count(const Model::Fold& fold, RowType<SpanRow>) {
    return fold.spans.size() + fold.open_spans.size();
}
inline std::size_t row_count(const Model::Fold& fold, RowType<AttributeRow>) {
    std::size_t count = 0;
    for (const auto& all : fold.attributes)
        for (const auto& [id, list] : all) count += list.size();
    return count;
}
inline std::size_t row_count(const Model::Fold& fold, RowType<Counter>) { return fold.app_counters.size(); }
inline std::size_t row_count(const Model::Fold& fold, RowType<CounterSampleRow>) {
    std::size_t count = 0;
    for (const auto& [name, counter] : fold.app_counters) count += counter.recent.size();
    return count;
}

}  // namespace coroscope::model
