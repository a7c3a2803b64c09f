// The views, and the parts that they share. All draw into the current window, a panel or the whole area they are given.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "context.hpp"
#include "viewer/layout/panes.hpp"

namespace coroscope::viewer::views {

// The whole window: bars, the chosen view, overlays, keys. Between NewFrame() and Render().
void draw_window(Context& context);

// The table of views, in order of the menu; the first is shown at the start.
std::span<const View> all_views();
const View* find_view(std::string_view name);  // nullptr: there is none of that name
std::string view_names();                      // "dashboard, tasks, ..."

void draw_tasks(Context& context, const Box& box);
void draw_latency_strip(Context& context, const Box& box);
void draw_timeline(Context& context, const Box& box);
void draw_problems(Context& context, const Box& box);
void draw_detail(Context& context, const Box& box);

void draw_top_bar(Context& context, const Box& box);
void draw_status_bar(Context& context, const Box& box);
void draw_empty(Context& context, const Box& box);  // nothing to show yet: says what to do
void draw_help(Context& context);                   // overlay
void draw_finder(Context& context);                 // overlay: Ctrl+P
void handle_keys(Context& context);                 // those that hold everywhere

// The contents without the panel, for tabs.
void problems_contents(Context& context);
void detail_contents(Context& context);
void health_contents(Context& context);

// A problem was clicked: its app, its task, its time.
void open_problem(Context& context, std::size_t index);

}  // namespace coroscope::viewer::views
