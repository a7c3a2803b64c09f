// To an agent, over gRPC. Own threads connect, write and read; the emitter's thread only puts batches into a queue.
//
// The queue: bound queue_bytes; overflow policy: all that waits is thrown away, because what comes after a hole cannot
// be understood without the definitions in it, and the receiver starts anew with complete definitions and a list of the
// live tasks; counters: batches_lost(), events_lost().
#include <grpcpp/grpcpp.h>
#include <netinet/in.h>
#include <poll.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>

#include "coroscope/v2/ingest.grpc.pb.h"
#include "local_log.hpp"
#include "own_thread.hpp"
#include "proto/address/protocol_version.hpp"
#include "proto/channel/channel.hpp"
#include "sink.hpp"

namespace coroscope::debug {

namespace {

using namespace std::chrono_literals;
using Stream = grpc::ClientReaderWriter<v2::AppMessage, v2::AgentMessage>;

constexpr std::size_t queue_bytes = 16u << 20;
constexpr int most_command_bytes = 16 << 20;
constexpr auto first_retry = 100ms;
constexpr auto longest_retry = 5000ms;
constexpr auto connect_patience = 500ms;
constexpr auto patience_slice = 50ms;  // how soon the end of the app is noticed while connecting

std::atomic<bool> the_grpc_was_used{false};

// False: surely nobody accepts there. Of a unix socket and of a port of this machine the system says so at once.
bool connects(const sockaddr* address, socklen_t size) noexcept {
    constexpr int patience_ms = 20;
    const int fd = ::socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return errno != EAFNOSUPPORT;  // for another reason nobody can say: gRPC finds out
    bool accepts = ::connect(fd, address, size) == 0 || errno == EAGAIN;  // EAGAIN: too many wait for it already
    if (!accepts && errno == EINPROGRESS) {
        pollfd writable{fd, POLLOUT, 0};
        int error = 0;
        socklen_t error_size = sizeof error;
        accepts = ::poll(&writable, 1, patience_ms) == 0 ||
                  (::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &error_size) == 0 && error == 0);
    }
    ::close(fd);
    return accepts;
}

// Asked before gRPC is: gRPC would wait, which would delay the end of a short program, and it does not survive a fork
// once it is started.
bool somebody_may_listen(const AgentAddress& address) noexcept {
    if (address.kind == AgentAddress::Kind::unix_socket) {
        sockaddr_un unix{};
        unix.sun_family = AF_UNIX;
        address.path.copy(unix.sun_path, sizeof unix.sun_path - 1);
        return connects(reinterpret_cast<const sockaddr*>(&unix), sizeof unix);
    }
    const bool both = address.host == "localhost";
    if (!both && address.host != "127.0.0.1" && address.host != "::1") return true;  // gRPC finds out
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    v4.sin_port = htons(address.port);
    if (address.host != "::1" && connects(reinterpret_cast<const sockaddr*>(&v4), sizeof v4)) return true;
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_addr = in6addr_loopback;
    v6.sin6_port = v4.sin_port;
    return address.host != "127.0.0.1" && connects(reinterpret_cast<const sockaddr*>(&v6), sizeof v6);
}

class AgentSink final : public Sink {
public:
    AgentSink(const AgentAddress& address, const v2::Hello& hello, CommandHandler on_command)
        : target_(address), address_(address.text()), hello_(hello), on_command_(std::move(on_command)) {
        thread_ = std::thread([this] { run(); });
    }
    ~AgentSink() override { AgentSink::finish(0ms, ""); }

    bool offer(EncodedBatch&& batch) override;
    bool wants_complete_definitions() override {
        const std::scoped_lock lock(mutex_);
        return starts_anew_ && connected_;
    }
    // Until the queue has been full once, an agent that comes late gets everything from the beginning.
    bool wants_batches() override {
        const std::scoped_lock lock(mutex_);
        return connected_ || !starts_anew_;
    }
    void count_unsent(std::uint64_t events) override {
        const std::scoped_lock lock(mutex_);
        events_lost_ += events;
    }
    void finish(std::chrono::milliseconds most, const std::string& crashed) override;
    std::uint64_t batches_lost() const override {
        const std::scoped_lock lock(mutex_);
        return batches_lost_;
    }
    std::uint64_t events_lost() const override {
        const std::scoped_lock lock(mutex_);
        return events_lost_;
    }

private:
    void run();
    bool connect_and_talk();  // false: never again
    bool wait_for(grpc::Channel& channel);
    bool talk(v2::Ingest::Stub& stub);  // one connection; false: never again
    void write_batches(Stream& stream);
    void read_commands(Stream& stream);
    void throw_away();  // under mutex_
    void pause(std::chrono::milliseconds time);

    const AgentAddress target_;
    const std::string address_;  // the same, for the log
    const v2::Hello hello_;
    const CommandHandler on_command_;

    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<EncodedBatch> queue_;  // under mutex_, as all below
    std::size_t queued_bytes_ = 0;
    std::deque<v2::CommandResult> results_;
    bool starts_anew_ = false;  // the next batch must have complete definitions
    bool connected_ = false;
    bool was_connected_ = false;
    bool connected_now_ = false;  // in this turn of the thread's loop
    bool stream_broken_ = false;
    bool ending_ = false;
    std::string crashed_;    // by what; "": the app ends in order
    bool given_up_ = false;  // the time to finish is over
    bool ended_ = false;     // the thread's last word
    grpc::ClientContext* context_ = nullptr;
    std::uint64_t batches_lost_ = 0;
    std::uint64_t events_lost_ = 0;
    std::thread thread_;
};

bool AgentSink::offer(EncodedBatch&& batch) {
    const std::scoped_lock lock(mutex_);
    if (starts_anew_ && !batch.complete_definitions) {
        ++batches_lost_;
        events_lost_ += batch.events;
        return false;
    }
    if (queued_bytes_ + batch.bytes.size() > queue_bytes) {
        throw_away();
        ++batches_lost_;
        events_lost_ += batch.events;
        starts_anew_ = true;
        return false;
    }
    starts_anew_ = false;
    queued_bytes_ += batch.bytes.size();
    queue_.push_back(std::move(batch));
    changed_.notify_all();
    return true;
}

void AgentSink::throw_away() {
    batches_lost_ += queue_.size();
    for (const EncodedBatch& batch : queue_) events_lost_ += batch.events;
    queue_.clear();
    queued_bytes_ = 0;
}

void AgentSink::pause(std::chrono::milliseconds time) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, time, [this] { return ending_; });
}

void AgentSink::run() {
    begin_own_thread("coroscope-agent");  // and so gRPC's threads, which this one starts
    auto retry = first_retry;
    bool said = false;
    for (;;) {
        {
            const std::scoped_lock lock(mutex_);
            if (ending_ && !was_connected_ && said) break;  // it was not there before: do not wait for it now
            connected_now_ = false;
        }
        if (somebody_may_listen(target_) && !connect_and_talk()) break;
        {
            const std::scoped_lock lock(mutex_);
            if (connected_now_) {
                retry = first_retry;
                said = false;
            } else if (!std::exchange(said, true)) {
                log().warn("no agent answers at {}; the app runs on, and goes on looking for one", address_);
            }
            if (ending_) break;
        }
        pause(retry);
        retry = std::min<std::chrono::milliseconds>(retry * 2, longest_retry);
    }
    const std::scoped_lock lock(mutex_);
    ended_ = true;
    changed_.notify_all();
}

bool AgentSink::connect_and_talk() {
    the_grpc_was_used.store(true, std::memory_order_relaxed);
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
    arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 100);
    arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1000);
    const auto channel = open_channel(target_, most_command_bytes, arguments);
    if (!wait_for(*channel)) return true;
    {
        const std::scoped_lock lock(mutex_);
        connected_now_ = true;
    }
    const auto stub = v2::Ingest::NewStub(channel);
    return talk(*stub);
}

bool AgentSink::wait_for(grpc::Channel& channel) {
    for (auto waited = 0ms; waited < connect_patience; waited += patience_slice) {
        if (channel.WaitForConnected(std::chrono::system_clock::now() + patience_slice)) return true;
        const std::scoped_lock lock(mutex_);
        if (given_up_) break;
    }
    return false;
}

bool AgentSink::talk(v2::Ingest::Stub& stub) {
    grpc::ClientContext context;
    const auto stream = stub.Attach(&context);
    {
        const std::scoped_lock lock(mutex_);
        context_ = &context;
        stream_broken_ = false;
        if (given_up_) context.TryCancel();
    }
    const auto forget_context = [this] {
        const std::scoped_lock lock(mutex_);
        context_ = nullptr;
        if (!std::exchange(connected_, false)) return;
        throw_away();  // the next agent starts anew: nothing is kept for it
        starts_anew_ = true;
    };
    v2::AppMessage hello;
    *hello.mutable_hello() = hello_;
    v2::AgentMessage answer;
    if (!stream->Write(hello) || !stream->Read(&answer) || !answer.has_welcome()) {
        stream->WritesDone();
        const grpc::Status status = stream->Finish();
        log().info("the agent at {} did not answer: {}", address_, status.error_message());
        forget_context();
        return true;
    }
    if (!answer.welcome().accepted()) {
        log().error("the agent at {} refused this app: {}", address_, answer.welcome().refusal());
        context.TryCancel();
        static_cast<void>(stream->Finish());
        forget_context();
        return false;
    }
    log().info("connected to {} at {}", answer.welcome().agent(), address_);
    {
        const std::scoped_lock lock(mutex_);
        // An agent that comes late gets everything from the beginning; one that comes again, or after a loss, starts
        // anew.
        if (was_connected_ || batches_lost_ != 0) {
            throw_away();
            starts_anew_ = true;
        }
        connected_ = was_connected_ = true;
    }
    std::thread reader([this, &stream] { read_commands(*stream); });
    write_batches(*stream);
    reader.join();
    const grpc::Status status = stream->Finish();
    forget_context();
    const std::scoped_lock lock(mutex_);
    if (!ending_) log().warn("lost the agent at {} ({}); looking for it", address_, status.error_message());
    return true;
}

void AgentSink::write_batches(Stream& stream) {
    v2::AppMessage message;
    std::unique_lock lock(mutex_);
    for (;;) {
        changed_.wait(lock, [this] { return !queue_.empty() || !results_.empty() || ending_ || stream_broken_; });
        if (stream_broken_) return;
        if (!results_.empty()) {
            *message.mutable_command_result() = std::move(results_.front());
            results_.pop_front();
        } else if (!queue_.empty()) {
            queued_bytes_ -= queue_.front().bytes.size();
            message.set_batch(std::move(queue_.front().bytes));
            queue_.pop_front();
        } else {
            message.mutable_goodbye()->set_dropped_total(events_lost_);
            message.mutable_goodbye()->set_crashed(crashed_);
            message.mutable_goodbye()->set_detached(!app_ends);
        }
        lock.unlock();
        const bool written = stream.Write(message);
        const bool goodbye = message.has_goodbye();
        if (goodbye) stream.WritesDone();
        lock.lock();
        if (!written || goodbye) return;
    }
}

void AgentSink::read_commands(Stream& stream) {
    v2::AgentMessage message;
    while (stream.Read(&message)) {
        if (!message.has_command()) continue;
        v2::CommandResult result = on_command_(message.command());
        result.set_id(message.command().id());
        const std::scoped_lock lock(mutex_);
        results_.push_back(std::move(result));
        changed_.notify_all();
    }
    const std::scoped_lock lock(mutex_);
    stream_broken_ = true;
    changed_.notify_all();
}

void AgentSink::finish(std::chrono::milliseconds most, const std::string& crashed) {
    if (!thread_.joinable()) return;
    {
        std::unique_lock lock(mutex_);
        ending_ = true;
        crashed_ = crashed;
        changed_.notify_all();
        changed_.wait_for(lock, most, [this] { return ended_; });
        given_up_ = true;
        if (!ended_ && context_ != nullptr) context_->TryCancel();
    }
    thread_.join();
}

}  // namespace

bool grpc_was_used() noexcept { return the_grpc_was_used.load(std::memory_order_relaxed); }

std::unique_ptr<Sink> make_agent_sink(const std::string& address, const v2::Hello& hello, CommandHandler on_command) {
    return std::make_unique<AgentSink>(AgentAddress::parse(address), hello, std::move(on_command));
}

}  // namespace coroscope::debug
