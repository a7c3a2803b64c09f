// The viewers' and commands' side of the agent (proto/coroscope/v1/observe.proto).
#pragma once

#include <functional>

#include "coroscope/v1/observe.grpc.pb.h"
#include "hub.hpp"
#include "options.hpp"
#include "stream_gauge.hpp"

namespace coroscope::server {

// Watch is a callback method with one thread a subscriber, which waits for the hub and for the subscriber's flow
// control in turn; Control and Status are short and run on gRPC's own threads.
class ObserveService final : public v1::Observe::WithCallbackMethod_Watch<v1::Observe::Service> {
public:
    // How long an app has to answer a command.
    static constexpr unsigned command_deadline_ms = 5'000;

    // `recording` gives the path of the file that is being recorded, or nothing.
    ObserveService(Hub& hub, const AgentOptions& options, std::function<std::string()> recording)
        : hub_(hub), options_(options), recording_(std::move(recording)), streams_(options.max_connections) {}

    StreamGauge& streams() { return streams_; }

    grpc::ServerWriteReactor<v1::WatchUpdate>* Watch(grpc::CallbackServerContext* context,
                                                     const v1::WatchRequest* request) override;
    grpc::Status Control(grpc::ServerContext* context, const v1::ControlRequest* request,
                         v1::ControlResponse* response) override;
    grpc::Status Status(grpc::ServerContext* context, const v1::StatusRequest* request,
                        v1::StatusResponse* response) override;

private:
    class Watcher;

    Hub& hub_;
    const AgentOptions& options_;
    const std::function<std::string()> recording_;
    StreamGauge streams_;
};

}  // namespace coroscope::server
