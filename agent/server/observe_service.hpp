// The viewers' and commands' side of the agent (proto/coroscope/v2/observe.proto).
#pragma once

#include <functional>

#include "coroscope/v2/observe.grpc.pb.h"
#include "hub.hpp"
#include "options.hpp"
#include "stream_gauge.hpp"

namespace coroscope::server {

// Watch is a callback method with one thread a subscriber, which waits for the hub and for the subscriber's flow
// control in turn; Control and Status are short and run on gRPC's own threads.
class ObserveService final : public v2::Observe::WithCallbackMethod_Watch<v2::Observe::Service> {
public:
    // How long an app has to answer a command.
    static constexpr unsigned command_deadline_ms = 5'000;

    // `recording` gives the path of the file that is being recorded, or nothing.
    ObserveService(Hub& hub, const AgentOptions& options, std::function<std::string()> recording)
        : hub_(hub), options_(options), recording_(std::move(recording)), streams_(options.max_connections) {}

    StreamGauge& streams() { return streams_; }

    grpc::ServerWriteReactor<v2::WatchUpdate>* Watch(grpc::CallbackServerContext* context,
                                                     const v2::WatchRequest* request) override;
    grpc::Status Control(grpc::ServerContext* context, const v2::ControlRequest* request,
                         v2::ControlResponse* response) override;
    grpc::Status Status(grpc::ServerContext* context, const v2::StatusRequest* request,
                        v2::StatusResponse* response) override;

private:
    class Watcher;

    Hub& hub_;
    const AgentOptions& options_;
    const std::function<std::string()> recording_;
    StreamGauge streams_;
};

}  // namespace coroscope::server
