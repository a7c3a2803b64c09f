#include "source.hpp"

#include <cstdio>

#include "agent/trace/load.hpp"
#include "client.hpp"
#include "moment.hpp"
#include "output.hpp"
#include "proto/address/agent_address.hpp"
#include "proto/address/default_address.hpp"

namespace coroscope::cli {

namespace {

Source load_file(const std::string& path, const std::string& at) {
    trace::Loaded loaded = at.empty() ? trace::load(path) : trace::load_at(path, parse_moment(at).value());
    if (!loaded.error.empty()) throw Failure(loaded.error);
    if (!loaded.warning.empty()) std::fprintf(stderr, "coroscope: warning: %s\n", loaded.warning.c_str());
    Source source;
    source.session = std::move(loaded.session);
    source.name = path;
    source.damage = loaded.warning;
    return source;
}

}  // namespace

void add_source(Command command, SourceOptions& options) {
    const Option positional =
        command.option("source", options.source, "A trace file, or the address of an agent").type("FILE|ADDRESS");
    command.option("--agent", options.agent, "A live agent: unix:PATH or HOST:PORT; default: " + default_address())
        .type("ADDRESS")
        .excludes(positional);
}

void add_moment(Command command, SourceOptions& options) {
    command
        .option("--at", options.at,
                "Of a trace file, the state at this time: seconds since the recording began, or a wall-clock time "
                "as 2026-11-26T14:03:07.25")
        .type("TIME")
        .check([](const std::string& text) {
            return parse_moment(text) ? "" : "'" + text + "' is neither seconds nor a time as 2026-11-26T14:03:07.25";
        });
}

bool names_file(const SourceOptions& options) { return !options.source.empty() && !looks_like_address(options.source); }

std::string agent_address(const SourceOptions& options) {
    if (names_file(options))
        throw Failure(options.source + " is a file; this needs the address of a live agent", exit_usage);
    if (!options.source.empty()) return options.source;
    return options.agent.empty() ? default_address() : options.agent;
}

Source load(const SourceOptions& options) {
    if (!options.at.empty() && !names_file(options))
        throw Failure("--at needs a trace file; a live agent has only its present state", exit_usage);
    if (names_file(options)) return load_file(options.source, options.at);
    Client client(agent_address(options));
    Source source;
    source.session = client.snapshot();
    source.live = true;
    source.name = client.address();
    return source;
}

}  // namespace coroscope::cli
