// The fan-out: every reader's updates fold to what the hub knows, whatever it missed.
#include "agent/server/hub.hpp"

#include <gtest/gtest.h>

#include <thread>

#include "tests/e2e/support.hpp"
#include "tests/e2e/wire_app.hpp"

namespace coroscope::server {
namespace {

using e2e::WireApp;

class HubTest : public testing::Test {
protected:
    HubTest() : hub_(options()) {}
    static AgentOptions options() {
        AgentOptions options;
        options.retain_apps = 2;
        return options;
    }

    model::AppKey attach(const std::string& name, std::uint64_t connection) {
        return hub_.hello(WireApp::hello(name, "instance of " + name), connection, nullptr);
    }
    bool batch(model::AppKey app, std::uint64_t connection, std::uint64_t sequence, std::uint64_t tasks = 10) {
        return hub_.batch(app, connection,
                          WireApp::tasks(sequence, (sequence - 1) * tasks + 1, tasks).SerializeAsString());
    }
    // What is there now, read to its end, folded.
    model::Session snapshot() {
        const auto subscription = hub_.subscribe(false, 1 << 20);
        return fold(*subscription);
    }
    model::Session fold(Subscription& subscription) {
        model::Session session;
        while (const Update update = hub_.next(subscription)) {
            if (update->has_frame()) {
                EXPECT_TRUE(session.apply(update->frame()));
            }
            if (update->has_cut_back()) cut_back_ = update->cut_back().frames_dropped();
        }
        return session;
    }

    Hub hub_;
    std::uint64_t cut_back_ = 0;
};

TEST_F(HubTest, ASnapshotHasEveryAppWithItsTasks) {
    const auto a = attach("a", 1);
    const auto b = attach("b", 2);
    EXPECT_TRUE(batch(a, 1, 1));
    EXPECT_TRUE(batch(b, 2, 1, 3));
    const model::Session session = snapshot();
    ASSERT_NE(session.app(a), nullptr);
    ASSERT_NE(session.app(b), nullptr);
    EXPECT_EQ(session.app(a)->name, "a");
    EXPECT_TRUE(session.app(a)->connected);
    EXPECT_EQ(session.app(a)->model.live_tasks().size(), 10u);
    EXPECT_EQ(session.app(b)->model.live_tasks().size(), 3u);
}

// Each connection has a thread, so that the Hello of an older one may come after that of its successor.
TEST_F(HubTest, AnOlderConnectionDoesNotReplaceItsSuccessor) {
    struct Link final : AppLink {
        v2::CommandResult command(const v2::Command&, unsigned) override { return {}; }
        void end(const std::string& why) override { ended = why; }
        std::string ended;
    };
    const auto older = std::make_shared<Link>(), newer = std::make_shared<Link>();
    const auto a = hub_.hello(WireApp::hello("a", "same"), 2, newer);
    EXPECT_EQ(hub_.hello(WireApp::hello("a", "same"), 1, older), a);
    EXPECT_EQ(older->ended, "the app has opened a newer connection");
    EXPECT_EQ(newer->ended, "");
    EXPECT_TRUE(batch(a, 2, 1));
    EXPECT_EQ(snapshot().app(a)->model.live_tasks().size(), 10u);
}

TEST_F(HubTest, AFollowerGetsKeyframesThenWhatComes) {
    const auto a = attach("a", 1);
    batch(a, 1, 1);
    const auto subscription = hub_.subscribe(true, 1 << 20);
    std::vector<v2::WatchUpdate::UpdateCase> kinds;
    for (int i = 0; i < 3; ++i) kinds.push_back(hub_.next(*subscription)->update_case());
    EXPECT_EQ(kinds, (std::vector{v2::WatchUpdate::kFrame, v2::WatchUpdate::kFrame, v2::WatchUpdate::kCaughtUp}));
    batch(a, 1, 2);
    const auto b = attach("b", 2);
    EXPECT_TRUE(hub_.next(*subscription)->frame().has_batch());
    const Update hello = hub_.next(*subscription);
    EXPECT_EQ(hello->frame().app(), b);
    EXPECT_TRUE(hello->frame().has_hello());
    hub_.unsubscribe(subscription);
    EXPECT_EQ(hub_.next(*subscription), nullptr);
}

TEST_F(HubTest, AReaderThatIsTooSlowIsToldWhatItMissed) {
    const auto a = attach("a", 1);
    const auto subscription = hub_.subscribe(true, 2'000);
    for (std::uint64_t sequence = 1; sequence <= 3; ++sequence) hub_.next(*subscription);
    for (std::uint64_t sequence = 1; sequence <= 50; ++sequence) EXPECT_TRUE(batch(a, 1, sequence));
    subscription->close(false);
    const Update first = hub_.next(*subscription);
    ASSERT_TRUE(first->has_cut_back());
    EXPECT_GT(first->cut_back().frames_dropped(), 40u);
}

TEST_F(HubTest, AfterACutTheFoldIsWhole) {
    const auto a = attach("a", 1);
    const auto subscription = hub_.subscribe(true, 2'000);
    model::Session session;
    for (int i = 0; i < 3; ++i) {
        const Update update = hub_.next(*subscription);
        if (update->has_frame()) session.apply(update->frame());
    }
    for (std::uint64_t sequence = 1; sequence <= 50; ++sequence) batch(a, 1, sequence);
    const auto b = attach("b", 2);  // appears while the reader is cut
    bool cut = false;
    for (int i = 0; i < 5; ++i) {
        const Update update = hub_.next(*subscription, std::chrono::milliseconds(0));
        cut = cut || update->has_cut_back();
        if (update->has_frame()) {
            EXPECT_TRUE(session.apply(update->frame()));
        }
    }
    batch(a, 1, 51);
    session.apply(hub_.next(*subscription)->frame());
    EXPECT_TRUE(cut);
    ASSERT_NE(session.app(a), nullptr);
    EXPECT_EQ(session.app(a)->model.live_tasks().size(), 510u);
    EXPECT_NE(session.app(b), nullptr);
    EXPECT_EQ(hub_.next(*subscription, std::chrono::milliseconds(0))->update_case(), v2::WatchUpdate::UPDATE_NOT_SET);
    v2::StatusResponse status;
    hub_.fill(status);
    EXPECT_GE(status.frames_dropped(), 40u);
}

TEST_F(HubTest, TheSameInstanceKeepsItsKeyAndItsLateConnectionIsIgnored) {
    const auto a = attach("a", 1);
    batch(a, 1, 1);
    hub_.disconnected(a, 1, "connection lost", false);
    EXPECT_FALSE(snapshot().app(a)->connected);
    EXPECT_EQ(attach("a", 2), a);
    hub_.disconnected(a, 1, "late news of the old connection", false);
    const model::Session session = snapshot();
    EXPECT_TRUE(session.app(a)->connected);
    EXPECT_EQ(session.apps().size(), 1u);
}

TEST_F(HubTest, EndedAppsAreKeptUpToTheBoundAndTheFirstGoesFirst) {
    const auto live = attach("live", 100);
    std::vector<model::AppKey> keys;
    for (std::uint64_t i = 1; i <= 4; ++i) {
        keys.push_back(attach("app " + std::to_string(i), i));
        hub_.disconnected(keys.back(), i, "ended", true);
    }
    const model::Session session = snapshot();
    EXPECT_EQ(session.apps().size(), 3u);
    EXPECT_NE(session.app(live), nullptr);
    EXPECT_EQ(session.app(keys[0]), nullptr);
    EXPECT_NE(session.app(keys[3]), nullptr);
    EXPECT_EQ(session.app(keys[3])->disconnect_reason, "ended");
    EXPECT_TRUE(session.app(keys[3])->orderly);
}

TEST_F(HubTest, WhatIsNoBatchIsNotPassedOn) {
    const auto a = attach("a", 1);
    const auto subscription = hub_.subscribe(true, 1 << 20);
    for (int i = 0; i < 3; ++i) hub_.next(*subscription);
    EXPECT_FALSE(hub_.batch(a, 1, "\xff\xff\xff"));
    EXPECT_EQ(hub_.next(*subscription, std::chrono::milliseconds(0))->update_case(), v2::WatchUpdate::UPDATE_NOT_SET);
}

TEST_F(HubTest, ReadersOfAllSortsAgreeUnderConcurrentWriters) {
    constexpr std::uint64_t batches = 200;
    const auto fast = hub_.subscribe(true, 64 << 20);
    const auto cut = hub_.subscribe(true, 3'000);
    model::Session sessions[2];
    std::thread readers[2];
    const std::shared_ptr<Subscription> subscriptions[2] = {fast, cut};
    for (int i = 0; i < 2; ++i) readers[i] = std::thread([&, i] { sessions[i] = fold(*subscriptions[i]); });
    std::vector<std::thread> writers;
    for (std::uint64_t w = 1; w <= 3; ++w) {
        writers.emplace_back([&, w] {
            const auto key = attach("writer " + std::to_string(w), w);
            for (std::uint64_t sequence = 1; sequence <= batches; ++sequence) batch(key, w, sequence);
        });
    }
    for (std::thread& writer : writers) writer.join();
    EXPECT_TRUE(e2e::wait_until([&] { return fast->settled() && cut->settled(); }));
    for (const auto& subscription : subscriptions) subscription->close(false);
    for (std::thread& reader : readers) reader.join();
    for (const model::Session& session : sessions) {
        ASSERT_EQ(session.apps().size(), 3u);
        for (const auto& [key, app] : session.apps()) EXPECT_EQ(app.model.live_tasks().size(), 10 * batches);
    }
}

}  // namespace
}  // namespace coroscope::server
