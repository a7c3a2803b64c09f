// Sessions: apps that come, go, come back, and are forgotten.
#include "agent/model/session.hpp"

#include <gtest/gtest.h>

#include "agent/model/dump.hpp"
#include "batches.hpp"
#include "coroscope/v2/session.pb.h"
#include "history.hpp"

namespace coroscope::model::test {
namespace {

v2::Frame hello(AppKey key, const std::string& name) {
    v2::Frame frame;
    frame.set_app(key);
    v2::Hello& said = *frame.mutable_hello();
    said.set_name(name);
    said.set_pid(4242);
    said.set_host("here");
    said.set_library("coroscope 0.1.0");
    said.set_compiler("g++");
    said.add_arguments("--fast");
    said.set_slow_step_ns(77);
    return frame;
}

v2::Frame batch(AppKey key, const v2::Batch& content) {
    v2::Frame frame;
    frame.set_app(key);
    frame.set_batch(content.SerializeAsString());
    return frame;
}

v2::Frame disconnected(AppKey key, const std::string& reason, bool orderly) {
    v2::Frame frame;
    frame.set_app(key);
    frame.mutable_disconnected()->set_reason(reason);
    frame.mutable_disconnected()->set_orderly(orderly);
    return frame;
}

TEST(SessionTest, AHelloMakesAnApp) {
    Session session;
    ASSERT_TRUE(session.apply(hello(3, "shop")));
    const App* app = session.app(3);
    ASSERT_NE(app, nullptr);
    EXPECT_EQ(app->key, 3u);
    EXPECT_EQ(app->name, "shop");
    EXPECT_EQ(app->pid, 4242u);
    EXPECT_EQ(app->host, "here");
    EXPECT_EQ(app->arguments, (std::vector<std::string>{"--fast"}));
    EXPECT_TRUE(app->connected);
    EXPECT_EQ(app->connections, 1u);
    EXPECT_EQ(app->model.slow_step_ns(), 77u);
    EXPECT_EQ(session.hello(3).SerializeAsString(), hello(3, "shop").SerializeAsString());
    EXPECT_EQ(session.app(4), nullptr);
}

TEST(SessionTest, BatchesGoToTheirApp) {
    Session session;
    session.apply(hello(1, "a"));
    session.apply(hello(2, "b"));
    ASSERT_TRUE(session.apply(batch(2, BatchBuilder(1).created(10, 5))));
    EXPECT_EQ(session.app(1)->model.all_tasks().size(), 0u);
    EXPECT_EQ(session.app(2)->model.all_tasks().size(), 1u);
}

TEST(SessionTest, WhatMakesNoSenseIsCountedAndChangesNothing) {
    Session session;
    EXPECT_FALSE(session.apply(v2::Frame{}));
    EXPECT_FALSE(session.apply(hello(0, "nobody")));
    EXPECT_FALSE(session.apply(batch(9, BatchBuilder(1).created(10, 5)))) << "of an app that never said hello";
    EXPECT_FALSE(session.apply(disconnected(9, "", true)));
    session.apply(hello(1, "a"));
    const std::uint64_t version = session.version();
    v2::Frame bad;
    bad.set_app(1);
    bad.set_batch("\xff\xff\xff");
    EXPECT_FALSE(session.apply(bad));
    bad.set_keyframe("\xff\xff\xff");
    EXPECT_FALSE(session.apply(bad));
    bad.clear_frame();
    EXPECT_FALSE(session.apply(bad));
    EXPECT_EQ(session.bad_frames(), 7u);
    EXPECT_EQ(session.version(), version);
    EXPECT_EQ(session.apps().size(), 1u);
}

TEST(SessionTest, AnAppThatComesBackIsTheSameApp) {
    Session session;
    session.apply(hello(1, "a"));
    session.apply(batch(1, BatchBuilder(1).created(10, 5)));
    ASSERT_TRUE(session.apply(disconnected(1, "connection lost", false)));
    EXPECT_FALSE(session.app(1)->connected);
    EXPECT_FALSE(session.app(1)->orderly);
    EXPECT_EQ(session.app(1)->disconnect_reason, "connection lost");
    session.apply(hello(1, "a"));
    EXPECT_TRUE(session.app(1)->connected);
    EXPECT_EQ(session.app(1)->connections, 2u);
    EXPECT_EQ(session.app(1)->disconnect_reason, "");
    EXPECT_NE(session.app(1)->model.task(5), nullptr);
    session.apply(hello(1, "a"));
    EXPECT_EQ(session.app(1)->connections, 2u) << "said again to a reader, no new connection";
}

TEST(SessionTest, AKeyframeReplacesWhatWasKnown) {
    Session first;
    first.apply(hello(1, "a"));
    for (const v2::Batch& each : random_history(5)) first.apply(batch(1, each));
    Session second;
    second.apply(hello(1, "a"));
    second.apply(batch(1, BatchBuilder(1).created(10, 987)));
    const std::uint64_t version = second.app(1)->model.version();
    ASSERT_TRUE(second.apply(first.keyframe(1)));
    EXPECT_EQ(dump(second.app(1)->model), dump(first.app(1)->model));
    EXPECT_GT(second.app(1)->model.version(), version);
    EXPECT_EQ(second.app(1)->connections, 1u);
}

TEST(SessionTest, AKeyframeAloneIntroducesItsApp) {
    Session first;
    first.apply(hello(6, "a"));
    Session second;
    ASSERT_TRUE(second.apply(first.keyframe(6)));
    ASSERT_NE(second.app(6), nullptr);
    EXPECT_EQ(second.app(6)->name, "a");
    EXPECT_EQ(second.hello(6).hello().pid(), 4242u);
}

TEST(SessionTest, OnlyWhoIsGoneIsForgotten) {
    Session session;
    session.apply(hello(1, "a"));
    EXPECT_FALSE(session.forget(1));
    EXPECT_FALSE(session.forget(2));
    session.apply(disconnected(1, "ended", true));
    EXPECT_TRUE(session.app(1)->orderly);
    EXPECT_TRUE(session.forget(1));
    EXPECT_TRUE(session.apps().empty());
}

TEST(SessionTest, MovesWithItsApps) {
    Session session;
    session.apply(hello(1, "a"));
    Session moved = std::move(session);
    EXPECT_TRUE(moved.apply(batch(1, BatchBuilder(1).created(10, 5))));
    EXPECT_EQ(moved.app(1)->model.all_tasks().size(), 1u);
}

}  // namespace
}  // namespace coroscope::model::test
