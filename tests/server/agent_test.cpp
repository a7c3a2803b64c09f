// The agent whole, in this process, with apps and readers over real gRPC on a real socket.
#include "agent/server/agent.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <thread>

#include "agent/model/session.hpp"
#include "coroscope/v2/observe.grpc.pb.h"
#include "proto/container/trace_file.hpp"
#include "tests/e2e/support.hpp"
#include "tests/e2e/wire_app.hpp"

namespace coroscope::server {
namespace {

using e2e::wait_until;
using e2e::WireApp;

class AgentTest : public testing::Test {
protected:
    void start(AgentOptions options = {}) {
        options.listen = {address_};
        agent_ = std::make_unique<Agent>(options);
        observe_ = v2::Observe::NewStub(WireApp::channel(address_));
    }

    static v2::WatchRequest request(bool follow) {
        v2::WatchRequest request;
        request.mutable_version()->set_major(protocol_major);
        request.set_follow(follow);
        return request;
    }
    model::Session snapshot() {
        grpc::ClientContext context;
        const auto stream = observe_->Watch(&context, request(false));
        model::Session session;
        for (v2::WatchUpdate update; stream->Read(&update);) {
            if (update.has_frame()) session.apply(update.frame());
        }
        EXPECT_TRUE(stream->Finish().ok());
        return session;
    }
    v2::StatusResponse status() {
        grpc::ClientContext context;
        v2::StatusRequest ask;
        ask.mutable_version()->set_major(protocol_major);
        v2::StatusResponse response;
        EXPECT_TRUE(observe_->Status(&context, ask, &response).ok());
        return response;
    }

    e2e::TemporaryDirectory directory_;
    const std::string address_ = "unix:" + directory_.path("agent.sock").string();
    std::unique_ptr<Agent> agent_;
    std::unique_ptr<v2::Observe::Stub> observe_;
};

TEST_F(AgentTest, TheSocketIsItsOwnersAloneAndGoesWithTheAgent) {
    start();
    struct stat file{};
    ASSERT_EQ(::stat(directory_.path("agent.sock").c_str(), &file), 0);
    EXPECT_EQ(file.st_mode & 0777, 0600u);
    agent_->stop();
    EXPECT_TRUE(std::filesystem::is_empty(directory_.path()));
}

TEST_F(AgentTest, AnAppComesTellsAndLeaves) {
    start();
    WireApp app(address_);
    ASSERT_TRUE(app.attach("worker", "one"));
    ASSERT_TRUE(app.send(WireApp::tasks(1, 1, 25)));
    ASSERT_TRUE(wait_until([&] { return status().events() == 75; }));
    EXPECT_TRUE(snapshot().apps().begin()->second.connected);
    EXPECT_TRUE(app.goodbye().ok());
    ASSERT_TRUE(wait_until([&] { return status().apps_connected() == 0; }));
    const model::Session session = snapshot();
    const model::App& seen = session.apps().begin()->second;
    EXPECT_EQ(seen.name, "worker");
    EXPECT_EQ(seen.model.live_tasks().size(), 25u);
    EXPECT_FALSE(seen.connected);
    EXPECT_TRUE(seen.orderly);
}

TEST_F(AgentTest, AnotherMajorVersionIsRefusedWithBothVersionsAndWhatToDo) {
    start();
    WireApp app(address_);
    v2::Hello hello = WireApp::hello("future", "f");
    hello.mutable_version()->set_major(99);
    ASSERT_TRUE(app.say_hello(hello));
    v2::AgentMessage answer;
    ASSERT_TRUE(app.read(answer));
    EXPECT_FALSE(answer.welcome().accepted());
    const std::string& refusal = answer.welcome().refusal();
    EXPECT_NE(refusal.find("99.0"), std::string::npos) << refusal;
    EXPECT_NE(refusal.find("1.0"), std::string::npos) << refusal;
    EXPECT_NE(refusal.find("start an agent of the newer"), std::string::npos) << refusal;
    EXPECT_EQ(app.finish().error_code(), grpc::StatusCode::FAILED_PRECONDITION);
    EXPECT_TRUE(snapshot().apps().empty());
}

TEST_F(AgentTest, AnObserverOfAnotherMajorVersionIsRefused) {
    start();
    grpc::ClientContext context;
    v2::WatchRequest old = request(false);
    old.mutable_version()->set_major(0);
    const auto stream = observe_->Watch(&context, old);
    v2::WatchUpdate update;
    EXPECT_FALSE(stream->Read(&update));
    EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::FAILED_PRECONDITION);
}

TEST_F(AgentTest, WhoDoesNotSayHelloFirstIsSentAway) {
    start();
    WireApp app(address_);
    app.send(WireApp::tasks(1, 1, 1));
    EXPECT_EQ(app.finish().error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(AgentTest, AReconnectIsTheSameAppAndEndsTheOldConnection) {
    start();
    WireApp before(address_);
    ASSERT_TRUE(before.attach("app", "same"));
    WireApp after(address_);  // not earlier: which connection is the newer one is decided by when it was opened
    ASSERT_TRUE(after.attach("app", "same"));
    // The Welcome goes out before the old connection is ended: what ends it must be the agent, not this side's
    // half-close.
    for (v2::AgentMessage rest; before.read(rest);) {
    }
    EXPECT_EQ(before.finish().error_code(), grpc::StatusCode::UNAVAILABLE);
    const model::Session session = snapshot();
    ASSERT_EQ(session.apps().size(), 1u);
    EXPECT_TRUE(session.apps().begin()->second.connected);
}

TEST_F(AgentTest, ASlowSubscriberIsCutBackAndTheAppIsNotHeldUp) {
    AgentOptions options;
    options.subscriber_queue_bytes = 64 << 10;
    start(options);
    grpc::ClientContext context;
    const auto stream = observe_->Watch(&context, request(true));
    v2::WatchUpdate update;
    ASSERT_TRUE(stream->Read(&update));
    ASSERT_TRUE(update.has_caught_up());
    // The subscriber reads nothing while the app tells far more than the socket and the queue hold.
    WireApp app(address_);
    ASSERT_TRUE(app.attach("loud", "loud"));
    constexpr std::uint64_t batches = 1'000, tasks = 1'000;
    for (std::uint64_t i = 1; i <= batches; ++i) ASSERT_TRUE(app.send(WireApp::tasks(i, 1, tasks)));
    ASSERT_TRUE(wait_until([&] { return status().events() == batches * tasks * 3; }));
    EXPECT_GT(status().frames_dropped(), 0u);

    bool cut = false;
    model::Session session;
    while (!cut && stream->Read(&update)) cut = update.has_cut_back();
    EXPECT_TRUE(cut);
    const auto complete = [&] {
        return session.apps().size() == 1 && session.apps().begin()->second.model.batches() == batches;
    };
    while (!complete() && stream->Read(&update)) {
        if (update.has_frame()) session.apply(update.frame());
    }
    EXPECT_TRUE(complete());
    context.TryCancel();
    stream->Finish();
    EXPECT_TRUE(wait_until([&] { return status().subscribers() == 0; }));
}

TEST_F(AgentTest, HostileBytesDoNotKillIt) {
    start();
    for (const std::string& bytes : {std::string("GET / HTTP/1.1\r\n\r\n"), std::string(100'000, '\xff'),
                                     std::string("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n") + std::string(9'000, '\0')}) {
        const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
        sockaddr_un where{};
        where.sun_family = AF_UNIX;
        const std::string path = directory_.path("agent.sock").string();
        std::memcpy(where.sun_path, path.c_str(), path.size() + 1);
        ASSERT_EQ(::connect(fd, reinterpret_cast<const sockaddr*>(&where), sizeof where), 0);
        (void)!::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        ::close(fd);
    }
    WireApp app(address_);
    ASSERT_TRUE(app.attach("hostile", "h"));
    v2::AppMessage message;
    message.set_batch(std::string(1'000, '\xff'));
    EXPECT_TRUE(app.write(message));
    v2::Batch lie = WireApp::tasks(1, 1, 100);
    lie.mutable_lanes(0)->clear_subject_deltas();  // columns that are too short
    lie.mutable_lanes(0)->mutable_kinds()->append(1'000, '\x7e');
    EXPECT_TRUE(app.send(lie));
    EXPECT_TRUE(app.send(WireApp::tasks(2, 1'000, 5)));
    EXPECT_TRUE(app.goodbye().ok());
    EXPECT_EQ(snapshot().apps().size(), 1u);
}

TEST_F(AgentTest, CommandsReachTheAppAndTheirResultsComeBack) {
    start();
    WireApp app(address_);
    ASSERT_TRUE(app.attach("app", "a"));
    std::thread answering([&] {
        v2::AgentMessage message;
        ASSERT_TRUE(app.read(message));
        EXPECT_EQ(message.command().cancel_task(), 7u);
        v2::AppMessage answer;
        answer.mutable_command_result()->set_id(message.command().id());
        answer.mutable_command_result()->set_done(true);
        EXPECT_TRUE(app.write(answer));
    });
    v2::ControlRequest ask;
    ask.mutable_version()->set_major(protocol_major);
    ask.set_app(1);
    ask.mutable_command()->set_cancel_task(7);
    ask.mutable_command()->set_id(42);
    v2::ControlResponse response;
    grpc::ClientContext context;
    EXPECT_TRUE(observe_->Control(&context, ask, &response).ok());
    answering.join();
    EXPECT_TRUE(response.result().done());
    EXPECT_EQ(response.result().id(), 42u);

    ask.set_app(99);
    grpc::ClientContext second;
    EXPECT_EQ(observe_->Control(&second, ask, &response).error_code(), grpc::StatusCode::NOT_FOUND);
}

TEST_F(AgentTest, TheRecordedFileFoldsToWhatTheAgentKnew) {
    AgentOptions options;
    options.record = directory_.path("t.cst").string();
    start(options);
    WireApp app(address_);
    ASSERT_TRUE(app.attach("app", "a"));
    constexpr std::uint64_t batches = 2'000, tasks = 1'000;  // enough for several keyframe blocks
    for (std::uint64_t i = 1; i <= batches; ++i) ASSERT_TRUE(app.send(WireApp::tasks(i, 1 + i, tasks)));
    ASSERT_TRUE(app.goodbye().ok());
    const model::Session live = snapshot();
    EXPECT_EQ(status().recording(), options.record);
    agent_->stop();

    trace::Reader reader(options.record);
    ASSERT_TRUE(reader.ok()) << reader.error();
    model::Session recorded;
    std::uint64_t keyframes = 0, keyframe_bytes = 0;
    for (std::size_t i = 0; i < reader.runs().size(); ++i) {
        const std::uint64_t end = i + 1 < reader.runs().size() ? reader.runs()[i + 1].offset : reader.size();
        if (!reader.runs()[i].keyframe) continue;
        ++keyframes;
        keyframe_bytes += end - reader.runs()[i].offset;
    }
    EXPECT_LE(keyframe_bytes, reader.size() / 20 + (64u << 10));
    EXPECT_TRUE(reader.read([&](const v2::Frame& frame) {
        EXPECT_TRUE(recorded.apply(frame));
        return true;
    })) << reader.warning();
    EXPECT_GE(keyframes, 1u);
    ASSERT_EQ(recorded.apps().size(), 1u);
    const model::App& a = live.apps().begin()->second;
    const model::App& b = recorded.apps().begin()->second;
    EXPECT_EQ(a.model.live_tasks().size(), b.model.live_tasks().size());
    EXPECT_EQ(a.model.batches(), b.model.batches());
    EXPECT_EQ(a.model.events(), b.model.events());
    EXPECT_EQ(a.model.now_ns(), b.model.now_ns());
    EXPECT_EQ(a.connections, b.connections);
    EXPECT_TRUE(b.orderly);
}

TEST_F(AgentTest, AFileThatCannotBeWrittenIsSaidAtOnce) {
    AgentOptions options;
    options.record = "/dev/full";
    EXPECT_THROW(start(options), RecordError);
}

TEST_F(AgentTest, StopsWhileAppsAndSubscribersAreThere) {
    start();
    WireApp app(address_);
    ASSERT_TRUE(app.attach("app", "a"));
    grpc::ClientContext context;
    const auto stream = observe_->Watch(&context, request(true));
    v2::WatchUpdate update;
    ASSERT_TRUE(stream->Read(&update));
    agent_->stop();
    while (stream->Read(&update)) {
    }
    stream->Finish();
    EXPECT_FALSE(app.finish().ok());
}

}  // namespace
}  // namespace coroscope::server
