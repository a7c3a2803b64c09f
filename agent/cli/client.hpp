// A command's end of the conversation with an agent.
#pragma once

#include <memory>
#include <string>

#include "agent/model/session.hpp"
#include "coroscope/v2/observe.pb.h"

namespace coroscope::cli {

// An open Watch. read() on one thread, cancel() from any: read() then ends.
class ClientStream {
public:
    class Call;  // gRPC's side of it: its headers are in client.cpp alone, for they make every file slow to compile

    explicit ClientStream(std::unique_ptr<Call> call);
    ~ClientStream();

    bool read(v2::WatchUpdate& update);  // false: it has ended
    void cancel();

private:
    std::unique_ptr<Call> call_;
};

// An address as it may be given to a program, which may have another folder: the path of a socket is absolute. Throws
// Failure.
std::string absolute_address(const std::string& text);

// Every call throws Failure: "no agent answers at ...; start one with `coroscope agent` ..." and the like.
class Client {
public:
    // How long an agent may take to answer: it sends keyframes of all apps, which can be large.
    static constexpr unsigned answer_deadline_ms = 20'000;

    explicit Client(const std::string& address);  // as Address::parse() reads it
    ~Client();

    v2::StatusResponse status();
    // The state of all apps now.
    model::Session snapshot(model::Limits limits = {});
    // All of it, from now on.
    std::unique_ptr<ClientStream> follow();
    v2::CommandResult control(model::AppKey app, const v2::Command& command);
    // Somebody answers there. No Failure when not.
    bool answers();

    const std::string& address() const { return address_; }

private:
    class Connection;

    std::string address_;
    std::unique_ptr<Connection> connection_;
};

}  // namespace coroscope::cli
