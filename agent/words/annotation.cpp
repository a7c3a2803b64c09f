#include "annotation.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <variant>

#include "proto/words/amount.hpp"
#include "proto/words/utf8.hpp"

namespace coroscope::words {

std::string value_text(double number) {
    if (!std::isfinite(number)) return std::isnan(number) ? "nan" : number > 0 ? "infinity" : "-infinity";
    char text[32];
    const auto end = std::to_chars(text, text + sizeof text, number).ptr;  // the shortest that reads back
    return {text, end};
}

std::string value_text(const model::Value* value) {
    struct Text {
        std::string operator()(std::monostate) const { return "unknown"; }
        std::string operator()(const std::string& text) const { return printable(text); }
        std::string operator()(std::int64_t number) const { return std::to_string(number); }
        std::string operator()(double number) const { return value_text(number); }
        std::string operator()(bool truth) const { return truth ? "true" : "false"; }
    };
    return value == nullptr ? "unknown" : std::visit(Text(), *value);
}

std::string attributes_text(const model::Model& model, model::Model::Of of, std::uint64_t id) {
    std::string text;
    for (const model::Attribute& each : model.attributes(of, id)) {
        if (!text.empty()) text += ' ';
        text += annotation_name(model, each.key) + "=" + value_text(model.value(each.value));
    }
    return text;
}

std::string annotation_name(const model::Model& model, std::uint32_t name) {
    const std::string_view text = model.name(name);
    return text.empty() ? "unknown" : printable(text);
}

std::string open_span_text(const model::Model& model, const model::Span& span) {
    std::string text = "'" + annotation_name(model, span.name) + "' for " +
                       duration(model.now_ns() - std::min(model.now_ns(), span.begin_ns));
    if (model.dropped() != 0 || model.batches_lost() != 0) text += ", unless its end was lost";
    return text;
}

OpenSpans::OpenSpans(const model::Model& model) : model_(model) {
    for (const model::Span* span : model.open_spans()) by_task_[span->task].push_back(span);
}

std::span<const model::Span* const> OpenSpans::of(model::TaskId task) const {
    const auto found = by_task_.find(task);
    return found == by_task_.end() ? std::span<const model::Span* const>() : std::span(found->second);
}

std::string OpenSpans::text(const model::Task& task) const {
    std::string text = attributes_text(model_, model::Model::Of::task, task.id);
    if (task.state == model::State::done) return text;
    for (const model::Span* span : of(task.id)) {
        if (!text.empty()) text += ", ";
        text += "in span " + open_span_text(model_, *span);
    }
    return text;
}

}  // namespace coroscope::words
