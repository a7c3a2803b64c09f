#include "client.hpp"

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <filesystem>
#include <utility>

#include "agent/server/version.hpp"
#include "command.hpp"
#include "coroscope/v2/observe.grpc.pb.h"
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

v2::WatchRequest watch_request(bool follow) {
    v2::WatchRequest request;
    server::set_protocol_version(*request.mutable_version());
    request.set_follow(follow);
    return request;
}

}  // namespace

std::string absolute_address(const std::string& text) {
    AgentAddress address = parse(text);
    if (address.kind == AgentAddress::Kind::unix_socket)
        address.path = std::filesystem::absolute(address.path).string();
    return address.text();
}

class ClientStream::Call {
public:
    Call(v2::Observe::Stub& stub, const v2::WatchRequest& request) : reader_(stub.Watch(&context_, request)) {}

    bool read(v2::WatchUpdate& update) { return reader_->Read(&update); }
    void cancel() { context_.TryCancel(); }

private:
    grpc::ClientContext context_;
    std::unique_ptr<grpc::ClientReader<v2::WatchUpdate>> reader_;
};

ClientStream::ClientStream(std::unique_ptr<Call> call) : call_(std::move(call)) {}
ClientStream::~ClientStream() = default;
bool ClientStream::read(v2::WatchUpdate& update) { return call_->read(update); }
void ClientStream::cancel() { call_->cancel(); }

// Calls of an agent's service. What is not answered in time, or with an error, throws Failure.
class Client::Connection {
public:
    explicit Connection(const std::string& address)
        : address_(address), stub_(v2::Observe::NewStub(open_channel(AgentAddress::parse(address), -1))) {}

    v2::Observe::Stub& stub() { return *stub_; }

    template <class Request, class Response>
    using Method = grpc::Status (v2::Observe::Stub::*)(grpc::ClientContext*, const Request&, Response*);

    template <class Request, class Response>
    grpc::Status ask(Method<Request, Response> method, Request& request, Response& response,
                     unsigned deadline_ms = answer_deadline_ms) {
        grpc::ClientContext context;
        context.set_deadline(within(deadline_ms));
        server::set_protocol_version(*request.mutable_version());
        return (*stub_.*method)(&context, request, &response);
    }

    void check(const grpc::Status& status) const {
        switch (status.error_code()) {
            case grpc::StatusCode::OK: return;
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

private:
    std::string address_;
    std::unique_ptr<v2::Observe::Stub> stub_;
};

Client::Client(const std::string& address)
    : address_(parse(address).text()), connection_(std::make_unique<Connection>(address_)) {}

Client::~Client() = default;

v2::StatusResponse Client::status() {
    v2::StatusRequest request;
    v2::StatusResponse response;
    connection_->check(connection_->ask(&v2::Observe::Stub::Status, request, response));
    return response;
}

bool Client::answers() {
    // A channel that was refused once waits before it tries again: each question is put on a new one.
    connection_ = std::make_unique<Connection>(address_);
    v2::StatusRequest request;
    v2::StatusResponse response;
    const grpc::Status status = connection_->ask(&v2::Observe::Stub::Status, request, response, 3'000);
    if (status.error_code() == grpc::StatusCode::UNAVAILABLE) return false;
    connection_->check(status);
    return true;
}

std::unique_ptr<ClientStream> Client::follow() {
    return std::make_unique<ClientStream>(
        std::make_unique<ClientStream::Call>(connection_->stub(), watch_request(true)));
}

model::Session Client::snapshot(model::Limits limits) {
    grpc::ClientContext context;
    context.set_deadline(within(answer_deadline_ms));
    const auto stream = connection_->stub().Watch(&context, watch_request(false));
    model::Session session(limits);
    for (v2::WatchUpdate update; stream->Read(&update);) {
        if (update.has_frame()) session.apply(update.frame());
    }
    connection_->check(stream->Finish());
    return session;
}

v2::CommandResult Client::control(model::AppKey app, const v2::Command& command) {
    v2::ControlRequest request;
    request.set_app(app);
    *request.mutable_command() = command;
    v2::ControlResponse response;
    connection_->check(connection_->ask(&v2::Observe::Stub::Control, request, response));
    return response.result();
}

}  // namespace coroscope::cli
