// What the user asked for on the command line.
#pragma once

#include <string>

#include "viewer/state/view_state.hpp"

namespace coroscope::viewer {

struct Options {
    std::string where;           // a file or an address
    bool live = true;            // an address
    const View* view = nullptr;  // what to show first, a row of the table
    std::string screenshot;      // a PNG to write; empty: a window for the user
    int width = 1600, height = 1000;
    bool size_given = false;
    double after_s = 0;
    std::string task;         // id or name of the task to select
    std::size_t problem = 0;  // number of the problem to select, from 1; 0: none
};

inline constexpr int exit_failure = 1, exit_usage = 2;

// True: go on. False: leave with `exit_code`; what there was to say has been said.
bool parse_options(int argc, char** argv, Options& options, int& exit_code);

}  // namespace coroscope::viewer
