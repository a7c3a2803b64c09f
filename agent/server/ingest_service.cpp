#include "ingest_service.hpp"

#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

#include "log.hpp"
#include "proto/words/ending.hpp"
#include "proto/words/utf8.hpp"
#include "version.hpp"

namespace coroscope::server {

namespace {

std::string describe(const v2::Hello& hello) {
    const auto shown = [](const std::string& text) { return words::printable(text, words::most_of_a_name); };
    return "'" + shown(hello.name()) + "' (pid " + std::to_string(hello.pid()) + ", " + shown(hello.library()) + ")";
}

std::string host_name() {
    char name[256] = {};
    return ::gethostname(name, sizeof(name) - 1) == 0 ? name : "";
}

// Why a connection that said no goodbye has ended, as far as this machine can tell.
std::string why_lost(const v2::Hello& hello) {
    const auto pid = static_cast<pid_t>(hello.pid());
    if (pid <= 0 || hello.host() != host_name()) return "connection lost";
    if (::kill(pid, 0) != 0 && errno == ESRCH) return "connection lost: the process is gone, without a goodbye";
    return "connection lost without a goodbye";
}

}  // namespace

// One stream. gRPC deletes nothing: it calls OnDone() last, which deletes this. The folding thread calls Finish() as
// its last act.
class IngestService::Connection final : public grpc::ServerBidiReactor<v2::AppMessage, v2::AgentMessage> {
public:
    Connection(IngestService& service, std::uint64_t id)
        : service_(service), hub_(service.hub_), id_(id), link_(std::make_shared<Link>(this)) {
        StartRead(&incoming_);
        std::thread([this] { fold(); }).detach();
    }

    void OnReadDone(bool ok) override;
    void OnWriteDone(bool ok) override;
    void OnDone() override {
        StreamGauge& streams = service_.streams_;
        delete this;
        streams.leave();
    }

private:
    // What others hold of this connection; outlives it.
    class Link final : public AppLink {
    public:
        explicit Link(Connection* connection) : connection_(connection) {}
        v2::CommandResult command(const v2::Command& command, unsigned deadline_ms) override;
        void end(const std::string& why) override;
        void result(const v2::CommandResult& result);
        void detach();  // the connection goes; waiting commands fail

    private:
        std::mutex mutex_;
        std::condition_variable changed_;
        Connection* connection_;  // under mutex_, as all below; nullptr: gone
        std::uint64_t last_command_ = 0;
        std::map<std::uint64_t, v2::CommandResult> results_;  // of commands somebody waits for; id 0 inside: none yet
    };

    void fold();
    bool greet();
    bool take(v2::AppMessage& message);
    void read_more(std::size_t below_bytes);  // under mutex_
    void handle(v2::AppMessage& message);
    void send(v2::AgentMessage&& message);
    void write_next();  // under mutex_
    void finish(const grpc::Status& status);

    IngestService& service_;
    Hub& hub_;
    const std::uint64_t id_;
    const std::shared_ptr<Link> link_;

    v2::AppMessage incoming_;  // gRPC's while a read is under way

    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<v2::AppMessage> inbox_;  // under mutex_, as all below; bound: AgentOptions::inbox_bytes
    std::size_t inbox_size_bytes_ = 0;
    bool reading_ = true;  // a read is under way
    bool input_ended_ = false;
    bool finishing_ = false;               // nothing may be started any more
    std::deque<v2::AgentMessage> outbox_;  // commands wait for their results, so it holds at most one a waiting caller
    bool writing_ = false;
    bool write_failed_ = false;
    std::string ended_by_agent_;  // why; empty: not

    // The folding thread's.
    v2::Hello hello_;
    model::AppKey app_ = 0;
    bool goodbye_ = false;   // in order
    bool detached_ = false;  // debug mode was switched off
    std::string crashed_;    // by what, as it could still say; empty: not
    bool bad_batch_logged_ = false;
};

void IngestService::Connection::OnReadDone(bool ok) {
    const std::scoped_lock lock(mutex_);
    if (ok) {
        inbox_size_bytes_ += incoming_.ByteSizeLong();
        inbox_.push_back(std::move(incoming_));
        incoming_.Clear();
        reading_ = false;
        read_more(service_.options_.inbox_bytes);
    } else {
        input_ended_ = true;
    }
    changed_.notify_all();
}

void IngestService::Connection::read_more(std::size_t below_bytes) {
    if (reading_ || input_ended_ || finishing_ || !ended_by_agent_.empty() || inbox_size_bytes_ >= below_bytes) return;
    reading_ = true;
    StartRead(&incoming_);
}

// Waits for the next message. False: there will be none.
bool IngestService::Connection::take(v2::AppMessage& message) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !inbox_.empty() || input_ended_ || !ended_by_agent_.empty(); });
    if (inbox_.empty()) return false;
    message = std::move(inbox_.front());
    inbox_.pop_front();
    inbox_size_bytes_ = inbox_.empty() ? 0 : inbox_size_bytes_ - std::min(inbox_size_bytes_, message.ByteSizeLong());
    read_more(service_.options_.inbox_bytes / 2);
    return true;
}

void IngestService::Connection::fold() {
    if (!greet()) return;
    for (v2::AppMessage message; take(message);) handle(message);
    std::string ended_by_agent;
    {
        const std::scoped_lock lock(mutex_);
        ended_by_agent = ended_by_agent_;
    }
    link_->detach();
    const std::string reason = goodbye_                  ? words::app_ended
                               : detached_               ? words::app_detached
                               : !crashed_.empty()       ? "crashed: " + crashed_
                               : !ended_by_agent.empty() ? ended_by_agent
                                                         : why_lost(hello_);
    hub_.disconnected(app_, id_, reason, goodbye_);
    if (goodbye_ || detached_) {
        spdlog::info("app {} {}: {}", app_, describe(hello_), reason);
    } else {
        spdlog::warn("app {} {}: {}", app_, describe(hello_), reason);
    }
    finish(ended_by_agent.empty() ? grpc::Status::OK : grpc::Status(grpc::StatusCode::UNAVAILABLE, ended_by_agent));
}

// The first message. False: the connection is finished.
bool IngestService::Connection::greet() {
    v2::AppMessage message;
    if (!take(message) || !message.has_hello()) {
        link_->detach();
        finish(grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, "the first message of an app must be a Hello"));
        return false;
    }
    hello_ = std::move(*message.mutable_hello());
    const std::string refused = refusal(hello_.version(), "this app " + describe(hello_));
    v2::AgentMessage answer;
    v2::Welcome& welcome = *answer.mutable_welcome();
    set_protocol_version(*welcome.mutable_version());
    welcome.set_agent(agent_name());
    welcome.set_accepted(refused.empty());
    welcome.set_refusal(refused);
    if (!refused.empty()) {
        spdlog::warn("refused: {}", refused);
        link_->detach();
        send(std::move(answer));
        finish(grpc::Status(grpc::StatusCode::FAILED_PRECONDITION, refused));
        return false;
    }
    send(std::move(answer));
    app_ = hub_.hello(hello_, id_, link_);
    spdlog::info("app {} {} connected", app_, describe(hello_));
    return true;
}

void IngestService::Connection::handle(v2::AppMessage& message) {
    switch (message.message_case()) {
        case v2::AppMessage::kBatch:
            if (!hub_.batch(app_, id_, std::move(*message.mutable_batch())) && !bad_batch_logged_) {
                bad_batch_logged_ = true;
                spdlog::warn("app {} {} sent a batch that cannot be read; such batches are skipped", app_,
                             describe(hello_));
            }
            break;
        case v2::AppMessage::kGoodbye:
            crashed_ = message.goodbye().crashed();
            detached_ = crashed_.empty() && message.goodbye().detached();
            goodbye_ = crashed_.empty() && !detached_;
            break;
        case v2::AppMessage::kCommandResult: link_->result(message.command_result()); break;
        default: break;  // a newer minor version's
    }
}

void IngestService::Connection::send(v2::AgentMessage&& message) {
    const std::scoped_lock lock(mutex_);
    if (write_failed_) return;
    outbox_.push_back(std::move(message));
    if (!writing_) write_next();
}

void IngestService::Connection::write_next() {
    writing_ = !outbox_.empty();
    if (writing_) StartWrite(&outbox_.front());  // stays in place until OnWriteDone
}

void IngestService::Connection::OnWriteDone(bool ok) {
    const std::scoped_lock lock(mutex_);
    outbox_.pop_front();
    if (ok) {
        write_next();
    } else {
        writing_ = false;
        write_failed_ = true;
        outbox_.clear();
    }
    changed_.notify_all();
}

// What was sent goes out first. Nothing may touch `this` afterwards: OnDone() deletes it.
void IngestService::Connection::finish(const grpc::Status& status) {
    {
        std::unique_lock lock(mutex_);
        finishing_ = true;
        changed_.wait(lock, [this] { return !writing_; });
    }
    Finish(status);
}

v2::CommandResult IngestService::Connection::Link::command(const v2::Command& command, unsigned deadline_ms) {
    v2::CommandResult failed;
    failed.set_id(command.id());
    std::unique_lock lock(mutex_);
    if (connection_ == nullptr) {
        failed.set_error("the app is not connected");
        return failed;
    }
    const std::uint64_t id = ++last_command_;
    results_[id];
    v2::AgentMessage message;
    *message.mutable_command() = command;
    message.mutable_command()->set_id(id);
    connection_->send(std::move(message));
    changed_.wait_for(lock, std::chrono::milliseconds(deadline_ms),
                      [&] { return results_[id].id() != 0 || connection_ == nullptr; });
    v2::CommandResult result = std::move(results_[id]);
    results_.erase(id);
    if (result.id() == 0) {
        failed.set_error(connection_ == nullptr
                             ? "the app went away before it answered"
                             : "the app did not answer within " + std::to_string(deadline_ms) + " ms");
        return failed;
    }
    result.set_id(command.id());
    return result;
}

void IngestService::Connection::Link::result(const v2::CommandResult& result) {
    const std::scoped_lock lock(mutex_);
    const auto waiting = results_.find(result.id());
    if (waiting == results_.end()) return;  // came after its deadline
    waiting->second = result;
    changed_.notify_all();
}

void IngestService::Connection::Link::end(const std::string& why) {
    const std::scoped_lock lock(mutex_);
    if (connection_ == nullptr) return;
    const std::scoped_lock connection_lock(connection_->mutex_);
    connection_->ended_by_agent_ = why;
    connection_->changed_.notify_all();
}

void IngestService::Connection::Link::detach() {
    const std::scoped_lock lock(mutex_);
    connection_ = nullptr;
    changed_.notify_all();
}

grpc::ServerBidiReactor<v2::AppMessage, v2::AgentMessage>* IngestService::Attach(
    grpc::CallbackServerContext* /*context*/) {
    if (streams_.enter()) return new Connection(*this, last_connection_.fetch_add(1, std::memory_order_relaxed) + 1);
    spdlog::warn("refused an app: {} connections are open already", options_.max_connections);
    class Refusal final : public grpc::ServerBidiReactor<v2::AppMessage, v2::AgentMessage> {
    public:
        Refusal() { Finish(grpc::Status(grpc::StatusCode::RESOURCE_EXHAUSTED, "the agent has too many connections")); }
        void OnDone() override { delete this; }
    };
    return new Refusal;
}

}  // namespace coroscope::server
