// A view of the window: a row of the table in viewer/views/view_table.cpp, from which the menu, the keys, the help and
// the command line are made. The state holds the row that is shown; only the views can draw it.
#pragma once

#include <cstddef>
#include <string_view>

#include "viewer/layout/panes.hpp"

namespace coroscope::viewer {

namespace views {
struct Context;
}

struct View {
    std::string_view name;   // as --view takes it
    std::string_view title;  // of its button
    char key = 0;            // shows it
    std::string_view shows;  // one line of help
    void (*draw)(views::Context& context, const Box& area) = nullptr;
    std::size_t (*count)(const views::Context& context) = nullptr;  // a number beside the title; 0 is not written
    bool needs_task = false;     // it is about the selected task: one is selected if the user selected none
    bool needs_latency = false;  // it reads Derived::latency()
};

}  // namespace coroscope::viewer
