// coroscope: see what an async program is doing, while it does it and afterwards.
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <utility>
#include <vector>

#include "command.hpp"
#include "output.hpp"

namespace {

using namespace coroscope::cli;

void add_all(Command root) {
    using namespace coroscope::cli;
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
    add_run(root);
    add_ps(root);
    add_tree(root);
    add_top(root);
    add_problems(root);
    add_why(root);
    add_view(root);
    add_export(root);
    add_index(root);
    add_attach(root);
    add_detach(root);
    add_stacks(root);
    add_threshold(root);
    add_cancel(root);
    add_agent(root);
    add_status(root);
}

int parse_and_run(int argc, char** argv) {
    CommandLine line("coroscope",
                     "coroscope shows what an async program is doing: its tasks, where each one waits, what blocks the "
                     "loop, what was forgotten.",
                     COROSCOPE_VERSION);
    add_all(line.root());
    std::vector<std::string> arguments(argv + 1, argv + argc);
    drop_run_marker(arguments);
    const Action action = line.parse(std::move(arguments));
    if (!action) return exit_ok;
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
    } catch (const Failure& failure) {
        std::fflush(stdout);
        std::fprintf(stderr, "coroscope: %s\n", failure.what());
        return failure.code();
    } catch (const std::exception& error) {
        std::fprintf(stderr, "coroscope: %s\n", error.what());
        return exit_failed;
    }
}
