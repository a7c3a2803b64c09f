// An agent as a source: follows Observe.Watch, and connects again for as long as it lives.
#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "coroscope/v2/observe.grpc.pb.h"
#include "proto/address/protocol_version.hpp"
#include "proto/channel/channel.hpp"
#include "source.hpp"

namespace coroscope::viewer {

namespace {

using namespace std::chrono_literals;

std::string explain(const grpc::Status& status, const std::string& address) {
    switch (status.error_code()) {
        case grpc::StatusCode::OK: return "the agent at " + address + " ended the stream";
        case grpc::StatusCode::UNAVAILABLE: return "no agent answers at " + address;
        case grpc::StatusCode::UNIMPLEMENTED:
            return "what answers at " + address + " is no coroscope agent of this version";
        default: return "the agent at " + address + " says: " + status.error_message();
    }
}

class LiveSource final : public Source {
public:
    LiveSource(const std::string& address, std::function<void()> wake)
        : items_(wake), wake_(std::move(wake)), address_(AgentAddress::parse(address)) {
        status_.name = address;
        status_.follows = true;
        thread_ = std::thread([this] { follow(); });
    }

    ~LiveSource() override {
        {
            const std::lock_guard lock(mutex_);
            ending_ = true;
            if (context_ != nullptr) context_->TryCancel();
        }
        end_.notify_all();
        items_.close();
        thread_.join();
    }

    SourceStatus status() const override {
        const std::lock_guard lock(mutex_);
        return status_;
    }

    HandOver& items() override { return items_; }

private:
    void follow() {
        auto pause = first_pause;
        while (!ended()) {
            const bool was_connected = watch();
            pause = was_connected ? first_pause : std::min<std::chrono::milliseconds>(pause * 2, longest_pause);
            std::unique_lock lock(mutex_);
            end_.wait_for(lock, pause, [this] { return ending_; });
        }
    }

    // One conversation, on a channel of its own.
    bool watch() {
        const auto stub = v2::Observe::NewStub(open_channel(address_, -1));
        grpc::ClientContext context;
        {
            const std::lock_guard lock(mutex_);
            if (ending_) return false;
            context_ = &context;
        }
        v2::WatchRequest request;
        request.mutable_version()->set_major(protocol_major);
        request.mutable_version()->set_minor(protocol_minor);
        request.set_follow(true);
        const auto stream = stub->Watch(&context, request);
        bool connected = false;
        for (v2::WatchUpdate update; stream->Read(&update);) {
            if (!connected) {
                connected = true;
                now_connected();
                items_.push({Item::Kind::reset, {}});
            }
            if (!deliver(update)) break;
        }
        context.TryCancel();
        const grpc::Status status = stream->Finish();
        const std::lock_guard lock(mutex_);
        context_ = nullptr;
        status_.phase = status_.connections > 0 ? SourceStatus::Phase::lost : SourceStatus::Phase::connecting;
        const std::string message = explain(status, status_.name);
        if (message != status_.message || connected) wake_();
        status_.message = message;
        return connected;
    }

    bool deliver(v2::WatchUpdate& update) {
        switch (update.update_case()) {
            case v2::WatchUpdate::kFrame: {
                {
                    const std::lock_guard lock(mutex_);
                    ++status_.frames;
                }
                return items_.push({Item::Kind::frame, std::move(*update.mutable_frame())});
            }
            case v2::WatchUpdate::kCaughtUp: return items_.push({Item::Kind::caught_up, {}});
            case v2::WatchUpdate::kCutBack: {
                const std::lock_guard lock(mutex_);
                status_.frames_cut = update.cut_back().frames_dropped();
                return true;
            }
            case v2::WatchUpdate::UPDATE_NOT_SET: return true;  // of a newer agent
        }
        return true;
    }

    void now_connected() {
        const std::lock_guard lock(mutex_);
        status_.phase = SourceStatus::Phase::live;
        status_.message.clear();
        status_.frames_cut = 0;
        ++status_.connections;
    }

    bool ended() const {
        const std::lock_guard lock(mutex_);
        return ending_;
    }

    static constexpr std::chrono::milliseconds first_pause = 250ms;
    static constexpr std::chrono::milliseconds longest_pause = 2s;

    HandOver items_;
    std::function<void()> wake_;
    const AgentAddress address_;
    mutable std::mutex mutex_;
    std::condition_variable end_;
    grpc::ClientContext* context_ = nullptr;  // of the conversation that runs
    bool ending_ = false;
    SourceStatus status_;
    std::thread thread_;
};

}  // namespace

std::unique_ptr<Source> open_live(const std::string& address, std::function<void()> wake) {
    return std::make_unique<LiveSource>(address, std::move(wake));
}

}  // namespace coroscope::viewer
