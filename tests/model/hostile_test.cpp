// Anything may come over a socket or stand in a file: no bytes crash the fold, and none make it grow out of bounds.
#include <google/protobuf/stubs/logging.h>
#include <gtest/gtest.h>

#include <random>

#include "agent/model/dump.hpp"
#include "agent/model/session.hpp"
#include "batches.hpp"
#include "coroscope/v2/keyframe.pb.h"
#include "history.hpp"

namespace coroscope::model::test {
namespace {

// Reads all that can be read.
void look_at(const Model& model) {
    for (const Task* task : model.all_tasks()) {
        (void)model.await_stack(*task);
        (void)model.creation_stack(*task);
        (void)model.task_name(*task);
        (void)model.coroutine(*task);
    }
    (void)model.children(0);
    EXPECT_FALSE(dump(model).empty());
}

void spoil(v2::Lane& lane, std::mt19937_64& random) {
    const auto strange = [&]() -> std::uint64_t {
        switch (random() % 5) {
            case 0: return 0;
            case 1: return ~std::uint64_t{0};
            case 2: return random();
            case 3: return std::uint64_t{1} << 60;
            default: return random() % 300;
        }
    };
    const auto spoil_column = [&](auto& column) {
        using Value = std::decay_t<decltype(column.Get(0))>;
        if (column.size() == 0) return;
        const int at = static_cast<int>(random() % static_cast<std::uint64_t>(column.size()));
        if (random() % 4 == 0)
            column.Truncate(at);
        else
            column.Set(at, static_cast<Value>(strange()));
    };
    switch (random() % 7) {
        case 0: spoil_column(*lane.mutable_time_deltas()); break;
        case 1: spoil_column(*lane.mutable_subject_deltas()); break;
        case 2: spoil_column(*lane.mutable_arguments()); break;
        case 3: spoil_column(*lane.mutable_stacks()); break;
        case 4: lane.set_start_ns(strange()); break;
        case 5: lane.set_thread(static_cast<std::uint32_t>(strange())); break;
        default:
            if (!lane.kinds().empty())
                (*lane.mutable_kinds())[random() % lane.kinds().size()] = static_cast<char>(random() % 22);
    }
}

TEST(Hostile, SpoiltLanes) {
    for (std::uint64_t seed = 1; seed <= 150; ++seed) {
        SCOPED_TRACE(seed);
        std::mt19937_64 random(seed);
        HistoryOptions options;
        options.batches = 6;
        options.losses = seed % 2 == 0;
        Limits limits;
        limits.live_tasks = 200;
        limits.done_tasks = 20;
        limits.slices = 50;
        limits.loops = 3;
        limits.threads = 5;
        Model model(limits);
        for (v2::Batch& batch : random_history(seed, options)) {
            for (int i = 0; i < 6 && batch.lanes_size() != 0; ++i)
                spoil(*batch.mutable_lanes(static_cast<int>(random() % static_cast<std::uint64_t>(batch.lanes_size()))),
                      random);
            model.apply(batch);
            EXPECT_LE(model.live_tasks().size(), 200u);
            EXPECT_LE(model.done_tasks().size(), 20u);
            EXPECT_LE(model.loops().size(), 3u);
            for (const auto& loop : model.loops()) EXPECT_LE(loop->slices.size(), 50u);
        }
        look_at(model);
        // Even such a model has a keyframe.
        v2::Keyframe keyframe;
        model.save_keyframe(keyframe);
        Model loaded(limits);
        ASSERT_TRUE(loaded.load_keyframe(keyframe));
        EXPECT_EQ(dump(loaded), dump(model));
    }
}

TEST(Hostile, SpoiltBytesOfBatches) {
    const google::protobuf::LogSilencer no_lines_about_text_that_is_not_utf8;
    std::uint64_t parsed = 0;
    for (std::uint64_t seed = 1; seed <= 150; ++seed) {
        SCOPED_TRACE(seed);
        std::mt19937_64 random(seed);
        Session session;
        v2::Frame hello;
        hello.set_app(1);
        hello.mutable_hello()->set_name("app");
        ASSERT_TRUE(session.apply(hello));
        for (const v2::Batch& batch : random_history(seed)) {
            v2::Frame frame;
            frame.set_app(1);
            std::string bytes = batch.SerializeAsString();
            for (int i = 0; i < 4; ++i) bytes[random() % bytes.size()] = static_cast<char>(random());
            frame.set_batch(bytes);
            parsed += session.apply(frame);
        }
        look_at(session.app(1)->model);
    }
    EXPECT_GT(parsed, 100u) << "else this tests the parser only";
}

TEST(Hostile, SpoiltBytesOfKeyframes) {
    const google::protobuf::LogSilencer no_lines_about_text_that_is_not_utf8;
    std::uint64_t loaded = 0, refused = 0;
    for (std::uint64_t seed = 1; seed <= 300; ++seed) {
        SCOPED_TRACE(seed);
        std::mt19937_64 random(seed);
        HistoryOptions options;
        options.batches = 3;
        options.losses = true;
        Model model;
        const std::vector<v2::Batch> batches = random_history(seed, options);
        for (const v2::Batch& batch : batches) model.apply(batch);
        v2::Keyframe keyframe;
        model.save_keyframe(keyframe);
        std::string bytes = keyframe.SerializeAsString();
        for (int i = 0; i < 2; ++i) bytes[random() % bytes.size()] = static_cast<char>(random());
        v2::Keyframe spoilt;
        if (!spoilt.ParseFromString(bytes)) continue;
        Model victim;
        if (!victim.load_keyframe(spoilt)) {
            ++refused;
            continue;
        }
        ++loaded;
        for (const v2::Batch& batch : batches) victim.apply(batch);
        look_at(victim);
    }
    EXPECT_GT(loaded, 10u);
    EXPECT_GT(refused, 10u);
}

// Each event is paid for by its own bytes: what a walk visits is never visited again for free.
TEST(Hostile, ManySnapshotsAndGapsOverManyTasks) {
    Model model;
    BatchBuilder many(1);
    many.loop_started(1, 1);
    for (TaskId id = 1; id <= 100'000; ++id) many.created(10, id);
    model.apply(many);
    BatchBuilder gaps(2);
    for (std::uint64_t i = 0; i < 100'000; ++i) gaps.gap(1, 1, 100 + i, 100 + i);
    model.apply(gaps);
    BatchBuilder snapshots(3);
    for (std::uint64_t i = 0; i < 100'000; ++i) snapshots.snapshot_begin(200'000 + i, 1).snapshot_end(200'000 + i, 1);
    model.apply(snapshots);
    EXPECT_TRUE(model.live_tasks().empty());
    EXPECT_EQ(model.gaps().size(), Limits{}.gaps);
}

TEST(Hostile, ManyLanesThreadsAndLoopsInOneBatch) {
    Limits limits;
    limits.threads = 10;
    limits.loops = 4;
    Model model(limits);
    BatchBuilder b(1);
    for (std::uint32_t id = 1; id <= 20'000; ++id) b.thread(id).loop_started(id, id);
    model.apply(b);
    EXPECT_EQ(model.loops().size(), 4u);
    EXPECT_EQ(model.threads().size(), 10u);
}

}  // namespace
}  // namespace coroscope::model::test
