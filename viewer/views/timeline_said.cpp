// What the app said, in the timeline: a task's spans below its lane, its marks on it, counters in lanes of their own.
#include <imgui.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <optional>
#include <string>
#include <vector>

#include "agent/words/annotation.hpp"
#include "agent/words/where.hpp"
#include "proto/words/amount.hpp"
#include "timeline_parts.hpp"
#include "viewer/ui/widgets.hpp"

namespace coroscope::viewer::views {

namespace {

namespace color = ui::color;
using ui::px;

constexpr float span_row = 15, counter_lane = 34;
constexpr std::size_t most_counters = 8;

std::uint64_t end_of(const model::Model& model, const model::Span& span) {
    return span.end_ns != 0 ? span.end_ns : std::max(model.now_ns(), span.begin_ns);
}

// Narrower ones than a pixel are drawn once for the pixel.
std::optional<model::Span> draw_row(const Context& context, const LaneArea& area, const std::vector<model::Span>& row,
                                    float y) {
    const model::Model& model = context.model();
    const float height = px(span_row) - px(2);
    std::optional<model::Span> under;
    float drawn_to = area.axis.left_px - 1;
    const auto first =
        std::upper_bound(row.begin(), row.end(), area.axis.range.begin_ns, [](double time, const model::Span& span) {
            return span.end_ns == 0 || time < static_cast<double>(span.end_ns);
        });
    for (auto span = first; span != row.end() && static_cast<double>(span->begin_ns) < area.axis.range.end_ns; ++span) {
        const float x0 = std::max(area.axis.x(span->begin_ns), area.axis.left_px - 2);
        const float x1 = std::max(std::min(area.axis.x(end_of(model, *span)), area.axis.right_px() + 2), x0 + 1.5f);
        if (x1 <= drawn_to) continue;
        drawn_to = x1;
        area.list.AddRectFilled({x0, y}, {x1, y + height}, ui::with_alpha(color::accent, 0.28f),
                                x1 - x0 > px(6) ? px(2) : 0);
        area.list.AddRectFilled({x0, y}, {std::min(x0 + px(2), x1), y + height}, color::accent);
        bar_label(area, x0, x1, y, height, words::annotation_name(model, span->name), color::text);
        if (mouse_in(area, y, y + height) && area.mouse.x >= x0 - 1 && area.mouse.x <= x1 + 1) under = *span;
    }
    return under;
}

// The values of a counter as heights, of which zero is always in sight. Of those in one pixel, the range.
class Plot {
public:
    Plot(const LaneArea& area, const model::Counter& counter, float top, float height)
        : area_(area), top_(top), height_(height) {
        for (const model::CounterSample& sample : counter.recent) {
            if (!std::isfinite(sample.value)) continue;
            least_ = std::min(least_, sample.value);
            most_ = std::max(most_, sample.value);
        }
        if (most_ <= least_) most_ = least_ + 1;
    }

    // Values in order of time; each lasts until x1.
    void add(float x0, float x1, double value) {
        if (!pending_) low_ = high_ = value, x0_ = x0, pending_ = true;
        low_ = std::min(low_, value);
        high_ = std::max(high_, value);
        if (x1 - x0_ >= 1) draw(x1, value);
    }

private:
    float at(double value) const {
        const auto share = static_cast<float>((value - least_) / (most_ - least_));
        return top_ + height_ - px(2) - share * (height_ - px(4));
    }
    void draw(float x1, double value) {
        const double far = std::abs(high_) >= std::abs(low_) ? high_ : low_;
        area_.list.AddRectFilled({x0_, std::min(at(far), at(0))}, {x1, std::max(at(far), at(0))},
                                 ui::with_alpha(color::accent, 0.35f));
        area_.list.AddRectFilled({x0_, at(high_) - px(0.6f)}, {low_ < high_ ? x0_ + 1 : x1, at(low_) + px(0.6f)},
                                 color::accent);
        if (low_ < high_) area_.list.AddLine({x0_, at(value)}, {x1, at(value)}, color::accent, px(1.2f));
        pending_ = false;
    }

    const LaneArea& area_;
    const float top_, height_;
    double least_ = 0, most_ = 0, low_ = 0, high_ = 0;
    float x0_ = 0;
    bool pending_ = false;
};

void draw_counter(const model::Model& model, const LaneArea& area, const model::Counter& counter, float top,
                  float height) {
    gutter_name(area, top, height, words::annotation_name(model, counter.name), words::value_text(counter.value),
                color::text, 0, false);
    area.list.PushClipRect({area.axis.left_px, area.top}, {area.axis.right_px(), area.bottom}, true);
    area.list.AddRectFilled({area.axis.left_px, top}, {area.axis.right_px(), top + height}, ui::rgb(0xffffff, 7));
    Plot plot(area, counter, top, height);
    const bool hovered = mouse_in(area, top, top + height) && area.mouse.x >= area.axis.left_px;
    std::string under;
    const auto& samples = counter.recent;
    auto sample = std::lower_bound(
        samples.begin(), samples.end(), area.axis.range.begin_ns,
        [](const model::CounterSample& each, double time) { return static_cast<double>(each.time_ns) < time; });
    if (sample != samples.begin()) --sample;  // its value lasts into the range
    for (; sample != samples.end() && static_cast<double>(sample->time_ns) < area.axis.range.end_ns; ++sample) {
        if (!std::isfinite(sample->value)) continue;
        const float x0 = std::max(area.axis.x(sample->time_ns), area.axis.left_px - 2);
        const auto next = std::next(sample);
        const float x1 = area.axis.x(next != samples.end() ? next->time_ns : std::max(model.now_ns(), sample->time_ns));
        plot.add(x0, std::min(x1, area.axis.right_px() + 2), sample->value);
        if (hovered && area.mouse.x >= x0 && area.mouse.x < x1) under = words::value_text(sample->value);
    }
    area.list.PopClipRect();
    if (under.empty()) return;
    ui::begin_tooltip();
    ui::text(words::annotation_name(model, counter.name), color::dim);
    ui::text(under, color::bright);
    ui::end_tooltip();
}

}  // namespace

Drawn draw_spans(const Context& context, const LaneArea& area, model::TaskId task, float y) {
    Drawn drawn{y, {}};
    const SaidOfTask* said = context.derived.said().find(task);
    if (said == nullptr) return drawn;
    area.list.PushClipRect({area.axis.left_px, area.top}, {area.axis.right_px(), area.bottom}, true);
    for (const auto& row : said->rows) {
        if (drawn.next_y < area.bottom && drawn.next_y + px(span_row) > area.top)
            if (const auto span = draw_row(context, area, row, drawn.next_y))
                drawn.hit = Hit{.task = task, .said = span};
        drawn.next_y += px(span_row);
    }
    area.list.PopClipRect();
    if (!said->rows.empty()) drawn.next_y += lane_gap();
    return drawn;
}

std::optional<Hit> draw_marks(const Context& context, const LaneArea& area, model::TaskId task, float y, float height) {
    const SaidOfTask* said = context.derived.said().find(task);
    if (said == nullptr) return std::nullopt;
    std::optional<Hit> hit;
    float drawn_at = area.axis.left_px - 10;
    const float r = px(4.5f), middle = y + height / 2;
    const auto first = std::lower_bound(
        said->marks.begin(), said->marks.end(), area.axis.range.begin_ns,
        [](const model::Span& mark, double time) { return static_cast<double>(mark.begin_ns) < time; });
    for (auto mark = first; mark != said->marks.end(); ++mark) {
        const float x = area.axis.x(mark->begin_ns);
        if (x > area.axis.right_px()) break;
        const bool under = mouse_in(area, y, y + height) && std::abs(area.mouse.x - x) <= r;
        if (under) hit = Hit{.task = task, .said = *mark};
        if (x - drawn_at < 1 && !under) continue;
        drawn_at = x;
        area.list.AddQuadFilled({x, middle - r}, {x + r, middle}, {x, middle + r}, {x - r, middle},
                                under ? color::bright : color::accent);
        area.list.AddQuad({x, middle - r}, {x + r, middle}, {x, middle + r}, {x - r, middle}, color::well, px(1));
    }
    return hit;
}

Drawn draw_counter_lanes(const Context& context, const LaneArea& area, float y) {
    const model::Model& model = context.model();
    Drawn drawn{y, {}};
    const std::vector<const model::Counter*> counters = model.counters();
    for (std::size_t i = 0; i < counters.size() && i < most_counters; ++i) {
        const float top = drawn.next_y;
        drawn.next_y += px(counter_lane) + lane_gap();
        if (top > area.bottom || drawn.next_y < area.top) continue;
        draw_counter(model, area, *counters[i], top, px(counter_lane));
    }
    if (counters.size() > most_counters) {
        ui::draw_text(area.list, {area.left + px(4), drawn.next_y + px(3)}, color::faint,
                      "+ " + words::full_count(counters.size() - most_counters) + " more counters", ui::fonts().small);
        drawn.next_y += px(20);
    }
    return drawn;
}

void said_tooltip(const Context& context, const model::Span& said) {
    const model::Model& model = context.model();
    ui::text((said.mark ? "mark  " : "span  ") + words::annotation_name(model, said.name), color::bright);
    if (!said.mark) {
        const std::string length = words::duration(end_of(model, said) - said.begin_ns);
        ui::text(said.end_ns == 0 ? "for " + length + " so far" : length);
    }
    ui::text("at " + since_start(context, static_cast<double>(said.begin_ns)), color::dim);
    if (const std::string where = words::place(words::where(model, said.at)); !where.empty())
        ui::text(where, color::link);
    if (const std::string attributes = words::attributes_text(model, model::Model::Of::span, said.id);
        !attributes.empty())
        ui::text(attributes, color::text);
}

}  // namespace coroscope::viewer::views
