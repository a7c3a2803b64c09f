// coroscope agent: collects what apps tell, serves viewers and commands, records.
#include "agent/server/agent.hpp"

#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cstdio>
#include <memory>

#include "agent/server/log.hpp"
#include "agent/server/version.hpp"
#include "command.hpp"
#include "output.hpp"
#include "proto/address/default_address.hpp"

namespace coroscope::cli {

namespace {

struct AgentOptions {
    server::AgentOptions agent;
    bool quiet = false;
    pid_t parent = 0;  // hidden: end when this process does
};

// SIGTERM and SIGINT, blocked in all threads and waited for by this one. Block before the first thread starts.
sigset_t block_end_signals() {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
    return set;
}

void end_with(pid_t parent) {
    if (parent == 0) return;
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (::getppid() != parent) ::raise(SIGTERM);  // it died before we asked to be told
}

int run_agent(const AgentOptions& options) {
    server::start_log(options.quiet);
    ::signal(SIGPIPE, SIG_IGN);
    ::signal(SIGXFSZ, SIG_IGN);  // a limit on file sizes is to be an error of write(), not our end
    const sigset_t ends = block_end_signals();
    end_with(options.parent);

    std::unique_ptr<server::Agent> agent;
    try {
        agent = std::make_unique<server::Agent>(options.agent);
    } catch (const AddressError& error) {
        throw Failure(error.what(), exit_usage);
    }
    for (const std::string& address : agent->addresses()) print("listening on " + address + "\n");
    finish_output();
    if (!options.agent.record.empty()) spdlog::info("recording to {}", options.agent.record);

    int signal_number = 0;
    ::sigwait(&ends, &signal_number);
    spdlog::info("stopping: {}", ::strsignal(signal_number));
    // The second one ends at once, whatever hangs.
    ::signal(signal_number, SIG_DFL);
    ::pthread_sigmask(SIG_UNBLOCK, &ends, nullptr);
    agent->stop();
    return exit_ok;
}

}  // namespace

void add_agent(Command root) {
    auto options = std::make_shared<AgentOptions>();
    Command command = root.subcommand("agent", "Collect what apps tell, serve viewers and commands, record");
    command
        .option("--listen", options->agent.listen,
                "Where to listen: unix:PATH or localhost:PORT, several times; default: " + default_address())
        .type("ADDRESS");
    command.option("--record", options->agent.record, "Write everything to a trace file as well").type("FILE");
    command.option("--retain", options->agent.retain_apps, "How many ended apps are kept").shows_default();
    command.flag("-q,--quiet", options->quiet, "Log warnings and errors only");
    command.option("--end-with-parent", options->parent, "").hidden();
    command.footer(
        "It logs to stderr, says `listening on ADDRESS` on stdout when it is ready, and ends in order on SIGINT or "
        "SIGTERM.\n"
        "Any user of this machine can reach a TCP port; a unix socket is yours alone.\n"
        "\n"
        "Examples:\n"
        "  coroscope agent\n"
        "  coroscope agent --record run.cst\n"
        "  coroscope agent --listen unix:/run/user/1000/a.sock --listen localhost:6670");
    command.runs([options] { return run_agent(*options); });
}

}  // namespace coroscope::cli
