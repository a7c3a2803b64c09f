// What a history keeps and drops: cached models, keyframes of its own, the ring of a live session.
#include <gtest/gtest.h>

#include <set>

#include "agent/model/history.hpp"
#include "agent/model/recorded_frames.hpp"
#include "batches.hpp"
#include "plain_frames.hpp"

namespace coroscope::model::test {
namespace {

v2::Frame hello(AppKey app) {
    v2::Frame frame;
    frame.set_app(app);
    frame.mutable_hello()->set_name("app");
    return frame;
}

v2::Frame end_of(AppKey app) {
    v2::Frame frame;
    frame.set_app(app);
    frame.mutable_disconnected()->set_reason("ended");
    return frame;
}

// Batch `number`, from 1: task `number` is created at number * 1000 and waits from 100 ns later on.
v2::Frame batch(AppKey app, std::uint64_t number) {
    BatchBuilder b(number);
    if (number == 1) b.loop_started(500, 1);
    const std::uint64_t t = number * 1'000;
    b.created(t, number).begin(t + 50, number).end(t + 100, number, vocabulary::Verb::timer, 0, 0);
    v2::Frame frame;
    frame.set_app(app);
    frame.set_batch(b.batch().SerializeAsString());
    return frame;
}

void record(RecordedFrames& frames, std::uint64_t batches) {
    frames.append(hello(1));
    for (std::uint64_t i = 1; i <= batches; ++i) frames.append(batch(1, i));
}

RecordedFrames::Settings small_positions() {
    RecordedFrames::Settings settings;
    settings.position_bytes = 1'000;
    settings.keyframe_spacing = 0;
    return settings;
}

TEST(History, ANearKeyframeSavesTheFoldFromTheStart) {
    RecordedFrames frames(small_positions());
    record(frames, 1'000);
    History history(frames);
    ASSERT_NE(history.at(1, 900'060), nullptr);
    EXPECT_EQ(history.at(1, 900'060)->model.task(900)->state, State::running);
    EXPECT_EQ(history.statistics().keyframes_loaded, 1u);
    EXPECT_LT(history.statistics().frames_folded, 300u);
}

TEST(History, ForwardsItGoesOnFromTheCachedModel) {
    RecordedFrames frames(small_positions());
    record(frames, 1'000);
    History history(frames);
    history.at(1, 900'060);
    const auto before = history.statistics();
    for (std::uint64_t t = 900'060; t < 901'000; t += 10) history.at(1, t);
    EXPECT_EQ(history.statistics().keyframes_loaded, before.keyframes_loaded);
    EXPECT_LE(history.statistics().frames_folded, before.frames_folded + 1);
}

TEST(History, TheModelUsedLongestAgoIsReplaced) {
    RecordedFrames frames(small_positions());
    record(frames, 1'000);
    History::Settings settings;
    settings.models = 2;
    History history(frames, settings);
    history.at(1, 900'000);
    history.at(1, 500'000);
    history.at(1, 900'001);  // cached
    EXPECT_EQ(history.statistics().keyframes_loaded, 2u);
    history.at(1, 200'000);  // in the place of 500'000
    history.at(1, 900'002);
    EXPECT_EQ(history.statistics().keyframes_loaded, 3u) << "this one was kept";
    history.at(1, 500'000);
    EXPECT_EQ(history.statistics().keyframes_loaded, 4u);
}

TEST(History, OwnKeyframesStayWithinTheirBytes) {
    std::vector<v2::Frame> all{hello(1)};
    for (std::uint64_t i = 1; i <= 5'000; ++i) all.push_back(batch(1, i));
    PlainFrames frames(all, 10);
    History::Settings settings;
    settings.own_keyframe_events = 100;
    settings.own_keyframe_bytes = 1u << 20;
    History history(frames, settings);
    history.at(1, end_of_time);
    const auto first = history.statistics();
    EXPECT_GT(first.own_keyframes, 0u);
    EXPECT_LE(first.own_keyframe_bytes, settings.own_keyframe_bytes);
    history.at(1, 4'900'000);
    EXPECT_LT(history.statistics().frames_folded - first.frames_folded, 4'000u);
}

TEST(History, TakeMovesTheAppIntoASession) {
    RecordedFrames frames(small_positions());
    record(frames, 10);
    History history(frames);
    Session session;
    ASSERT_TRUE(history.take(1, 5'060, session));
    ASSERT_NE(session.app(1), nullptr);
    EXPECT_EQ(session.app(1)->model.task(5)->state, State::running);
    EXPECT_FALSE(history.take(1, 5'060, session)) << "it has this app";
    EXPECT_FALSE(history.take(2, 5'060, session)) << "nobody has that app";
    EXPECT_EQ(history.at(1, 6'060)->model.task(6)->state, State::running);
}

TEST(RecordedFrames, TheOldestIsDroppedAndCountedAndTheRestIsRight) {
    RecordedFrames::Settings settings = small_positions();
    settings.max_bytes = 200'000;
    RecordedFrames frames(settings);
    record(frames, 3'000);
    EXPECT_GT(frames.frames_dropped(), 0u);
    EXPECT_GT(frames.begin(), 0u);
    EXPECT_LE(frames.bytes(), 2 * settings.max_bytes);
    History history(frames);
    EXPECT_EQ(history.at(1, 1'060), nullptr) << "no longer kept";
    const App* now = history.at(1, 3'000'060);
    ASSERT_NE(now, nullptr);
    EXPECT_EQ(now->model.live_tasks().size(), 3'000u);
}

TEST(RecordedFrames, AHistoryFollowsARingThatMovesOn) {
    RecordedFrames::Settings settings = small_positions();
    settings.max_bytes = 200'000;
    RecordedFrames frames(settings);
    History history(frames);
    EXPECT_EQ(history.at(1, 0), nullptr);
    frames.append(hello(1));
    for (std::uint64_t i = 1; i <= 2'000; ++i) {
        frames.append(batch(1, i));
        const App* app = history.at(1, i * 1'000 + 60);
        ASSERT_NE(app, nullptr) << i;
        ASSERT_EQ(app->model.task(i)->state, State::running) << i;
    }
    EXPECT_GT(frames.frames_dropped(), 0u);
}

TEST(RecordedFrames, KeyframesKnowWhichAppsHaveEndedAndForgetTheOldest) {
    RecordedFrames::Settings settings = small_positions();
    settings.retain_apps = 2;
    RecordedFrames frames(settings);
    for (AppKey app = 1; app <= 5; ++app) {
        frames.append(hello(app));
        frames.append(batch(app, 1));
        if (app < 5) frames.append(end_of(app));
    }
    for (std::uint64_t i = 2; i <= 100; ++i) frames.append(batch(5, i));
    History history(frames);
    for (AppKey app = 1; app <= 5; ++app) {
        const App* found = history.at(app, 100'000);
        ASSERT_NE(found, nullptr) << app;
        EXPECT_EQ(found->connected, app == 5) << app;
        EXPECT_EQ(found->model.tasks_created(), app == 5 ? 100u : 1u) << app;
    }
    std::set<AppKey> in_last;
    frames.read(frames.end() - 1, [&](const v2::Frame& frame, bool is_keyframe) {
        if (is_keyframe) in_last.insert(frame.app());
        return is_keyframe;
    });
    EXPECT_EQ(in_last, (std::set<AppKey>{3, 4, 5}));
}

}  // namespace
}  // namespace coroscope::model::test
