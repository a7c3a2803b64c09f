#include "source.hpp"

#include <cstdio>

#include "agent/server/address.hpp"
#include "client.hpp"
#include "coroscope/v1/session.pb.h"
#include "output.hpp"
#include "proto/address/default_address.hpp"
#include "proto/container/trace_file.hpp"

namespace coroscope::cli {

namespace {

Source load_file(const std::string& path) {
    trace::Reader reader(path);
    if (!reader.ok()) throw Failure(reader.error());
    Source source;
    source.name = path;
    const bool whole = reader.read([&](const v1::Frame& frame) {
        source.session.apply(frame);
        return true;
    });
    if (!whole) std::fprintf(stderr, "coroscope: warning: %s: %s\n", path.c_str(), reader.warning().c_str());
    if (source.session.bad_frames() != 0) {
        std::fprintf(stderr, "coroscope: warning: %s: %llu frames could not be read and were skipped\n", path.c_str(),
                     static_cast<unsigned long long>(source.session.bad_frames()));
    }
    return source;
}

}  // namespace

void add_source(CLI::App& command, SourceOptions& options) {
    auto* positional = command.add_option("source", options.source, "A trace file, or the address of an agent")
                           ->type_name("FILE|ADDRESS");
    command.add_option("--agent", options.agent, "A live agent: unix:PATH or HOST:PORT; default: " + default_address())
        ->type_name("ADDRESS")
        ->excludes(positional);
}

bool names_file(const SourceOptions& options) {
    return !options.source.empty() && !server::looks_like_address(options.source);
}

std::string agent_address(const SourceOptions& options) {
    if (names_file(options))
        throw Failure(options.source + " is a file; this needs the address of a live agent", exit_usage);
    if (!options.source.empty()) return options.source;
    return options.agent.empty() ? default_address() : options.agent;
}

Source load(const SourceOptions& options) {
    if (names_file(options)) return load_file(options.source);
    Client client(agent_address(options));
    Source source;
    source.session = client.snapshot();
    source.live = true;
    source.name = client.address();
    return source;
}

}  // namespace coroscope::cli
