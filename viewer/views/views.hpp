// The views, one function each. They draw into the current window, a panel or the whole area they are given.
#pragma once

#include "context.hpp"
#include "viewer/layout/panes.hpp"

namespace coroscope::viewer::views {

// The whole window: bars, the chosen view, overlays, keys. Between NewFrame() and Render().
void draw_frame(Context& context);

void draw_tasks(Context& context, const Box& box);
void draw_latency_strip(Context& context, const Box& box);
void draw_latency(Context& context, const Box& box);  // a strip per loop, histogram, the longest
void draw_timeline(Context& context, const Box& box);
void draw_problems(Context& context, const Box& box);
void draw_detail(Context& context, const Box& box);
void draw_health(Context& context, const Box& box);
void draw_bottom_tabs(Context& context, const Box& box);  // problems, detail, health behind tabs

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
