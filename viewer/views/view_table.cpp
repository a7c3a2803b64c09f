// The table of views. A new view is a file with its draw function, and a row here.
#include <array>

#include "views.hpp"

namespace coroscope::viewer::views {

void draw_dashboard(Context& context, const Box& area);
void draw_latency(Context& context, const Box& area);
void draw_task_view(Context& context, const Box& area);
void draw_health(Context& context, const Box& area);

namespace {

std::size_t count_problems(const Context& context) { return context.derived.problems().size(); }

constexpr std::array table{
    View{.name = "dashboard",
         .title = "Dashboard",
         .key = '1',
         .shows = "tasks, latency, timeline and problems together",
         .draw = draw_dashboard},
    View{.name = "tasks",
         .title = "Tasks",
         .key = '2',
         .shows = "who created whom, and what each task waits for",
         .draw = draw_tasks},
    View{.name = "timeline",
         .title = "Timeline",
         .key = '3',
         .shows = "what each loop and each task did when",
         .draw = draw_timeline},
    View{.name = "latency",
         .title = "Latency",
         .key = '4',
         .shows = "how long the iterations of each loop took",
         .draw = draw_latency,
         .needs_latency = true},
    View{.name = "problems",
         .title = "Problems",
         .key = '5',
         .shows = "what is wrong, with evidence and advice",
         .draw = draw_problems,
         .count = count_problems},
    View{.name = "detail",
         .title = "Task",
         .key = '6',
         .shows = "the selected task: its await stack and its timeline",
         .draw = draw_task_view,
         .needs_task = true},
    View{.name = "health",
         .title = "Health",
         .key = '7',
         .shows = "whether the capture can be trusted",
         .draw = draw_health},
};

}  // namespace

std::span<const View> all_views() { return table; }

}  // namespace coroscope::viewer::views
