#include "options.hpp"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <iostream>

#include "proto/address/default_address.hpp"
#include "viewer/source/source.hpp"
#include "viewer/views/views.hpp"

namespace coroscope::viewer {

namespace {

constexpr int smallest_px = 200, largest_px = 8192;

std::string parse_size(const std::string& text, Options& options) {
    int width = 0, height = 0;
    char rest = 0;
    if (std::sscanf(text.c_str(), "%dx%d%c", &width, &height, &rest) != 2)
        return "'" + text + "' is no size; write 1600x1000";
    if (width < smallest_px || height < smallest_px || width > largest_px || height > largest_px) {
        return "a size is between " + std::to_string(smallest_px) + " and " + std::to_string(largest_px) +
               " pixels each way";
    }
    options.width = width;
    options.height = height;
    options.size_given = true;
    return {};
}

std::string parse_view(const std::string& text, Options& options) {
    options.view = views::find_view(text);
    if (options.view != nullptr) return {};
    return "there is no view '" + text + "'; there are: " + views::view_names();
}

}  // namespace

bool parse_options(int argc, char** argv, Options& options, int& exit_code) {
    CLI::App command(
        "Shows what async programs do: task trees, timelines, loop latency, problems; live or from a trace file.",
        "coroscope-viewer");
    command.footer(
        "Examples:\n"
        "  coroscope-viewer                  the apps of the default agent, live\n"
        "  coroscope-viewer t.cst            a trace file\n"
        "  coroscope-viewer localhost:6670   another agent\n"
        "  xvfb-run -a coroscope-viewer t.cst --screenshot t.png   without a display\n"
        "\n"
        "Environment: COROSCOPE_SCALE=1.5 makes everything larger than the screen's own scale says.\n"
        "Keys and mouse: press ? in the window.");
    std::string where, size, view(views::all_views().front().name);
    command.add_option("where", where, "A trace file, or an agent's address: unix:PATH, HOST:PORT")
        ->type_name("[FILE|ADDRESS]");
    command.add_option("--view", view, "What to show first: " + views::view_names())->type_name("NAME");
    command.add_option("--size", size, "Of the window, default 1600x1000")->type_name("WxH");
    command.add_option("--task", options.task, "Select a task by its id or name")->type_name("TASK");
    command.add_option("--problem", options.problem, "Select the problem of this number, 1 is the worst")
        ->type_name("N");
    command.add_option("--screenshot", options.screenshot, "Draw the window unseen, write it to this PNG, and exit")
        ->type_name("OUT.png");
    command
        .add_option("--after", options.after_s,
                    "Screenshot: let this much time pass first; a file is read whole in any case")
        ->type_name("SECONDS")
        ->check(CLI::Range(0.0, 86400.0));
    command.set_version_flag("--version", "coroscope-viewer " COROSCOPE_VERSION);
    try {
        command.parse(argc, argv);
    } catch (const CLI::Success& success) {
        exit_code = command.exit(success);
        return false;
    } catch (const CLI::ParseError& error) {
        std::cerr << "coroscope-viewer: " << error.what() << "\nTry: coroscope-viewer --help\n";
        exit_code = exit_usage;
        return false;
    }
    std::string problem = size.empty() ? "" : parse_size(size, options);
    if (problem.empty()) problem = parse_view(view, options);
    if (!problem.empty()) {
        std::cerr << "coroscope-viewer: " << problem << '\n';
        exit_code = exit_usage;
        return false;
    }
    options.where = where.empty() ? default_address() : where;
    options.live = where.empty() || is_address(where);
    return true;
}

}  // namespace coroscope::viewer
