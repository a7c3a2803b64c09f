// coroscope status: how the agent itself is doing.
#include <memory>

#include "client.hpp"
#include "command.hpp"
#include "output.hpp"
#include "proto/words/utf8.hpp"
#include "source.hpp"

namespace coroscope::cli {

namespace {

struct StatusOptions {
    SourceOptions source;
    bool json = false;
};

int run_status(const StatusOptions& options) {
    Client client(agent_address(options.source));
    const v2::StatusResponse status = client.status();
    if (options.json) {
        print_json({{"address", client.address()},
                    {"agent", status.agent()},
                    {"pid", status.pid()},
                    {"apps", status.apps()},
                    {"apps_connected", status.apps_connected()},
                    {"subscribers", status.subscribers()},
                    {"events", status.events()},
                    {"frames_dropped", status.frames_dropped()},
                    {"recording", status.recording().empty() ? Json(nullptr) : Json(status.recording())}});
        return exit_ok;
    }
    print_table(
        {{"address", client.address()},
         {"agent", words::printable(status.agent()) + ", pid " + std::to_string(status.pid())},
         {"apps", std::to_string(status.apps_connected()) + " connected, " + std::to_string(status.apps()) + " seen"},
         {"subscribers", std::to_string(status.subscribers())},
         {"events", std::to_string(status.events())},
         {"dropped", std::to_string(status.frames_dropped()) + " frames, to slow subscribers"},
         {"recording", status.recording().empty() ? "no" : words::printable(status.recording())}});
    return exit_ok;
}

}  // namespace

void add_status(Command root) {
    auto options = std::make_shared<StatusOptions>();
    Command command = root.subcommand("status", "Say how the agent itself is doing");
    add_source(command, options->source);
    command.flag("--json", options->json, "Print JSON");
    command.footer("Example:\n  coroscope status --agent localhost:6670");
    command.runs([options] { return run_status(*options); });
}

}  // namespace coroscope::cli
