#include "said.hpp"

#include <algorithm>
#include <limits>
#include <set>
#include <tuple>

namespace coroscope::viewer {

namespace {

std::uint64_t end_of(const model::Span& span) {
    return span.end_ns == 0 ? std::numeric_limits<std::uint64_t>::max() : span.end_ns;
}

// The first row that is free when it begins; the last one if none is.
void add_to_rows(SaidOfTask& said, const model::Span& span) {
    for (auto& row : said.rows) {
        if (end_of(row.back()) > span.begin_ns) continue;
        row.push_back(span);
        return;
    }
    if (said.rows.size() < SaidOfTask::most_rows) said.rows.emplace_back();
    said.rows.back().push_back(span);
}

}  // namespace

void SaidIndex::update(const model::Model& model, const std::vector<Lane>& lanes) {
    std::set<model::TaskId> shown;
    for (const Lane& lane : lanes)
        if (!lane.group()) shown.insert(lane.task);
    std::vector<const model::Span*> spans;
    const auto take = [&](const model::Span& span) {
        if (shown.contains(span.task)) spans.push_back(&span);
    };
    for (const model::Span& span : model.spans()) take(span);
    for (const model::Span* span : model.open_spans()) take(*span);
    std::sort(spans.begin(), spans.end(), [](const model::Span* a, const model::Span* b) {
        return std::tuple(a->begin_ns, end_of(*b), a->id) < std::tuple(b->begin_ns, end_of(*a), b->id);
    });
    tasks_.clear();
    for (const model::Span* span : spans) {
        SaidOfTask& said = tasks_[span->task];
        if (span->mark)
            said.marks.push_back(*span);
        else
            add_to_rows(said, *span);
    }
}

const SaidOfTask* SaidIndex::find(model::TaskId task) const {
    const auto found = tasks_.find(task);
    return found == tasks_.end() ? nullptr : &found->second;
}

}  // namespace coroscope::viewer
