// The program: takes frames from the source, folds them, draws when something changed.
#pragma once

#include <chrono>
#include <memory>
#include <optional>

#include "agent/model/session.hpp"
#include "options.hpp"
#include "viewer/source/source.hpp"
#include "viewer/state/derived.hpp"
#include "viewer/state/source_info.hpp"
#include "viewer/state/view_state.hpp"
#include "window.hpp"

namespace coroscope::viewer {

class Application {
public:
    // Throws WindowError; std::runtime_error if the file cannot be read.
    explicit Application(const Options& options);

    void run();             // until the window is closed
    void run_screenshot();  // throws std::runtime_error

private:
    bool fold_waiting(double budget_s);  // true: something changed
    void update_source_info();
    bool source_changed();
    void draw(Pixels* pixels = nullptr);
    void apply_wishes();                        // --task, --problem
    double longest_wait_s(bool loading) const;  // for events, before the next turn of run()
    double now_s() const;

    Options options_;
    model::Limits limits_;
    model::Session session_{limits_};
    SourceInfo source_info_;
    ViewState state_;
    Derived derived_;
    std::optional<Window> window_;
    std::unique_ptr<Source> source_;  // after the window: its thread wakes it
    SourceStatus::Phase last_phase_ = SourceStatus::Phase::connecting;
    std::string last_message_;
    bool caught_up_ = false, more_to_fold_ = false, wishes_done_ = false;
    bool animating_ = false;
    int pictures_wanted_ = 0;   // to be drawn even if nothing changes
    bool changed_ = false;      // since the last picture
    double next_update_s_ = 0;  // when derived data is due again; 0: not
    double last_draw_s_ = 0;
    std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
};

}  // namespace coroscope::viewer
