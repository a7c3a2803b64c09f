// What an app said about itself beyond its tasks, in words: values of attributes, names of spans.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "agent/model/model.hpp"

namespace coroscope::words {

// "ann", "42", "0.5", "true", made visible; "unknown" of a value that was lost or has a type that this reader does not
// know.
std::string value_text(const model::Value* value);
std::string value_text(double number);
// "user=ann items=3", in the order they were first given; empty: none.
std::string attributes_text(const model::Model& model, model::Model::Of of, std::uint64_t id);
// Of a span, a mark or a counter: what the app called it, made visible.
std::string annotation_name(const model::Model& model, std::uint32_t name);

// Of a span that has not ended: "'price' for 12 ms"; where events were lost, it says that its end may be among them.
std::string open_span_text(const model::Model& model, const model::Span& span);

// Which spans each task is in. Refers to the model, which must not change meanwhile.
class OpenSpans {
public:
    explicit OpenSpans(const model::Model& model);  // O(open spans)

    // In the order in which they began.
    std::span<const model::Span* const> of(model::TaskId task) const;
    // "user=ann items=3, in span 'price' for 12 ms": its attributes and, until it is done, the spans that it is in;
    // empty: none.
    std::string text(const model::Task& task) const;

private:
    const model::Model& model_;
    std::unordered_map<model::TaskId, std::vector<const model::Span*>> by_task_;
};

}  // namespace coroscope::words
