// coroscope attach, detach, threshold: debug mode of a program that runs, without an end and a new start of it.
#include <charconv>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>

#include "app_link.hpp"
#include "choose.hpp"
#include "client.hpp"
#include "command.hpp"
#include "describe.hpp"
#include "output.hpp"
#include "proto/address/default_address.hpp"
#include "proto/words/amount.hpp"
#include "proto/words/utf8.hpp"

namespace coroscope::cli {

namespace {

constexpr std::string_view file_prefix = "file:";

struct AttachOptions {
    pid_t pid = 0;
    std::string to;              // attach
    std::string app, threshold;  // threshold
    std::string agent;           // the same
};

// The program has another folder than this command.
std::string absolute_target(const std::string& target) {
    if (!target.starts_with(file_prefix)) return absolute_address(target);
    const std::string path = target.substr(file_prefix.size());
    if (path.empty()) throw Failure("--to file: needs a path: file:t.cst", exit_usage);
    return std::string(file_prefix) + std::filesystem::absolute(path).string();
}

void require_agent(const std::string& address, pid_t pid) {
    if (Client(address).answers()) return;
    throw Failure("no agent answers at " + address +
                  "; start one with `coroscope agent`, or have a file written: coroscope attach " +
                  std::to_string(pid) + " --to file:t.cst");
}

std::string sends_to(const std::string& target) {
    return target.starts_with(file_prefix) ? "writes " + target.substr(file_prefix.size()) : "sends to " + target;
}

int attach(const AttachOptions& options) {
    const AppState before = app_state(options.pid);
    if (before.on)
        throw Failure(title(before) + " is in debug mode already, and " + sends_to(before.target) +
                      "; for another target, first: coroscope detach " + std::to_string(options.pid));
    const std::string wanted = !options.to.empty()     ? options.to
                               : before.target.empty() ? default_address()
                                                       : before.target;
    const std::string target = absolute_target(wanted);
    if (!target.starts_with(file_prefix)) require_agent(target, options.pid);
    const Json answer = ask_app(options.pid, "attach " + target);
    const std::string now = answer.value("target", target);
    const std::string source = now.starts_with(file_prefix) ? " " + now.substr(file_prefix.size()) : "";
    print("debug mode is on in " + title(before) + "; it " + words::printable(sends_to(now)) +
          "; look: coroscope problems" + words::printable(source) + "\n");
    return exit_ok;
}

int detach(const AttachOptions& options) {
    const AppState before = app_state(options.pid);
    if (!before.on) throw Failure(title(before) + " is not in debug mode");
    ask_app(options.pid, "detach");
    const bool to_file = before.target.starts_with(file_prefix);
    print("debug mode is off in " + title(before) +
          (to_file ? "; the file is complete: " + words::printable(before.target.substr(file_prefix.size())) : "") +
          "\n");
    return exit_ok;
}

// "50ms", "1.5s", "200us"; nullopt: none.
std::optional<std::uint64_t> parse_duration(const std::string& text) {
    double number = 0;
    const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (wrong != std::errc() || number <= 0 || number > 1e9) return std::nullopt;
    const std::string unit(end, text.data() + text.size());
    for (const auto& [name, ns] : {std::pair("us", 1e3), std::pair("ms", 1e6), std::pair("s", 1e9)})
        if (unit == name) return static_cast<std::uint64_t>(std::llround(number * ns));
    return std::nullopt;
}

// 0: `text` is a name.
pid_t pid_from(const std::string& text) {
    pid_t pid = 0;
    const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), pid);
    return wrong == std::errc() && end == text.data() + text.size() && pid > 0 ? pid : 0;
}

// Through the agent: the app may be on another machine, or of another runtime.
std::string set_by_agent(const AttachOptions& options, std::uint64_t ns) {
    Client client(options.agent.empty() ? default_address() : options.agent);
    const model::Session session = client.snapshot();
    const model::App& app = choose_app(session, options.app);
    v2::Command command;
    command.set_slow_step_ns(ns);
    const v2::CommandResult result = client.control(app.key, command);
    if (!result.done()) throw Failure(app_title(app) + " says: " + words::printable(result.error()));
    return app_title(app);
}

int set_threshold(const AttachOptions& options) {
    const auto ns = parse_duration(options.threshold);
    if (!ns || *ns < 1'000)
        throw Failure("'" + options.threshold + "' is no duration of 1 us or more; write 50ms, 1.5s or 200us",
                      exit_usage);
    const pid_t pid = pid_from(options.app);
    std::string changed;
    if (options.agent.empty() && pid != 0 && listens(pid)) {
        changed = title(app_state(pid));
        ask_app(pid, "threshold " + std::to_string(*ns));
    } else {
        changed = set_by_agent(options, *ns);
    }
    print("from now on, a step of " + words::duration(*ns) + " or more is slow in " + changed + "\n");
    return exit_ok;
}

}  // namespace

void add_attach(Command root) {
    auto options = std::make_shared<AttachOptions>();
    Command command = root.subcommand("attach", "Switch debug mode on in a program that runs");
    command.option("pid", options->pid, "The process").required().type("PID").positive();
    command
        .option("--to", options->to,
                "Where the program is to send to: unix:PATH, HOST:PORT or file:PATH; default: what its "
                "COROSCOPE=standby:TARGET says, or the agent at " +
                    default_address())
        .type("TARGET");
    command.footer(
        "The program was started with COROSCOPE=standby, which costs nothing while nobody asks. Its tasks appear as "
        "they\n"
        "are: where each one waits, but not what happened before. To end it: coroscope detach PID. With\n"
        "COROSCOPE_SIGNAL=USR2 in the program's environment, kill -USR2 PID does the same.\n"
        "\n"
        "Examples:\n"
        "  COROSCOPE=standby ./app &\n"
        "  coroscope attach $!                     to the default agent\n"
        "  coroscope attach $! --to file:t.cst     into a file");
    command.runs([options] { return attach(*options); });
}

void add_detach(Command root) {
    auto options = std::make_shared<AttachOptions>();
    Command command = root.subcommand("detach", "Switch debug mode off in a program that runs");
    command.option("pid", options->pid, "The process").required().type("PID").positive();
    command.footer("The program runs on, and can be attached to again.\n\nExample:\n  coroscope detach 4711");
    command.runs([options] { return detach(*options); });
}

void add_threshold(Command root) {
    auto options = std::make_shared<AttachOptions>();
    Command command = root.subcommand("threshold", "Set the length from which a step of a live app is too long");
    command.option("app", options->app, "The app: its pid, or its name under the agent").required().type("APP");
    command.option("duration", options->threshold, "50ms, 1.5s, 200us").required().type("DURATION");
    command
        .option("--agent", options->agent,
                "Through this agent; default: the process itself, or the agent at " + default_address())
        .type("ADDRESS");
    command.footer(
        "Steps that are longer are problems, and a thread that hangs for longer is looked at. At its start an app has\n"
        "100 ms, or what COROSCOPE_SLOW_STEP says.\n"
        "\n"
        "Example:\n"
        "  coroscope threshold 4711 50ms");
    command.runs([options] { return set_threshold(*options); });
}

}  // namespace coroscope::cli
