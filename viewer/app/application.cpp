#include "application.hpp"

#include <algorithm>
#include <stdexcept>

#include "png.hpp"
#include "proto/address/default_address.hpp"
#include "viewer/views/views.hpp"

namespace coroscope::viewer {

namespace {

constexpr double live_fold_budget_s = 0.008;     // of a picture
constexpr double loading_fold_budget_s = 0.030;  // nobody pans while a file loads
constexpr double data_frame_s = 1.0 / 30;        // between pictures that only new data asks for
constexpr double idle_wait_s = 1.0;
constexpr int pictures_after_input = 3;  // hover, activation and layout settle one after another

SourceInfo info_of(const SourceStatus& status, std::size_t queued_bytes) {
    using Phase = SourceStatus::Phase;
    using Mood = SourceInfo::Mood;
    SourceInfo info;
    info.live = status.follows;
    info.name = status.name;
    info.message = status.message;
    info.progress = status.progress;
    info.frames = status.frames;
    info.bytes = status.bytes;
    info.queued_bytes = queued_bytes;
    info.frames_cut = status.frames_cut;
    info.connections = status.connections;
    switch (status.phase) {
        case Phase::connecting: info.phase = "connecting", info.mood = Mood::waiting; break;
        case Phase::live: info.phase = "live", info.mood = Mood::good; break;
        case Phase::lost: info.phase = "connection lost", info.mood = Mood::warning; break;
        case Phase::loading: info.phase = "reading", info.mood = Mood::waiting; break;
        case Phase::complete: info.phase = "trace file", info.mood = Mood::good; break;
        case Phase::cut_off: info.phase = "trace file, cut off", info.mood = Mood::warning; break;
        case Phase::failed: info.phase = "failed", info.mood = Mood::failed; break;
    }
    return info;
}

std::string title_of(const Options& options) { return options.where + " - coroscope"; }

}  // namespace

Application::Application(const Options& options) : options_(options) {
    state_.view = options.view;
    // A file that cannot be read is said before a window opens.
    const auto wake = [] { Window::wake(); };
    if (options.live) {
        window_.emplace(options.width, options.height, title_of(options), options.screenshot.empty());
        source_ = open_live(options.where, wake);
        return;
    }
    // Its thread may be done before there is a window to wake: run() looks by itself until the file is read.
    auto file = open_file(options.where, [] {});
    if (file->status().phase == SourceStatus::Phase::failed) throw std::runtime_error(file->status().message);
    window_.emplace(options.width, options.height, title_of(options), options.screenshot.empty());
    source_ = std::move(file);
}

double Application::now_s() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - began_).count();
}

bool Application::fold_waiting(double budget_s) {
    const Folded folded = fold(*source_, session_, limits_, budget_s);
    more_to_fold_ = folded.more;
    caught_up_ = caught_up_ || folded.caught_up;
    if (folded.reset) {
        derived_.forget();
        state_.choose_app(0);
    }
    return folded.frames > 0 || folded.reset || folded.caught_up;
}

void Application::update_source_info() {
    source_info_ = info_of(source_->status(), source_->items().queued_bytes());
    source_info_.default_address = options_.live && options_.where == default_address();
}

bool Application::source_changed() {
    const SourceStatus status = source_->status();
    const bool changed = status.phase != last_phase_ || status.message != last_message_;
    last_phase_ = status.phase;
    last_message_ = status.message;
    return changed;
}

void Application::draw(Pixels* pixels) {
    const double now = now_s();
    const double elapsed = std::clamp(now - last_draw_s_, 0.0, 0.1);
    last_draw_s_ = now;
    update_source_info();
    state_.choose_some_app(session_);
    const model::App* app = session_.app(state_.app);
    state_.animating = app != nullptr && state_.advance(app->model, elapsed, source_info_.live);
    next_update_s_ = derived_.update(session_, state_, now);
    window_->set_scale(state_.scale);
    window_->begin_frame();
    views::Context context{session_, app, source_info_, derived_, state_};
    views::draw_window(context);
    window_->end_frame(pixels);
    animating_ = state_.animating || state_.timeline.range.moving();
}

double Application::longest_wait_s(bool loading) const {
    double wait_s = idle_wait_s;
    if (pictures_wanted_ > 0 || animating_ || more_to_fold_) {
        wait_s = 0;
    } else if (changed_) {
        wait_s = std::max(0.0, last_draw_s_ + data_frame_s - now_s());
    } else if (next_update_s_ > 0) {
        wait_s = std::clamp(next_update_s_ - now_s(), 0.001, idle_wait_s);
    }
    // Nothing wakes the window while a file is read, see the constructor.
    return loading ? std::min(wait_s, data_frame_s) : wait_s;
}

void Application::run() {
    pictures_wanted_ = pictures_after_input;
    changed_ = true;
    while (!window_->should_close()) {
        const bool loading = !caught_up_ && !options_.live;
        if (window_->wait_events(longest_wait_s(loading))) pictures_wanted_ = pictures_after_input;
        if (fold_waiting(loading ? loading_fold_budget_s : live_fold_budget_s)) changed_ = true;
        if (source_changed()) changed_ = true;
        if (next_update_s_ > 0 && now_s() >= next_update_s_) changed_ = true;
        const bool data_due = changed_ && now_s() - last_draw_s_ >= data_frame_s;
        if (pictures_wanted_ == 0 && !animating_ && !data_due) continue;
        apply_wishes();
        draw();
        pictures_wanted_ = std::max(0, pictures_wanted_ - 1);
        changed_ = false;  // what is derived from the data and was not due yet has its time in next_update_s_
    }
}

void Application::apply_wishes() {
    if (wishes_done_ || !caught_up_ || more_to_fold_) return;
    wishes_done_ = true;
    state_.choose_some_app(session_);
    const model::App* app = session_.app(state_.app);
    if (app == nullptr) return;
    state_.advance(app->model, 0, options_.live);
    derived_.update(session_, state_, now_s());
    views::Context context{session_, app, source_info_, derived_, state_};
    if (options_.problem > 0) views::open_problem(context, options_.problem - 1);
    const auto matches = [&](const model::Task& task) {
        return std::to_string(task.id) == options_.task || app->model.task_name(task) == options_.task;
    };
    if (!options_.task.empty()) {
        for (const model::Task* task : app->model.all_tasks()) {
            if (!matches(*task)) continue;
            state_.select(app->model, task->id);
            state_.show(BottomTab::detail);
            break;
        }
    }
    // The view of a task needs one: that of the worst problem, else the newest alive, else any.
    if (options_.view->needs_task && state_.task == 0) {
        model::TaskId best = 0;
        for (const model::Task* task : app->model.all_tasks()) best = task->id;
        for (const model::Task* task : app->model.live_tasks()) best = task->id;
        for (const analysis::Problem& problem : derived_.problems()) {
            if (problem.app != state_.app || app->model.task(problem.task) == nullptr) continue;
            best = problem.task;
            break;
        }
        state_.select(app->model, best);
    }
}

void Application::run_screenshot() {
    constexpr double longest_settling_s = 5, longest_connecting_s = 5;
    double ready_s = -1;  // from when on --after counts
    for (;;) {
        window_->wait_events(0.01);
        fold_waiting(loading_fold_budget_s);
        // Live: from the start on, but not before the agent has told all it knows, or it is plain that there is none.
        const bool all_there = caught_up_ && !more_to_fold_;
        const bool no_answer = options_.live && (!source_->status().message.empty() || now_s() > longest_connecting_s);
        if ((all_there || no_answer) && ready_s < 0) ready_s = options_.live ? 0 : now_s();
        if (ready_s >= 0 && now_s() - ready_s >= options_.after_s) break;
        if (options_.after_s > 0 && now_s() - last_draw_s_ >= data_frame_s) draw();  // an app that runs is followed
    }
    apply_wishes();
    const double settling_s = now_s();
    // Until nothing moves and nothing that is derived waits for its turn; an app that runs never gets there.
    for (int n = 0; n < 4 || ((animating_ || next_update_s_ > 0) && now_s() - settling_s < longest_settling_s); ++n)
        draw();
    Pixels pixels;
    draw(&pixels);
    std::string error;
    if (pixels.width != options_.width || pixels.height != options_.height) {
        throw std::runtime_error("the display gave a window of " + std::to_string(pixels.width) + "x" +
                                 std::to_string(pixels.height) + " instead of " + std::to_string(options_.width) + "x" +
                                 std::to_string(options_.height) + "; use a smaller --size");
    }
    if (!write_png(options_.screenshot, pixels, error)) throw std::runtime_error(error);
}

}  // namespace coroscope::viewer
