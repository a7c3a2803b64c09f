#include "view_state.hpp"

#include <algorithm>
#include <cmath>

namespace coroscope::viewer {

namespace {

constexpr double first_follow_span_ns = 10e9;
constexpr double newest_margin = 0.02;  // of the span, right of the newest event

}  // namespace

TimeRange history(const model::Model& model) {
    const auto begin = static_cast<double>(model.first_ns());
    return {begin, std::max(static_cast<double>(model.now_ns()), begin + shortest_span_ns)};
}

void ViewState::select(const model::Model& model, model::TaskId id, bool reveal_in_tree) {
    task = id;
    if (id == 0) return;
    navigation.visit(id);
    if (reveal_in_tree) {
        reveal(model, tree, toggled, id);
        scroll_to_task = true;
    }
}

void ViewState::select_none() { task = 0; }

void ViewState::go_back(const model::Model& model) {
    if (const model::TaskId id = navigation.back(); id != 0) {
        task = id;
        reveal(model, tree, toggled, id);
        scroll_to_task = true;
    }
}

void ViewState::go_forward(const model::Model& model) {
    if (const model::TaskId id = navigation.forward(); id != 0) {
        task = id;
        reveal(model, tree, toggled, id);
        scroll_to_task = true;
    }
}

void ViewState::choose_app(model::AppKey key) {
    if (app == key) return;
    app = key;
    task = 0;
    problem = 0;
    problem_identity.clear();
    navigation = {};
    toggled.clear();
    timeline = {};
}

void ViewState::choose_some_app(const model::Session& session) {
    const model::App* current = session.app(app);
    const bool looked_at = task != 0 || !timeline.follow;
    if (current != nullptr && (current->connected || looked_at)) return;
    model::AppKey best = 0;
    for (const auto& [key, one] : session.apps()) {
        const model::App* chosen = session.app(best);
        if (chosen == nullptr || one.connected || !chosen->connected) best = key;
    }
    if (current == nullptr || session.app(best)->connected) choose_app(best);
}

void ViewState::show_range(const TimeRange& range) {
    navigation.left(timeline.range.target());
    timeline.range.move(zoomed(range, range.middle_ns(), 1));
    timeline.follow = false;
}

void ViewState::jump_to(double time_ns, double around_ns) {
    const double span = around_ns > 0 ? around_ns : timeline.range.target().span_ns();
    show_range({time_ns - span / 2, time_ns + span / 2});
}

void ViewState::undo_range() {
    if (const auto range = navigation.undo()) {
        timeline.range.move(*range);
        timeline.follow = false;
    }
}

void ViewState::follow() { timeline.follow = true; }

void ViewState::fit(const model::Model& model) {
    const TimeRange all = history(model);
    show_range(around(all, 0.01, 0));
}

bool ViewState::advance(const model::Model& model, double elapsed_s, bool live) {
    if (model.now_ns() == 0) return false;
    const TimeRange all = history(model);
    if (!timeline.fitted) {
        // A file is shown whole; a live app from its newest seconds on.
        timeline.range.jump(around(all, 0.01, 0));
        timeline.follow = live;
        timeline.fitted = true;
        if (live) {
            const double span = std::min(first_follow_span_ns, std::max(all.span_ns() * 1.05, 1e9));
            timeline.range.jump({all.end_ns - span * (1 - newest_margin), all.end_ns + span * newest_margin});
        }
    }
    if (timeline.follow && live) {
        // While following, the right edge is where the newest is: no easing, or it would always lag behind.
        const double target = timeline.range.target().span_ns();
        const double eased = timeline.range.shown().span_ns();
        const double end = all.end_ns + target * newest_margin;
        const double step = std::abs(target - eased) > target * 1e-3 ? std::min(1.0, elapsed_s * 12) : 1.0;
        const double span = eased + (target - eased) * step;
        timeline.range.jump({end - span, end});
        if (step < 1) timeline.range.move({end - target, end});
        return step < 1;
    }
    return timeline.range.step(elapsed_s);
}

}  // namespace coroscope::viewer
