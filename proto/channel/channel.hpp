// A gRPC channel to an agent: how an app, a command and a viewer connect.
#pragma once

#include <grpcpp/grpcpp.h>

#include <memory>

#include "proto/address/agent_address.hpp"

namespace coroscope {

// `max_receive_bytes` -1: no bound, for those that get keyframes. `arguments`: what else the caller wants.
inline std::shared_ptr<grpc::Channel> open_channel(const AgentAddress& address, int max_receive_bytes,
                                                   grpc::ChannelArguments arguments = {}) {
    arguments.SetMaxReceiveMessageSize(max_receive_bytes);
    arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);  // an agent is near: a proxy for the web does not lead to it
    // A channel that was refused waits before it tries again. Each has connections of its own, so that a new channel
    // tries at once.
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    return grpc::CreateCustomChannel(address.target(), grpc::InsecureChannelCredentials(), arguments);
}

}  // namespace coroscope
