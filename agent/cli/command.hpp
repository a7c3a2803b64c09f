// What the subcommands share: how one is added, how it fails.
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

#include "command_line.hpp"

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

// Each adds one subcommand.
void add_agent(Command root);
void add_run(Command root);
void add_ps(Command root);
void add_tree(Command root);
void add_top(Command root);
void add_problems(Command root);
void add_why(Command root);
void add_export(Command root);
void add_view(Command root);
void add_index(Command root);
void add_cancel(Command root);
void add_status(Command root);
void add_attach(Command root);
void add_detach(Command root);
void add_stacks(Command root);
void add_threshold(Command root);

// Takes the "--" out of `run [OPTIONS] -- PROGRAM ...`: CLI11 would give what follows it to the root command.
void drop_run_marker(std::vector<std::string>& arguments);

}  // namespace coroscope::cli
