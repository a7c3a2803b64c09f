// What the agent knows: every app's model, and who wants to hear of it. No gRPC here.
//
// Threads: any. Each app has a mutex; the thread that holds it folds a frame and then offers it to every subscription,
// so all readers see an app's frames in the order of the fold. Order of locks: app, then hub, then subscription.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "agent/model/session.hpp"
#include "coroscope/v2/ingest.pb.h"
#include "coroscope/v2/observe.pb.h"
#include "options.hpp"
#include "subscription.hpp"

namespace coroscope::server {

// The way back to a connected app.
class AppLink {
public:
    virtual ~AppLink() = default;
    // Sends a command and waits for its result, at most for `deadline_ms`.
    virtual v2::CommandResult command(const v2::Command& command, unsigned deadline_ms) = 0;
    // Ends the connection. `why` goes to the app.
    virtual void end(const std::string& why) = 0;
};

class Hub {
public:
    explicit Hub(const AgentOptions& options);
    ~Hub();

    // --- from an app's connection. `connection` is unique to it, and greater than those before it: what a connection
    // says after its successor came is ignored. A known instance keeps its key, and the connection it had before is
    // ended.
    model::AppKey hello(const v2::Hello& hello, std::uint64_t connection, std::shared_ptr<AppLink> link);
    // False: the bytes are no batch. They are counted and not passed on.
    bool batch(model::AppKey app, std::uint64_t connection, std::string&& bytes);
    void disconnected(model::AppKey app, std::uint64_t connection, const std::string& reason, bool orderly);

    // --- for readers
    // `to_the_end`: outlasts Hub::close() and gets what the apps say last; its owner closes it.
    std::shared_ptr<Subscription> subscribe(bool follow, std::size_t bound_bytes, bool to_the_end = false);
    void unsubscribe(const std::shared_ptr<Subscription>& subscription);
    // The next update; waits for it. nullptr: the end (closed, or all told and not `follow`). An empty update: none
    // came for `pause`.
    static constexpr std::chrono::milliseconds forever = std::chrono::milliseconds::max();
    Update next(Subscription& subscription, std::chrono::milliseconds pause = forever);

    std::shared_ptr<AppLink> link(model::AppKey app) const;  // nullptr: unknown or not connected
    void fill(v2::StatusResponse& status) const;
    // Ends all: apps are told `why`, subscriptions give what they have queued and end, but for those `to_the_end`.
    void close(const std::string& why);

private:
    struct Record;
    using Records = std::vector<std::shared_ptr<Record>>;

    std::shared_ptr<Record> record(model::AppKey app) const;
    std::shared_ptr<Record> record_for(const v2::Hello& hello, std::uint64_t connection);
    Records records() const;
    void greet(Record& record, const v2::Hello& hello, std::uint64_t connection);  // under the record's mutex
    void publish(Record& record, v2::Frame&& frame, bool first);
    bool tell_state(Record& record, Subscription& subscription);
    bool resync_one(Subscription& subscription);
    void retire();

    const AgentOptions options_;
    mutable std::mutex mutex_;
    std::map<model::AppKey, std::shared_ptr<Record>> apps_;  // under mutex_, as all below
    std::map<std::string, model::AppKey> by_instance_;
    std::vector<std::shared_ptr<Subscription>> subscriptions_;
    model::AppKey last_key_ = 0;
    std::uint64_t last_end_ = 0;
    std::uint64_t frames_dropped_ = 0;  // to subscribers that have gone
    bool closed_ = false;
    std::atomic<std::uint64_t> events_{0};  // statistics only: relaxed
};

}  // namespace coroscope::server
