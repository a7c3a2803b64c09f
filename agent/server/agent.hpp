// The agent: apps come in at one end, viewers and commands read at the other, a trace file is written on the side.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "options.hpp"
#include "proto/address/agent_address.hpp"
#include "socket_file.hpp"

namespace coroscope::server {

// Listens from construction on. Its own threads do the work. Construct, stop() and destroy on one thread.
//
//     server::Agent agent(options);       // throws ListenError, AddressError, RecordError
//     for (const auto& address : agent.addresses()) std::puts(address.c_str());
//     ...
//     agent.stop();
class Agent {
public:
    explicit Agent(const AgentOptions& options);
    ~Agent();  // stop()
    Agent(const Agent&) = delete;
    Agent& operator=(const Agent&) = delete;

    // Where it listens, with the ports that the system chose. As AgentAddress::parse() reads them.
    const std::vector<std::string>& addresses() const;

    // Tells apps and subscribers, finishes the trace file, removes the sockets. At most about 2 s.
    void stop();

private:
    struct Parts;
    std::unique_ptr<Parts> parts_;
};

// The trace file cannot be written.
class RecordError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

}  // namespace coroscope::server
