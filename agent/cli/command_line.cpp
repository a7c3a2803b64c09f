#include "command_line.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <utility>

#include "command.hpp"

namespace coroscope::cli {

Option Option::required() {
    option_->required();
    return *this;
}

Option Option::type(const std::string& name) {
    option_->type_name(name);
    return *this;
}

Option Option::shows_default() {
    option_->capture_default_str();
    return *this;
}

Option Option::hidden() {
    option_->group("");
    return *this;
}

Option Option::excludes(Option other) {
    option_->excludes(other.option_);
    return *this;
}

Option Option::positive() {
    option_->check(CLI::PositiveNumber);
    return *this;
}

Option Option::range(double from, double to) {
    option_->check(CLI::Range(from, to));
    return *this;
}

Option Option::check(std::function<std::string(const std::string&)> problem_of) {
    option_->check(std::move(problem_of));
    return *this;
}

Command Command::subcommand(const std::string& name, const std::string& help) {
    return {app_->add_subcommand(name, help), chosen_};
}

void Command::footer(const std::string& text) { app_->footer(text); }

Option Command::option(const std::string& name, std::string& value, const std::string& help) {
    return Option(app_->add_option(name, value, help));
}

Option Command::option(const std::string& name, std::vector<std::string>& values, const std::string& help) {
    return Option(app_->add_option(name, values, help));
}

Option Command::option(const std::string& name, int& value, const std::string& help) {
    return Option(app_->add_option(name, value, help));
}

Option Command::option(const std::string& name, unsigned& value, const std::string& help) {
    return Option(app_->add_option(name, value, help));
}

Option Command::option(const std::string& name, std::size_t& value, const std::string& help) {
    return Option(app_->add_option(name, value, help));
}

Option Command::option(const std::string& name, double& value, const std::string& help) {
    return Option(app_->add_option(name, value, help));
}

Option Command::flag(const std::string& name, bool& value, const std::string& help) {
    return Option(app_->add_flag(name, value, help));
}

void Command::runs(Action action) {
    app_->callback([chosen = chosen_, action = std::move(action)] { *chosen = action; });
}

void Command::runs_with_rest(std::function<int(const std::vector<std::string>&)> action) {
    app_->prefix_command();
    app_->callback([app = app_, chosen = chosen_, action = std::move(action)] {
        *chosen = [action, rest = app->remaining()] { return action(rest); };
    });
}

CommandLine::CommandLine(const std::string& program, const std::string& description, const std::string& version)
    : app_(std::make_unique<CLI::App>(description, program)) {
    app_->set_version_flag("--version", program + " " + version);
    app_->require_subcommand(1);
}

CommandLine::~CommandLine() = default;

Command CommandLine::root() { return {app_.get(), &chosen_}; }

Action CommandLine::parse(std::vector<std::string> arguments) {
    std::reverse(arguments.begin(), arguments.end());  // as CLI11 takes them
    try {
        app_->parse(std::move(arguments));
    } catch (const CLI::Success& asked) {
        app_->exit(asked);
        return {};
    } catch (const CLI::ParseError& error) {
        throw Failure(std::string(error.what()) + "; see " + app_->get_name() + " --help", exit_usage);
    }
    return chosen_;
}

}  // namespace coroscope::cli
