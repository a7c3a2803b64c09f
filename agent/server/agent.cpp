#include "agent.hpp"

#include <grpcpp/grpcpp.h>
#include <sys/stat.h>

#include <chrono>

#include "hub.hpp"
#include "ingest_service.hpp"
#include "log.hpp"
#include "observe_service.hpp"
#include "proto/address/default_address.hpp"
#include "recorder.hpp"

namespace coroscope::server {

struct Agent::Parts {
    explicit Parts(const AgentOptions& agent_options)
        : options(agent_options),
          hub(options),
          ingest(hub, options),
          observe(hub, options, [this] { return recording(); }) {}

    std::string recording() const { return recorder && recorder->recording() ? recorder->path() : std::string(); }

    const AgentOptions options;
    Hub hub;
    IngestService ingest;
    ObserveService observe;
    std::unique_ptr<Recorder> recorder;
    std::vector<std::unique_ptr<SocketFile>> sockets;
    std::vector<std::string> addresses;
    std::unique_ptr<grpc::Server> server;
};

namespace {

// How long streams may take to end by themselves when the agent stops, and what is left of calls after them.
constexpr std::chrono::seconds stop_grace{2};
constexpr std::chrono::milliseconds call_grace{100};

std::vector<AgentAddress> listen_addresses(const AgentOptions& options) {
    std::vector<AgentAddress> addresses;
    for (const std::string& text : options.listen) addresses.push_back(AgentAddress::parse(text));
    if (addresses.empty()) addresses.push_back(AgentAddress::parse(default_address()));
    for (const AgentAddress& address : addresses) require_listenable(address);
    return addresses;
}

// A unix socket gets its mode from the umask at bind: no moment at which others could connect.
class PrivateUmask {
public:
    PrivateUmask() : before_(::umask(0177)) {}
    ~PrivateUmask() { ::umask(before_); }
    PrivateUmask(const PrivateUmask&) = delete;
    PrivateUmask& operator=(const PrivateUmask&) = delete;

private:
    mode_t before_;
};

}  // namespace

Agent::Agent(const AgentOptions& options) : parts_(std::make_unique<Parts>(options)) {
    const std::vector<AgentAddress> addresses = listen_addresses(options);
    for (const AgentAddress& address : addresses) {
        if (address.kind == AgentAddress::Kind::unix_socket) {
            parts_->sockets.push_back(std::make_unique<SocketFile>(address.path));
        }
    }
    if (!options.record.empty()) {
        parts_->recorder =
            std::make_unique<Recorder>(parts_->hub, options.record, options.recorder_queue_bytes, options.retain_apps);
        if (!parts_->recorder->error().empty()) {
            throw RecordError("cannot record: " + parts_->recorder->error() + "; choose another file with --record");
        }
    }

    grpc::ServerBuilder builder;
    builder.SetMaxReceiveMessageSize(static_cast<int>(options.max_message_bytes));
    builder.SetMaxSendMessageSize(-1);
    builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT,
                               0);  // else a second agent on the port would quietly get half the apps
    builder.RegisterService(&parts_->ingest);
    builder.RegisterService(&parts_->observe);
    std::vector<int> ports(addresses.size(), 0);
    for (std::size_t i = 0; i < addresses.size(); ++i) {
        const AgentAddress& address = addresses[i];
        const std::string target = address.kind == AgentAddress::Kind::tcp ? address.text() : address.target();
        builder.AddListeningPort(target, grpc::InsecureServerCredentials(), &ports[i]);
    }
    {
        const PrivateUmask umask;
        parts_->server = builder.BuildAndStart();
    }
    for (std::size_t i = 0; i < addresses.size(); ++i) {
        if (!parts_->server || ports[i] == 0) {
            throw ListenError("cannot listen on " + addresses[i].text() +
                              ": the port is in use or not ours to take; choose another with --listen HOST:PORT");
        }
        AgentAddress bound = addresses[i];
        if (bound.kind == AgentAddress::Kind::tcp) bound.port = static_cast<std::uint16_t>(ports[i]);
        parts_->addresses.push_back(bound.text());
    }
}

Agent::~Agent() { stop(); }

const std::vector<std::string>& Agent::addresses() const { return parts_->addresses; }

void Agent::stop() {
    if (!parts_->server) return;
    parts_->hub.close("the agent stopped");
    const auto deadline = std::chrono::steady_clock::now() + stop_grace;
    parts_->ingest.streams().wait_until_none(deadline);
    parts_->observe.streams().wait_until_none(deadline);
    // Clients that sit idle on an open connection do not hear of the end until they look: not worth a wait.
    parts_->server->Shutdown(std::chrono::system_clock::now() + call_grace);
    parts_->server->Wait();
    if (parts_->recorder) parts_->recorder->stop();
    parts_->server.reset();
    parts_->sockets.clear();
}

}  // namespace coroscope::server
