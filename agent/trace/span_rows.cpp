#include "span_rows.hpp"

#include <algorithm>
#include <limits>
#include <tuple>

namespace coroscope::trace {

namespace {

std::uint64_t end_of(const model::Span& span) {
    return span.end_ns == 0 ? std::numeric_limits<std::uint64_t>::max() : span.end_ns;
}

// A row under construction, with the ends of those that are open at its newest begin, outermost first.
struct Open {
    SpanRow row;
    std::vector<std::uint64_t> ends;

    bool takes(const model::Span& span) {
        while (!ends.empty() && ends.back() <= span.begin_ns) ends.pop_back();
        return ends.empty() || end_of(span) <= ends.back();
    }
    void add(const model::Span& span) {
        if (row.spans.empty()) row.task = span.task, row.thread = span.thread;
        row.spans.push_back(&span);
        ends.push_back(end_of(span));
    }
};

}  // namespace

std::vector<SpanRow> span_rows(const model::Model& model) {
    std::vector<const model::Span*> all;
    for (const model::Span& span : model.spans())
        if (!span.mark) all.push_back(&span);
    for (const model::Span* span : model.open_spans()) all.push_back(span);
    std::sort(all.begin(), all.end(), [](const model::Span* a, const model::Span* b) {
        return std::tuple(a->task, a->begin_ns, end_of(*b), a->id) <
               std::tuple(b->task, b->begin_ns, end_of(*a), b->id);
    });
    constexpr std::size_t most_rows = 256;  // of one task; a span that would need another is left out
    std::vector<SpanRow> rows;
    for (auto at = all.begin(); at != all.end();) {
        std::vector<Open> of_task;
        for (const model::TaskId task = (*at)->task; at != all.end() && (*at)->task == task; ++at) {
            auto row = std::find_if(of_task.begin(), of_task.end(), [&](Open& each) { return each.takes(**at); });
            if (row == of_task.end()) {
                if (of_task.size() == most_rows) continue;
                row = of_task.emplace(of_task.end());
            }
            row->add(**at);
        }
        for (Open& each : of_task) rows.push_back(std::move(each.row));
    }
    return rows;
}

}  // namespace coroscope::trace
