// What the user sees of the session: which app, which task, which part of time, which pane. No ImGui: views change it,
// tests read it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "agent/model/session.hpp"
#include "navigation.hpp"
#include "view.hpp"
#include "viewer/layout/panes.hpp"
#include "viewer/layout/task_tree.hpp"
#include "viewer/layout/time_axis.hpp"

namespace coroscope::viewer {

enum class BottomTab : std::uint8_t { problems, detail, health };

struct TimelineState {
    EasedRange range;
    bool follow = true;                 // the newest stays at the right edge
    bool fitted = false;                // a range was chosen at all
    float scroll_px = 0;                // of the lanes, downwards
    std::optional<TimeRange> measure;   // left-drag
    std::optional<TimeRange> zoom_box;  // middle-drag
};

struct ViewState {
    const View* view = nullptr;  // a row of the table of views; nullptr until the first frame: its first row
    BottomTab tab = BottomTab::problems;
    bool show_tab = false;  // the tab was chosen by the program: the tab bar has to follow

    model::AppKey app = 0;
    model::TaskId task = 0;  // selected
    Navigation navigation;
    std::size_t problem = 0;       // selected in the list
    std::string problem_identity;  // of the one the user chose: the list is sorted anew as it grows
    bool scroll_to_problem = false;

    TreeOptions tree;
    Toggled toggled;
    bool scroll_to_task = false;

    TimelineState timeline;
    Splits splits;
    bool show_library = false;  // the library's own frames in stacks

    bool help_open = false;
    bool find_open = false;
    std::string find_text;
    std::size_t find_at = 0;  // highlighted result
    bool focus_filter = false;
    float scale = 1;  // the user's, on top of the screen's

    bool animating = false;  // a frame sets it: another is wanted

    // Selects a task and remembers the way back. `reveal_in_tree` scrolls the tree there.
    void select(const model::Model& model, model::TaskId id, bool reveal_in_tree = true);
    void select_none();
    // Steps through the tasks that were selected before.
    void go_back(const model::Model& model);
    void go_forward(const model::Model& model);

    void choose_app(model::AppKey key);
    // If the chosen app is not there: the newest that is connected, else the newest. If it ended while nothing in it
    // was looked at closer: the next connected one.
    void choose_some_app(const model::Session& session);
    void show(BottomTab chosen) { tab = chosen, show_tab = true; }

    // Timeline. All remember the range for undo and stop following, but for follow().
    void show_range(const TimeRange& range);
    void jump_to(double time_ns, double around_ns);
    void undo_range();
    void follow();
    void fit(const model::Model& model);
    // Once a frame: keeps the newest in sight while following, advances the easing. True while something moves.
    bool advance(const model::Model& model, double elapsed_s, bool live);
};

// The whole of an app's time.
TimeRange history(const model::Model& model);

}  // namespace coroscope::viewer
