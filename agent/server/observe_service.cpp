#include "observe_service.hpp"

#include <unistd.h>

#include <condition_variable>
#include <mutex>
#include <thread>

#include "log.hpp"
#include "version.hpp"

namespace coroscope::server {

// One subscriber. Its thread calls Finish() as its last act; OnDone() deletes this.
class ObserveService::Watcher final : public grpc::ServerWriteReactor<v2::WatchUpdate> {
public:
    Watcher(ObserveService& service, bool follow)
        : service_(service), subscription_(service.hub_.subscribe(follow, service.options_.subscriber_queue_bytes)) {
        std::thread([this] { run(); }).detach();
    }

    void OnWriteDone(bool ok) override {
        const std::scoped_lock lock(mutex_);
        written_ = true;
        ok_ = ok;
        changed_.notify_all();
    }
    void OnCancel() override { subscription_->close(true); }
    void OnDone() override {
        StreamGauge& streams = service_.streams_;
        {
            const std::scoped_lock lock(mutex_);
        }  // after all that run() did
        delete this;
        streams.leave();
    }

private:
    void run() {
        bool ok = true;
        while (ok) {
            const Update update = service_.hub_.next(*subscription_);
            if (!update) break;
            if (update->has_cut_back()) log_cut(update->cut_back().frames_dropped());
            ok = write(*update);
        }
        service_.hub_.unsubscribe(subscription_);
        {
            const std::scoped_lock lock(mutex_);
        }  // pairs with OnDone()'s: gRPC orders the two, but ThreadSanitizer cannot see it
        Finish(grpc::Status::OK);
    }

    // Not every cut: one who is always too slow would fill the log.
    void log_cut(std::uint64_t dropped) {
        if (dropped < log_again_at_) return;
        log_again_at_ = dropped * 8;
        spdlog::warn("a subscriber is too slow: {} frames so far were replaced by keyframes", dropped);
    }

    // Until the transport took it. False: the subscriber is gone.
    bool write(const v2::WatchUpdate& update) {
        std::unique_lock lock(mutex_);
        written_ = false;
        StartWrite(&update);
        changed_.wait(lock, [this] { return written_; });
        return ok_;
    }

    ObserveService& service_;
    const std::shared_ptr<Subscription> subscription_;
    std::uint64_t log_again_at_ = 1;  // the thread's own
    std::mutex mutex_;
    std::condition_variable changed_;
    bool written_ = false;  // under mutex_
    bool ok_ = true;        // under mutex_
};

namespace {

class Refusal final : public grpc::ServerWriteReactor<v2::WatchUpdate> {
public:
    explicit Refusal(const grpc::Status& status) { Finish(status); }
    void OnDone() override { delete this; }
};

grpc::Status check(const v2::ProtocolVersion& version, std::string_view who) {
    const std::string refused = refusal(version, who);
    if (refused.empty()) return grpc::Status::OK;
    spdlog::warn("refused: {}", refused);
    return {grpc::StatusCode::FAILED_PRECONDITION, refused};
}

}  // namespace

grpc::ServerWriteReactor<v2::WatchUpdate>* ObserveService::Watch(grpc::CallbackServerContext* /*context*/,
                                                                 const v2::WatchRequest* request) {
    const grpc::Status status = check(request->version(), "this viewer or command");
    if (!status.ok()) return new Refusal(status);
    if (!streams_.enter()) {
        spdlog::warn("refused a subscriber: {} are there already", options_.max_connections);
        return new Refusal(grpc::Status(grpc::StatusCode::RESOURCE_EXHAUSTED, "the agent has too many subscribers"));
    }
    return new Watcher(*this, request->follow());
}

grpc::Status ObserveService::Control(grpc::ServerContext* /*context*/, const v2::ControlRequest* request,
                                     v2::ControlResponse* response) {
    if (grpc::Status status = check(request->version(), "this viewer or command"); !status.ok()) return status;
    if (request->command().command_case() == v2::Command::COMMAND_NOT_SET) {
        return {grpc::StatusCode::INVALID_ARGUMENT, "the request names no command that this agent knows"};
    }
    const std::shared_ptr<AppLink> link = hub_.link(request->app());
    if (!link) {
        return {grpc::StatusCode::NOT_FOUND, "no app " + std::to_string(request->app()) + " is connected"};
    }
    *response->mutable_result() = link->command(request->command(), command_deadline_ms);
    return grpc::Status::OK;
}

grpc::Status ObserveService::Status(grpc::ServerContext* /*context*/, const v2::StatusRequest* request,
                                    v2::StatusResponse* response) {
    if (grpc::Status status = check(request->version(), "this viewer or command"); !status.ok()) return status;
    set_protocol_version(*response->mutable_version());
    response->set_agent(agent_name());
    response->set_pid(static_cast<std::uint64_t>(::getpid()));
    response->set_recording(recording_());
    hub_.fill(*response);
    return grpc::Status::OK;
}

}  // namespace coroscope::server
