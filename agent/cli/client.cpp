#include "client.hpp"

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <filesystem>

#include "agent/server/version.hpp"
#include "command.hpp"
#include "output.hpp"
#include "proto/channel/channel.hpp"
#include "proto/words/utf8.hpp"

namespace coroscope::cli {

namespace {

std::chrono::system_clock::time_point within(unsigned ms) {
    return std::chrono::system_clock::now() + std::chrono::milliseconds(ms);
}

AgentAddress parse(const std::string& text) {
    try {
        return AgentAddress::parse(text);
    } catch (const AddressError& error) {
        throw Failure(error.what(), exit_usage);
    }
}

}  // namespace

std::string absolute_address(const std::string& text) {
    AgentAddress address = parse(text);
    if (address.kind == AgentAddress::Kind::unix_socket)
        address.path = std::filesystem::absolute(address.path).string();
    return address.text();
}

Client::Client(const std::string& address) {
    const AgentAddress parsed = parse(address);
    address_ = parsed.text();
    connect();
}

void Client::connect() { stub_ = v2::Observe::NewStub(open_channel(AgentAddress::parse(address_), -1)); }

void Client::fail(const grpc::Status& status) const {
    switch (status.error_code()) {
        case grpc::StatusCode::UNAVAILABLE:
            throw Failure("no agent answers at " + address_ +
                          "; start one with `coroscope agent`, or give a trace file");
        case grpc::StatusCode::DEADLINE_EXCEEDED:
            throw Failure("the agent at " + address_ +
                          " did not answer in time; it may be stopped or overloaded: restart it");
        case grpc::StatusCode::UNIMPLEMENTED:
            throw Failure("what answers at " + address_ +
                          " is no coroscope agent of this version; give another --agent");
        default: throw Failure("the agent at " + address_ + " says: " + words::printable(status.error_message()));
    }
}

grpc::Status Client::ask(v2::StatusResponse& response, unsigned deadline_ms) {
    grpc::ClientContext context;
    context.set_deadline(within(deadline_ms));
    v2::StatusRequest request;
    server::set_protocol_version(*request.mutable_version());
    return stub_->Status(&context, request, &response);
}

v2::StatusResponse Client::status() {
    v2::StatusResponse response;
    const grpc::Status status = ask(response, answer_deadline_ms);
    if (!status.ok()) fail(status);
    return response;
}

bool Client::answers() {
    // A channel that was refused once waits before it tries again: each question is put on a new one.
    connect();
    v2::StatusResponse response;
    const grpc::StatusCode code = ask(response, 3'000).error_code();
    if (code == grpc::StatusCode::UNAVAILABLE) return false;
    if (code == grpc::StatusCode::OK) return true;
    fail(grpc::Status(code, "cannot be asked"));
}

std::unique_ptr<ClientStream> Client::follow() {
    v2::WatchRequest request;
    server::set_protocol_version(*request.mutable_version());
    request.set_follow(true);
    return std::make_unique<ClientStream>(*stub_, request);
}

model::Session Client::snapshot(model::Limits limits) {
    grpc::ClientContext context;
    context.set_deadline(within(answer_deadline_ms));
    v2::WatchRequest request;
    server::set_protocol_version(*request.mutable_version());
    const auto stream = stub_->Watch(&context, request);
    model::Session session(limits);
    for (v2::WatchUpdate update; stream->Read(&update);) {
        if (update.has_frame()) session.apply(update.frame());
    }
    const grpc::Status status = stream->Finish();
    if (!status.ok()) fail(status);
    return session;
}

v2::CommandResult Client::control(model::AppKey app, const v2::Command& command) {
    grpc::ClientContext context;
    context.set_deadline(within(answer_deadline_ms));
    v2::ControlRequest request;
    server::set_protocol_version(*request.mutable_version());
    request.set_app(app);
    *request.mutable_command() = command;
    v2::ControlResponse response;
    const grpc::Status status = stub_->Control(&context, request, &response);
    if (!status.ok()) fail(status);
    return response.result();
}

}  // namespace coroscope::cli
