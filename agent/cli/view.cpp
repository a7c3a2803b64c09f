// coroscope view: opens the window, which is a program of its own.
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>
#include <vector>

#include "command.hpp"

namespace coroscope::cli {

namespace {

constexpr const char* viewer_name = "coroscope-viewer";

// Beside this program first: the viewer that was built with it. Else whatever PATH has.
void exec(const std::vector<std::string>& arguments) {
    std::vector<char*> argv;
    argv.reserve(arguments.size() + 1);
    for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);
    std::error_code ignored;
    const auto self = std::filesystem::read_symlink("/proc/self/exe", ignored);
    if (!self.empty()) ::execv((self.parent_path() / viewer_name).c_str(), argv.data());
    ::execvp(viewer_name, argv.data());
}

int run_view(const std::vector<std::string>& remaining) {
    std::vector<std::string> arguments{viewer_name};
    arguments.insert(arguments.end(), remaining.begin(), remaining.end());
    exec(arguments);
    const int error = errno;
    if (error == ENOENT) {
        throw Failure("coroscope-viewer is neither beside coroscope nor on PATH; build it with ./dev build");
    }
    throw Failure(std::string("cannot start coroscope-viewer: ") + std::strerror(error));
}

}  // namespace

void add_view(Command root) {
    Command command = root.subcommand("view", "Open the window: live task trees, timelines, loop latency, problems");
    command.footer(
        "[FILE|ADDRESS] and every other argument go to coroscope-viewer; `coroscope-viewer --help` lists them.\n"
        "\n"
        "Examples:\n"
        "  coroscope view                  the apps of the default agent, live\n"
        "  coroscope view t.cst            a trace file\n"
        "  coroscope view localhost:6670   another agent");
    command.runs_with_rest(run_view);
}

}  // namespace coroscope::cli
