// What the commands say about their arguments: options, flags, help. CLI11 parses them, behind this interface: its
// headers cost each file that calls them several seconds of compile time, and so only command_line.cpp does.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace coroscope::cli {

// What the command line asked for: runs after all of it was parsed, returns the exit code.
using Action = std::function<int()>;

// One argument of a command, for saying more about it. Copies are handles of the same.
class Option {
public:
    explicit Option(CLI::Option* option) : option_(option) {}

    Option required();
    Option type(const std::string& name);  // what stands for its value in the help
    Option shows_default();                // in the help
    Option hidden();                       // from the help
    Option excludes(Option other);
    Option positive();
    Option range(double from, double to);
    // Returns what is wrong with a value; empty: nothing.
    Option check(std::function<std::string(const std::string&)> problem_of);

private:
    CLI::Option* option_;
};

// One command, for saying what it takes and does. Copies are handles of the same. The variables that arguments are
// written to must outlive the parsing; an argument that is not given leaves its variable alone.
class Command {
public:
    Command(CLI::App* app, Action* chosen) : app_(app), chosen_(chosen) {}

    Command subcommand(const std::string& name, const std::string& help);
    void footer(const std::string& text);  // after the options, in the help

    // "-o,--output": an option; "file": an argument without a name.
    Option option(const std::string& name, std::string& value, const std::string& help);
    Option option(const std::string& name, std::vector<std::string>& values, const std::string& help);
    Option option(const std::string& name, int& value, const std::string& help);
    Option option(const std::string& name, unsigned& value, const std::string& help);
    Option option(const std::string& name, std::size_t& value, const std::string& help);
    Option option(const std::string& name, double& value, const std::string& help);
    Option flag(const std::string& name, bool& value, const std::string& help);

    void runs(Action action);
    // The same, with everything from the first argument on that is no option of this command.
    void runs_with_rest(std::function<int(const std::vector<std::string>& rest)> action);

private:
    CLI::App* app_;
    Action* chosen_;
};

// The whole line. It needs exactly one of its subcommands.
class CommandLine {
public:
    CommandLine(const std::string& program, const std::string& description, const std::string& version);
    ~CommandLine();

    Command root();
    // `arguments` without the program's name. The chosen command's action, empty if the line asked for help or the
    // version, which are printed. Throws Failure.
    Action parse(std::vector<std::string> arguments);

private:
    std::unique_ptr<CLI::App> app_;
    Action chosen_;
};

}  // namespace coroscope::cli
