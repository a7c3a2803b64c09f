// Where frames come from: files, whole, cut and not files at all; an agent that is there, goes away and comes back.
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

#include "coroscope/v2/observe.grpc.pb.h"
#include "proto/address/protocol_version.hpp"
#include "proto/container/trace_file.hpp"
#include "scenes.hpp"
#include "tests/support/temporary_directory.hpp"
#include "viewer/source/source.hpp"

namespace coroscope::viewer {
namespace {

using namespace std::chrono_literals;

void write(const std::string& path, const test::Frames& frames) {
    trace::Writer writer(path);
    for (const v2::Frame& frame : frames) ASSERT_TRUE(writer.append(frame));
    ASSERT_TRUE(writer.finish()) << writer.error();
}

// Folds until `done` or the deadline; false: the deadline.
template <typename Done>
bool fold_until(Source& source, model::Session& session, Done done) {
    const auto deadline = std::chrono::steady_clock::now() + 20s;
    while (!done()) {
        if (std::chrono::steady_clock::now() > deadline) return false;
        if (fold(source, session, {}, 0.01).frames == 0) std::this_thread::sleep_for(1ms);
    }
    return true;
}

bool read_whole(Source& source, model::Session& session) {
    bool caught_up = false;
    const auto deadline = std::chrono::steady_clock::now() + 20s;
    while (!caught_up && std::chrono::steady_clock::now() < deadline)
        caught_up = fold(source, session, {}, 0.01).caught_up;
    return caught_up;
}

TEST(FileSource, FoldsLikeTheFramesThemselves) {
    const test::TemporaryDirectory directory;
    const test::Frames frames = test::service_scene();
    write(directory.file("t.cst"), frames);
    model::Session direct, read;
    for (const v2::Frame& frame : frames) direct.apply(frame);
    const auto source = open_file(directory.file("t.cst"), [] {});
    ASSERT_TRUE(read_whole(*source, read));
    EXPECT_EQ(source->status().phase, SourceStatus::Phase::complete);
    EXPECT_EQ(source->status().frames, frames.size());
    EXPECT_DOUBLE_EQ(source->status().progress, 1);
    ASSERT_NE(read.app(1), nullptr);
    EXPECT_EQ(read.app(1)->model.events(), direct.app(1)->model.events());
    EXPECT_EQ(read.app(1)->model.all_tasks().size(), direct.app(1)->model.all_tasks().size());
}

TEST(FileSource, ACutFileIsShownUpToTheCut) {
    const test::TemporaryDirectory directory;
    const std::string path = directory.file("t.cst");
    {
        trace::Writer writer(path);
        for (const v2::Frame& frame : test::service_scene()) {
            writer.append(frame);
            writer.flush();
        }
        ASSERT_TRUE(writer.finish());
    }
    std::filesystem::resize_file(path, std::filesystem::file_size(path) * 6 / 10);
    model::Session session;
    const auto source = open_file(path, [] {});
    ASSERT_TRUE(read_whole(*source, session));
    EXPECT_EQ(source->status().phase, SourceStatus::Phase::cut_off);
    EXPECT_NE(source->status().message.find("cut off"), std::string::npos) << source->status().message;
    ASSERT_NE(session.app(1), nullptr);
    EXPECT_GT(session.app(1)->model.events(), 100u);
}

TEST(FileSource, WhatIsNoTraceFileIsSaid) {
    const test::TemporaryDirectory directory;
    EXPECT_EQ(open_file(directory.file("missing.cst"), [] {})->status().phase, SourceStatus::Phase::failed);
    EXPECT_NE(open_file(directory.file("missing.cst"), [] {})->status().message.find("missing.cst"), std::string::npos);
    std::ofstream(directory.file("text.cst")) << "this is no trace file, it only looks like one from afar";
    EXPECT_EQ(open_file(directory.file("text.cst"), [] {})->status().phase, SourceStatus::Phase::failed);
    EXPECT_FALSE(open_file(directory.file("text.cst"), [] {})->status().message.empty());
}

TEST(FileSource, CanBeLeftInTheMiddle) {
    const test::TemporaryDirectory directory;
    write(directory.file("t.cst"), test::crowd_scene(20'000));
    for (int i = 0; i < 20; ++i) {
        model::Session session;
        const auto source = open_file(directory.file("t.cst"), [] {});
        if (i % 2 == 0) fold(*source, session, {}, 0);
    }
}

TEST(HandOver, WakesOnceADrainAndHoldsItsBound) {
    int wakes = 0;
    HandOver queue([&] { ++wakes; });
    Item item;
    for (int i = 0; i < 10; ++i) ASSERT_TRUE(queue.push({}));
    EXPECT_EQ(wakes, 1);
    while (queue.pop(item)) {
    }
    ASSERT_TRUE(queue.push({}));
    EXPECT_EQ(wakes, 2);
    while (queue.pop(item)) {
    }
    // Full: the source waits until the UI has taken something.
    v2::Frame large;
    large.mutable_batch()->assign(HandOver::bound_bytes, 'x');
    ASSERT_TRUE(queue.push({Item::Kind::frame, large}));
    std::atomic<bool> through{false};
    std::jthread source([&] {
        queue.push({});
        through = true;
    });
    EXPECT_GE(queue.queued_bytes(), HandOver::bound_bytes);
    ASSERT_TRUE(queue.pop(item));
    const auto deadline = std::chrono::steady_clock::now() + 20s;
    while (!through && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
    EXPECT_TRUE(through);
}

TEST(HandOver, CloseFreesAWaitingSource) {
    HandOver queue([] {});
    v2::Frame large;
    large.mutable_batch()->assign(HandOver::bound_bytes, 'x');
    ASSERT_TRUE(queue.push({Item::Kind::frame, large}));
    bool pushed = true;
    std::thread source([&] { pushed = queue.push({}); });
    queue.close();
    source.join();
    EXPECT_FALSE(pushed);
}

TEST(Where, TellsAddressesFromFiles) {
    EXPECT_TRUE(is_address("unix:/run/x.sock"));
    EXPECT_TRUE(is_address("localhost:6670"));
    EXPECT_TRUE(is_address(":6670"));
    EXPECT_TRUE(is_address("[::1]:6670"));
    EXPECT_FALSE(is_address("t.cst"));
    EXPECT_FALSE(is_address("/a/b:c"));
    EXPECT_FALSE(is_address("host:"));
    const test::TemporaryDirectory directory;
    std::ofstream(directory.file("odd:77")) << "x";
    EXPECT_FALSE(is_address(directory.file("odd:77")));
}

// Speaks the agent's protocol: sends what it has, then stays until it is ended.
class SmallAgent final : public v2::Observe::Service {
public:
    SmallAgent(const std::string& address, test::Frames frames) : frames_(std::move(frames)) {
        grpc::ServerBuilder builder;
        builder.AddListeningPort(address, grpc::InsecureServerCredentials());
        builder.RegisterService(this);
        server_ = builder.BuildAndStart();
    }
    ~SmallAgent() override { server_->Shutdown(std::chrono::system_clock::now() + 100ms); }
    bool listens() const { return server_ != nullptr; }

private:
    grpc::Status Watch(grpc::ServerContext* context, const v2::WatchRequest* request,
                       grpc::ServerWriter<v2::WatchUpdate>* out) override {
        if (request->version().major() != protocol_major || !request->follow())
            return {grpc::StatusCode::INVALID_ARGUMENT, "unexpected request"};
        v2::WatchUpdate update;
        for (const v2::Frame& frame : frames_) {
            *update.mutable_frame() = frame;
            out->Write(update);
        }
        update.mutable_caught_up();
        out->Write(update);
        update.mutable_cut_back()->set_frames_dropped(7);
        out->Write(update);
        while (!context->IsCancelled()) std::this_thread::sleep_for(1ms);
        return grpc::Status::OK;
    }

    test::Frames frames_;
    std::unique_ptr<grpc::Server> server_;
};

TEST(LiveSource, WaitsForAnAgentFollowsItAndFindsTheNextOne) {
    const test::TemporaryDirectory directory;
    const std::string address = "unix:" + directory.file("a.sock");
    model::Session session;
    std::atomic<int> wakes{0};
    const auto source = open_live(address, [&] { ++wakes; });
    ASSERT_TRUE(fold_until(*source, session, [&] { return !source->status().message.empty(); }));
    EXPECT_EQ(source->status().phase, SourceStatus::Phase::connecting);
    EXPECT_NE(source->status().message.find("no agent answers at " + address), std::string::npos);
    {
        SmallAgent agent(address, test::small_scene());
        ASSERT_TRUE(agent.listens());
        ASSERT_TRUE(fold_until(*source, session,
                               [&] { return session.app(1) != nullptr && source->status().frames_cut == 7; }));
        EXPECT_EQ(source->status().phase, SourceStatus::Phase::live);
        EXPECT_EQ(session.app(1)->name, "greet");
        EXPECT_GT(wakes.load(), 0);
    }
    ASSERT_TRUE(fold_until(*source, session, [&] { return source->status().phase == SourceStatus::Phase::lost; }));
    EXPECT_EQ(session.app(1)->name, "greet") << "what was known stays in sight";
    SmallAgent next(address, test::service_scene());
    ASSERT_TRUE(fold_until(*source, session,
                           [&] { return session.app(1) != nullptr && session.app(1)->name == "orders-service"; }));
    EXPECT_EQ(session.apps().size(), 1u);
    EXPECT_EQ(source->status().connections, 2u);
}

}  // namespace
}  // namespace coroscope::viewer
