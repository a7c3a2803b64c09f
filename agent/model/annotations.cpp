// What an app says about itself beyond its tasks: attributes, spans, marks, counters; and the runtimes it has.
#include <algorithm>
#include <bit>

#include "fold.hpp"

namespace coroscope::model {

void Model::Fold::define_annotations(const v2::Batch& batch) {
    for (const v2::Value& defined : batch.values()) {
        Value value;
        switch (defined.value_case()) {
            case v2::Value::kText: value = defined.text(); break;
            case v2::Value::kInteger: value = defined.integer(); break;
            case v2::Value::kReal: value = defined.real(); break;
            case v2::Value::kBoolean: value = defined.boolean(); break;
            case v2::Value::VALUE_NOT_SET: break;  // a type that this reader does not know
        }
        if (!definitions.add_value(defined.id(), std::move(value))) ++anomalies;
    }
    for (const v2::Runtime& defined : batch.runtimes())
        if (!add_runtime({defined.id(), defined.language(), defined.name(), defined.version(), defined.capabilities()}))
            ++anomalies;
}

bool Model::Fold::add_runtime(Runtime runtime) {
    shorten(runtime.language, limits.text_bytes);
    shorten(runtime.name, limits.text_bytes);
    shorten(runtime.version, limits.text_bytes);
    const auto same =
        std::find_if(runtimes.begin(), runtimes.end(), [&](const Runtime& each) { return each.id == runtime.id; });
    if (same != runtimes.end())
        *same = std::move(runtime);
    else if (runtimes.size() < limits.runtimes)
        runtimes.push_back(std::move(runtime));
    else
        return false;
    return true;
}

void Model::Fold::add_attribute(Of of, std::uint64_t id, std::uint64_t time_ns, std::uint64_t attribute) {
    auto& all = attributes[static_cast<std::size_t>(of)];
    const auto known = all.find(id);
    if (id == 0 || (known == all.end() && all.size() >= limits.attributed)) {
        ++anomalies;
        return;
    }
    std::vector<Attribute>& list = known == all.end() ? all[id] : known->second;
    const Attribute added{vocabulary::key_of(attribute), vocabulary::value_of(attribute), time_ns};
    const auto same =
        std::find_if(list.begin(), list.end(), [&](const Attribute& each) { return each.key == added.key; });
    if (same != list.end())
        *same = added;  // a key has one value: the newest
    else if (list.size() < limits.attributes)
        list.push_back(added);
    else
        ++anomalies;
}

void Model::Fold::forget_attributes(Of of, std::uint64_t id) {
    auto& all = attributes[static_cast<std::size_t>(of)];
    if (!all.empty()) all.erase(id);
}

void Model::Fold::span_begin(ThreadEntry& on, std::uint64_t time_ns, SpanId id, std::uint64_t name, NodeId at,
                             bool mark) {
    if (id == 0 || name > limits.names || open_spans.contains(id)) {
        ++anomalies;
        return;
    }
    Span span;
    span.id = id;
    span.name = static_cast<std::uint32_t>(name);
    span.thread = on.id;
    if (on.loop != nullptr && on.loop->loop->open_slice) span.task = on.loop->loop->open_slice->task;
    span.at = at;
    span.begin_ns = time_ns;
    span.mark = mark;
    if (mark) {
        span.end_ns = time_ns;
        keep_span(span);
        return;
    }
    add_open_span(span);
}

bool Model::Fold::add_open_span(const Span& span) {
    if (!open_spans.emplace(span.id, span).second) return false;
    if (open_spans.size() > limits.open_spans) {
        forget_attributes(Of::span, open_spans.begin()->first);
        open_spans.erase(open_spans.begin());
    }
    return true;
}

void Model::Fold::span_end(std::uint64_t time_ns, SpanId id) {
    const auto open = open_spans.find(id);
    if (open == open_spans.end()) return;  // its begin was lost
    open->second.end_ns = std::max(time_ns, open->second.begin_ns);
    keep_span(open->second);
    open_spans.erase(open);
}

void Model::Fold::keep_span(const Span& span) {
    spans.push_back(span);
    for (; spans.size() > limits.spans; spans.pop_front()) forget_attributes(Of::span, spans.front().id);
}

void Model::Fold::count(std::uint64_t time_ns, std::uint64_t name, std::uint64_t bits) {
    if (name == 0 || name > limits.names) {
        ++anomalies;
        return;
    }
    const auto id = static_cast<std::uint32_t>(name);
    const auto known = app_counters.find(id);
    if (known == app_counters.end() && app_counters.size() >= limits.counters) {
        ++anomalies;
        return;
    }
    Counter& counter = known != app_counters.end() ? known->second : app_counters[id];
    counter.name = id;
    counter.value = std::bit_cast<double>(bits);
    counter.time_ns = time_ns;
    ++counter.samples;
    counter.recent.push_back({time_ns, counter.value});
    bound(counter.recent, limits.counter_samples);
}

std::span<const Attribute> Model::attributes(Of of, std::uint64_t id) const {
    const auto& all = fold_->attributes[static_cast<std::size_t>(of)];
    const auto found = all.find(id);
    return found == all.end() ? std::span<const Attribute>{} : std::span<const Attribute>(found->second);
}

const Value* Model::value(ValueId id) const { return fold_->definitions.value(id); }
const std::deque<Span>& Model::spans() const { return fold_->spans; }

std::vector<const Span*> Model::open_spans() const {
    std::vector<const Span*> open;
    for (const auto& [id, span] : fold_->open_spans) open.push_back(&span);
    return open;
}

std::vector<const Counter*> Model::counters() const {
    std::vector<const Counter*> all;
    for (const auto& [name, counter] : fold_->app_counters) all.push_back(&counter);
    return all;
}

const std::vector<Runtime>& Model::runtimes() const { return fold_->runtimes; }

}  // namespace coroscope::model
