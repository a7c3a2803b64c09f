// The apps' side of the agent: one stream an app (proto/coroscope/v1/ingest.proto).
#pragma once

#include <atomic>

#include "coroscope/v1/ingest.grpc.pb.h"
#include "hub.hpp"
#include "options.hpp"

namespace coroscope::server {

// gRPC's threads read messages into a bounded inbox, one thread a connection folds them: reading and folding overlap,
// and the fold of one app never waits for another's. Threads: gRPC's.
class IngestService final : public v1::Ingest::CallbackService {
public:
    IngestService(Hub& hub, const AgentOptions& options) : hub_(hub), options_(options) {}

    grpc::ServerBidiReactor<v1::AppMessage, v1::AgentMessage>* Attach(grpc::CallbackServerContext* context) override;

    std::uint64_t refused() const { return refused_.load(std::memory_order_relaxed); }

private:
    class Connection;

    Hub& hub_;
    const AgentOptions& options_;
    // Counts; they order nothing.
    std::atomic<std::uint64_t> last_connection_{0};
    std::atomic<std::size_t> connections_{0};
    std::atomic<std::uint64_t> refused_{0};
};

}  // namespace coroscope::server
