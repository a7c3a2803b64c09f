// coroscope run: a program in debug mode, with an agent started where none answers.
#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "client.hpp"
#include "command.hpp"
#include "process.hpp"
#include "proto/address/default_address.hpp"
#include "stream_recorder.hpp"

namespace coroscope::cli {

namespace {

struct RunOptions {
    std::string agent = default_address(), record;
    bool keep_agent = false;
};

// The agent that this command started.
class OwnAgent {
public:
    OwnAgent(const std::string& address, bool keep, const BlockedSignals& signals) : keep_(keep) {
        int ends[2];
        if (::pipe2(ends, O_CLOEXEC) != 0) throw Failure(std::string("cannot start an agent: ") + std::strerror(errno));
        Spawn agent;
        agent.arguments = {own_path(), "agent", "--quiet", "--listen", address};
        if (!keep) agent.arguments.insert(agent.arguments.end(), {"--end-with-parent", std::to_string(::getpid())});
        agent.own_group = true;
        agent.discard_errors = keep;
        agent.stdout_fd = ends[1];
        pid_ = spawn(agent, signals.before());
        ::close(ends[1]);
        const bool ready = pid_ > 0 && says_something(ends[0]);
        ::close(ends[0]);
        if (!ready) stop();
    }
    ~OwnAgent() {
        if (!keep_) stop();
    }
    OwnAgent(const OwnAgent&) = delete;
    OwnAgent& operator=(const OwnAgent&) = delete;

private:
    static constexpr int start_deadline_ms = 10'000;

    // Its "listening on ..." line. It ends without one if it cannot.
    static bool says_something(int fd) {
        pollfd readable{fd, POLLIN, 0};
        char byte = 0;
        return ::poll(&readable, 1, start_deadline_ms) == 1 && ::read(fd, &byte, 1) == 1;
    }

    void stop() {
        if (pid_ <= 0) return;
        ::kill(pid_, SIGTERM);
        ::waitpid(pid_, nullptr, 0);
        pid_ = 0;
    }

    pid_t pid_ = 0;
    const bool keep_;
};

std::unique_ptr<OwnAgent> ensure_agent(Client& client, const RunOptions& options, const BlockedSignals& signals) {
    if (client.answers()) return nullptr;
    auto agent = std::make_unique<OwnAgent>(client.address(), options.keep_agent, signals);
    // Another `coroscope run` may have been faster; then its agent serves.
    if (!client.answers()) {
        throw Failure("could not start an agent at " + client.address() + "; give another address with --agent");
    }
    return agent;
}

// What the program said last must reach the agent before the agent is ended.
void let_apps_leave(Client& client) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(2);
    while (std::chrono::steady_clock::now() < deadline) {
        try {
            if (client.status().apps_connected() == 0) return;
        } catch (const Failure&) {
            return;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
}

pid_t start(const std::vector<std::string>& arguments, const std::string& address, const BlockedSignals& signals) {
    Spawn program;
    program.arguments = arguments;
    program.environment = {"COROSCOPE=" + address};
    const pid_t pid = spawn(program, signals.before());
    if (pid > 0) return pid;
    const std::string why = std::strerror(-pid);
    throw Failure("cannot run " + arguments.front() + ": " + why, pid == -ENOENT ? 127 : 126);
}

int run_run(const RunOptions& options, const std::vector<std::string>& program) {
    if (program.empty()) throw Failure("run what? give a program: coroscope run -- PROGRAM ARGS...", exit_usage);
    const BlockedSignals signals;  // before gRPC starts threads: they would take the signals
    Client client(absolute_address(options.agent));
    const std::unique_ptr<OwnAgent> agent = ensure_agent(client, options, signals);
    std::optional<StreamRecorder> recorder;
    if (!options.record.empty()) recorder.emplace(client, options.record);

    const pid_t pid = start(program, client.address(), signals);
    const int status = wait_and_forward(pid, signals);
    if (recorder) recorder->finish(pid);
    if (agent && !options.keep_agent) let_apps_leave(client);
    return exit_code(status);
}

}  // namespace

void add_run(Command root) {
    auto options = std::make_shared<RunOptions>();
    Command command =
        root.subcommand("run", "Run a program in debug mode, with an agent: run [OPTIONS] [--] PROGRAM ARGS...");
    command.option("--record", options->record, "Write what the program tells to a trace file").type("FILE");
    command.option("--agent", options->agent, "The agent: unix:PATH or localhost:PORT").type("ADDRESS").shows_default();
    command.flag("--keep-agent", options->keep_agent, "An agent started by this stays when the program has ended");
    command.footer(
        "Sets COROSCOPE for the program. Where no agent answers, one is started in the background; it ends with the "
        "program\n"
        "unless --keep-agent is given. Signals are passed on; the exit code is the program's (128 + N if signal N "
        "killed it,\n"
        "127 if there is no such program).\n"
        "\n"
        "Examples:\n"
        "  coroscope run ./app --its-own-option\n"
        "  coroscope run --record run.cst -- ./app\n"
        "  coroscope problems run.cst");
    command.runs_with_rest([options](const std::vector<std::string>& program) { return run_run(*options, program); });
}

void drop_run_marker(std::vector<std::string>& arguments) {
    if (arguments.empty() || arguments.front() != "run") return;
    for (std::size_t i = 1; i < arguments.size() && arguments[i].substr(0, 1) == "-"; ++i) {
        if (arguments[i] == "--") {
            arguments.erase(arguments.begin() + static_cast<std::ptrdiff_t>(i));
            return;
        }
        if (arguments[i] == "--record" || arguments[i] == "--agent") ++i;  // their value
    }
}

}  // namespace coroscope::cli
