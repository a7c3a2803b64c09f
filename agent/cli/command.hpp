// What the subcommands share: how one is added, how it fails.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

namespace coroscope::cli {

// Exit codes.
inline constexpr int exit_ok = 0;
inline constexpr int exit_failed = 1;  // what was asked for could not be done
inline constexpr int exit_usage = 2;
inline constexpr int exit_unknown = 2;  // `problems --exit-code`: no problem was found, but not everything was seen

// Ends the command: main() prints "coroscope: <what>" to stderr. The text says what is wrong and what to do.
class Failure : public std::runtime_error {
public:
    explicit Failure(const std::string& what, int code = exit_failed) : std::runtime_error(what), code_(code) {}
    int code() const { return code_; }

private:
    int code_;
};

// What the command line asked for: runs after all of it was parsed, returns the exit code.
using Action = std::function<int()>;

// Each adds one subcommand; parsing it sets `action`.
void add_agent(CLI::App& root, Action& action);
void add_run(CLI::App& root, Action& action);
void add_ps(CLI::App& root, Action& action);
void add_tree(CLI::App& root, Action& action);
void add_top(CLI::App& root, Action& action);
void add_problems(CLI::App& root, Action& action);
void add_why(CLI::App& root, Action& action);
void add_export(CLI::App& root, Action& action);
void add_view(CLI::App& root, Action& action);
void add_index(CLI::App& root, Action& action);
void add_cancel(CLI::App& root, Action& action);
void add_status(CLI::App& root, Action& action);
void add_attach(CLI::App& root, Action& action);
void add_detach(CLI::App& root, Action& action);
void add_stacks(CLI::App& root, Action& action);
void add_threshold(CLI::App& root, Action& action);

// Takes the "--" out of `run [OPTIONS] -- PROGRAM ...`: CLI11 would give what follows it to the root command.
void drop_run_marker(std::vector<std::string>& arguments);

}  // namespace coroscope::cli
