// The apps' side of the agent: one stream an app (proto/coroscope/v2/ingest.proto).
#pragma once

#include <atomic>

#include "coroscope/v2/ingest.grpc.pb.h"
#include "hub.hpp"
#include "options.hpp"
#include "stream_gauge.hpp"

namespace coroscope::server {

// gRPC's threads read messages into a bounded inbox, one thread a connection folds them: reading and folding overlap,
// and the fold of one app never waits for another's. Threads: gRPC's.
class IngestService final : public v2::Ingest::CallbackService {
public:
    IngestService(Hub& hub, const AgentOptions& options)
        : hub_(hub), options_(options), streams_(options.max_connections) {}

    grpc::ServerBidiReactor<v2::AppMessage, v2::AgentMessage>* Attach(grpc::CallbackServerContext* context) override;

    StreamGauge& streams() { return streams_; }

private:
    class Connection;

    Hub& hub_;
    const AgentOptions& options_;
    StreamGauge streams_;
    std::atomic<std::uint64_t> last_connection_{0};  // only counts: relaxed
};

}  // namespace coroscope::server
