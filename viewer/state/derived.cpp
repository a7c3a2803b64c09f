#include "derived.hpp"

#include <algorithm>
#include <bit>
#include <chrono>
#include <functional>

#include "agent/analysis/why.hpp"

namespace coroscope::viewer {

namespace {

constexpr std::size_t most_lanes = 14;

// How long something takes, for Throttle.
class Stopwatch {
public:
    double elapsed_s() const {
        return std::chrono::duration<double>(std::chrono::steady_clock::now() - began_).count();
    }

private:
    std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
};

std::uint64_t mix(std::uint64_t seed, std::uint64_t value) {
    return (seed ^ value) * 0x9e3779b97f4a7c15u + (seed >> 7);
}

std::uint64_t key_of(const ViewState& state) {
    std::uint64_t key = std::hash<std::string>{}(state.tree.filter);
    key = mix(key, state.app);
    key = mix(key, static_cast<std::uint64_t>(state.tree.sort) << 8 | (state.tree.descending ? 1u : 0u) |
                       (state.tree.show_done ? 2u : 0u) | (state.tree.fold ? 4u : 0u));
    for (const std::uint64_t toggled : state.toggled) key += toggled * 0xbf58476d1ce4e5b9u;  // in no order
    return mix(key, state.toggled.size());
}

std::uint64_t key_of(const TimeRange& range) {
    return mix(std::bit_cast<std::uint64_t>(range.begin_ns), std::bit_cast<std::uint64_t>(range.end_ns));
}

void add_lane(std::vector<Lane>& lanes, const Lane& lane) {
    const auto same = [&](const Lane& other) { return other.task == lane.task && other.root == lane.root; };
    if (lanes.size() < most_lanes && std::none_of(lanes.begin(), lanes.end(), same)) lanes.push_back(lane);
}

void add_task(std::vector<Lane>& lanes, const model::Model& model, model::TaskId task) {
    if (model.task(task) != nullptr) add_lane(lanes, {task, 0, 1});
}

// The selected task first, then those it has to do with, then the busiest in order of creation, which does not jump
// about.
std::vector<Lane> choose_lanes(const model::Model& model, const ViewState& state,
                               const std::vector<analysis::Part>& why) {
    constexpr std::size_t most_awaited = 4;
    std::vector<Lane> lanes;
    if (const model::Task* selected = model.task(state.task)) {
        add_task(lanes, model, selected->id);
        for (std::size_t i = 0; i < why.size() && i < most_awaited; ++i) add_task(lanes, model, why[i].task);
        add_task(lanes, model, selected->woken_by);
        add_task(lanes, model, selected->parent);
    }
    std::vector<Lane> busy = busiest_lanes(model, state.timeline.range.target(), most_lanes - lanes.size());
    std::sort(busy.begin(), busy.end(), [](const Lane& a, const Lane& b) {
        return a.group() != b.group() ? b.group() : a.task != b.task ? a.task < b.task : a.root < b.root;
    });
    for (const Lane& lane : busy) add_lane(lanes, lane);
    return lanes;
}

}  // namespace

std::string identity(const analysis::Problem& problem) {
    return problem.kind + "|" + std::to_string(problem.app) + "|" + problem.site.file + "|" +
           std::to_string(problem.site.line) + "|" + problem.site.function;
}

std::size_t index_of(const std::vector<analysis::Problem>& problems, const std::string& wanted, std::size_t otherwise) {
    for (std::size_t i = 0; i < problems.size() && !wanted.empty(); ++i) {
        if (identity(problems[i]) == wanted) return i;
    }
    return problems.empty() ? 0 : std::min(otherwise, problems.size() - 1);
}

double Derived::update(const model::Session& session, const ViewState& state, double now_s) {
    const model::App* app = session.app(state.app);
    std::uint64_t events = 0;
    for (const auto& [key, one] : session.apps()) events += one.model.events();
    rate_.add(now_s, events);
    update_problems(session, now_s);
    if (app == nullptr) return problems_due_.waiting() ? problems_due_.next_s() : 0;
    if (app_ != state.app) {
        forget();
        app_ = state.app;
    }
    update_tree(*app, state, now_s);
    for (const auto& loop : app->model.loops()) iterations_[loop->id].update(*loop);
    update_why(app->model, state.task, now_s);
    update_lanes(*app, state, now_s);
    if (state.view != nullptr && state.view->needs_latency) update_latency(*app, now_s);
    if (awaiters_due_.due(now_s, app->model.version(), state.task)) {
        const Stopwatch watch;
        awaiters_ = app->model.awaiters(state.task);
        awaiters_due_.took(now_s, watch.elapsed_s());
    }
    double next_s = 0;
    for (const Throttle* due : {&tree_due_, &problems_due_, &why_due_, &lanes_due_, &awaiters_due_, &latency_due_}) {
        if (due->waiting() && (next_s == 0 || due->next_s() < next_s)) next_s = due->next_s();
    }
    return next_s;
}

void Derived::update_tree(const model::App& app, const ViewState& state, double now_s) {
    if (!tree_due_.due(now_s, app.model.version(), key_of(state))) {
        return;
    }
    const Stopwatch watch;
    tree_.build(app.model, state.tree, state.toggled);
    tree_due_.took(now_s, watch.elapsed_s());
}

void Derived::update_problems(const model::Session& session, double now_s) {
    if (!problems_due_.due(now_s, session.version(), 0)) return;
    const Stopwatch watch;
    problems_ = analysis::find_problems(session);
    problems_due_.took(now_s, watch.elapsed_s());
}

void Derived::update_why(const model::Model& model, model::TaskId task, double now_s) {
    if (!why_due_.due(now_s, model.version(), task)) return;
    const Stopwatch watch;
    const model::Task* const selected = model.task(task);
    why_.clear();
    if (selected != nullptr && selected->state == model::State::suspended)
        why_ = analysis::why(model, analysis::WaitGraph(model), task);
    why_due_.took(now_s, watch.elapsed_s());
}

void Derived::update_latency(const model::App& app, double now_s) {
    if (!latency_due_.due(now_s, app.model.version(), app.key)) return;
    const Stopwatch watch;
    latency_.histogram.assign(LatencyDigest::bins, 0);
    for (const auto& loop : app.model.loops()) {
        const auto one = length_histogram(loop->iterations, LatencyDigest::bins_per_decade, LatencyDigest::bins);
        for (std::size_t i = 0; i < one.size(); ++i) latency_.histogram[i] += one[i];
    }
    latency_.longest = longest_iterations(app.model, LatencyDigest::most_longest);
    latency_due_.took(now_s, watch.elapsed_s());
}

void Derived::update_lanes(const model::App& app, const ViewState& state, double now_s) {
    // A moved range counts as new input, not as a choice: lanes that came and went while panning would be unreadable.
    const std::uint64_t range = state.timeline.follow ? 0 : key_of(state.timeline.range.target());
    if (lanes_due_.due(now_s, mix(range, app.model.version()), mix(state.app, state.task))) {
        const Stopwatch watch;
        shown_lanes_ = choose_lanes(app.model, state, why_);
        said_.update(app.model, shown_lanes_);
        lanes_due_.took(now_s, watch.elapsed_s());
    }
    lanes_.update(app.model, shown_lanes_);
}

std::size_t Derived::problems_of(model::AppKey app) const {
    return static_cast<std::size_t>(
        std::count_if(problems_.begin(), problems_.end(), [&](const auto& p) { return p.app == app; }));
}

const IterationIndex& Derived::iterations(model::LoopId loop) const {
    static const IterationIndex none;
    const auto at = iterations_.find(loop);
    return at == iterations_.end() ? none : at->second;
}

void Derived::forget() {
    tree_due_.reset();
    problems_due_.reset();
    why_due_.reset();
    lanes_due_.reset();
    awaiters_due_.reset();
    latency_due_.reset();
    latency_ = {};
    lanes_ = {};
    said_ = {};
    shown_lanes_.clear();
    iterations_.clear();
    awaiters_.clear();
    why_.clear();
}

}  // namespace coroscope::viewer
