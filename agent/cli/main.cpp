// coroscope: see what an async program is doing, while it does it and afterwards.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <vector>

#include "command.hpp"
#include "output.hpp"

namespace {

using coroscope::cli::Action;

void add_all(CLI::App& root, Action& action) {
    using namespace coroscope::cli;
    root.description(
        "coroscope shows what an async program is doing: its tasks, where each one waits, what blocks the loop, what "
        "was forgotten.");
    root.set_version_flag("--version", std::string("coroscope ") + COROSCOPE_VERSION);
    root.require_subcommand(1);
    root.footer(
        "Examples:\n"
        "  coroscope run ./app                 run a program in debug mode\n"
        "  coroscope ps                        its tasks, now\n"
        "  coroscope problems                  what is wrong with it\n"
        "  coroscope why TASK                  what a task really waits for\n"
        "  coroscope view                      all of that in a window\n"
        "  coroscope attach PID                the same for a program that runs, with COROSCOPE=standby\n"
        "  coroscope stacks PID                where each of its tasks waits, also while it hangs\n"
        "  COROSCOPE=file:t.cst ./app && coroscope problems t.cst      without an agent\n"
        "\n"
        "Exit codes: 0 all well, 1 what was asked for failed, 2 wrong usage; `run` passes the program's on, and\n"
        "`problems --exit-code` has its own.\n"
        "`coroscope COMMAND --help` tells more.");
    add_run(root, action);
    add_ps(root, action);
    add_tree(root, action);
    add_top(root, action);
    add_problems(root, action);
    add_why(root, action);
    add_view(root, action);
    add_export(root, action);
    add_index(root, action);
    add_attach(root, action);
    add_detach(root, action);
    add_stacks(root, action);
    add_threshold(root, action);
    add_cancel(root, action);
    add_agent(root, action);
    add_status(root, action);
}

int parse_and_run(int argc, char** argv) {
    using namespace coroscope::cli;
    CLI::App root;
    root.name("coroscope");
    Action action;
    add_all(root, action);
    try {
        std::vector<std::string> arguments(argv + 1, argv + argc);
        drop_run_marker(arguments);
        std::reverse(arguments.begin(), arguments.end());  // as CLI11 takes them
        root.parse(std::move(arguments));
    } catch (const CLI::Success& asked) {  // --help, --version
        return root.exit(asked);
    } catch (const CLI::ParseError& error) {
        std::fprintf(stderr, "coroscope: %s; see coroscope --help\n", error.what());
        return exit_usage;
    }
    const int code = action();
    finish_output();
    return code;
}

}  // namespace

int main(int argc, char** argv) {
    // gRPC's own lines on stderr are for its developers; ours say the same for people. GRPC_VERBOSITY brings them back.
    ::setenv("GRPC_VERBOSITY", "NONE", 0);
    try {
        return parse_and_run(argc, argv);
    } catch (const coroscope::cli::Failure& failure) {
        std::fflush(stdout);
        std::fprintf(stderr, "coroscope: %s\n", failure.what());
        return failure.code();
    } catch (const std::exception& error) {
        std::fprintf(stderr, "coroscope: %s\n", error.what());
        return coroscope::cli::exit_failed;
    }
}
