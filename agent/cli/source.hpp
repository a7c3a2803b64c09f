// Where a command reads from: a live agent or a trace file, folded into a session either way.
#pragma once

#include <memory>
#include <string>

#include "agent/model/session.hpp"
#include "command.hpp"

namespace coroscope::cli {

struct SourceOptions {
    std::string agent;   // --agent ADDRESS
    std::string source;  // positional: a trace file or an address
    std::string at;      // --at TIME, of a trace file; empty: its end
};

// Adds [FILE|ADDRESS] and --agent ADDRESS to a subcommand.
void add_source(Command command, SourceOptions& options);
// Adds --at TIME: what is loaded is the state at that moment of a trace file.
void add_moment(Command command, SourceOptions& options);

struct Source {
    model::Session session;
    bool live = false;   // an agent's; else a file's
    std::string name;    // address or path
    std::string damage;  // of a file that is damaged or cut off: what is wrong; else empty
};

// Throws Failure. A file that is cut off opens up to there, with a warning on stderr.
Source load(const SourceOptions& options);

// The address that the options name, or the default. Throws Failure if they name a file.
std::string agent_address(const SourceOptions& options);
bool names_file(const SourceOptions& options);

}  // namespace coroscope::cli
