// Properties that hold for every history, tried on many: the seed is in the failure's trace.
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "agent/model/dump.hpp"
#include "coroscope/v2/keyframe.pb.h"
#include "history.hpp"

namespace coroscope::model::test {
namespace {

Limits tight() {
    Limits limits;
    limits.done_tasks = 20;
    limits.slices = 50;
    limits.iterations = 10;
    limits.reports = 3;
    limits.long_steps = 3;
    limits.gaps = 2;
    limits.loops = 2;
    return limits;
}

class Histories : public ::testing::TestWithParam<std::uint64_t> {};

// fold(b1..bn) == load(keyframe after b1..bk) + fold(bk+1..bn), for every k.
void expect_any_keyframe_continues(const std::vector<v2::Batch>& batches, const Limits& limits) {
    std::vector<std::string> keyframes;
    Model whole(limits);
    for (const v2::Batch& batch : batches) {
        v2::Keyframe keyframe;
        whole.save_keyframe(keyframe);
        keyframes.push_back(keyframe.SerializeAsString());
        whole.apply(batch);
    }
    const std::string expected = dump(whole);
    for (std::size_t k = 0; k < keyframes.size(); ++k) {
        SCOPED_TRACE("from batch " + std::to_string(k));
        v2::Keyframe keyframe;
        ASSERT_TRUE(keyframe.ParseFromString(keyframes[k]));
        Model model(limits);
        ASSERT_TRUE(model.load_keyframe(keyframe));
        for (std::size_t i = k; i < batches.size(); ++i) model.apply(batches[i]);
        ASSERT_EQ(dump(model), expected);
    }
}

TEST_P(Histories, AnyKeyframeContinuesAsIfNothingHadBeen) {
    HistoryOptions options;
    expect_any_keyframe_continues(random_history(GetParam(), options), {});
    options.losses = true;
    expect_any_keyframe_continues(random_history(GetParam(), options), {});
    options.loops = 4;
    expect_any_keyframe_continues(random_history(GetParam(), options), tight());
}

// A lane in which something is wrong is read with checks, event by event; any other without. Up to the wrong part both
// give the same. Here the wrong part is a kind that nobody defined: at the end of each lane, or in a lane of its own.
TEST_P(Histories, LanesReadWithChecksFoldAsThoseWithout) {
    constexpr char undefined = static_cast<char>(200);
    Model checked, unchecked;
    for (const v2::Batch& batch : random_history(GetParam())) {
        v2::Batch at_end = batch, apart = batch;
        for (int i = 0; i < batch.lanes_size(); ++i) {
            v2::Lane& lane = *at_end.mutable_lanes(i);
            lane.mutable_kinds()->push_back(undefined);
            lane.add_time_deltas(0);
            v2::Lane& own = *apart.add_lanes();
            own.set_thread(lane.thread());
            own.set_start_ns(std::accumulate(lane.time_deltas().begin(), lane.time_deltas().end(), lane.start_ns()));
            own.mutable_kinds()->push_back(undefined);
            own.add_time_deltas(0);
        }
        checked.apply(at_end);
        unchecked.apply(apart);
    }
    EXPECT_GT(checked.anomalies(), 0u);
    EXPECT_EQ(dump(checked), dump(unchecked));
}

TEST_P(Histories, SerialisedBatchesFoldAsTheLiveOnes) {
    HistoryOptions options;
    options.losses = GetParam() % 2 == 0;
    Model live, recorded;
    for (const v2::Batch& batch : random_history(GetParam(), options)) {
        live.apply(batch);
        v2::Batch parsed;
        ASSERT_TRUE(parsed.ParseFromString(batch.SerializeAsString()));
        recorded.apply(parsed);
    }
    EXPECT_EQ(dump(recorded), dump(live));
}

TEST_P(Histories, AWholeHistoryHasNoAnomalies) {
    Model model;
    for (const v2::Batch& batch : random_history(GetParam())) model.apply(batch);
    EXPECT_EQ(model.anomalies(), 0u);
    EXPECT_EQ(model.batches_lost(), 0u);
    for (const Task* task : model.all_tasks()) EXPECT_FALSE(task->incomplete) << "task " << task->id;
    EXPECT_EQ(model.all_tasks().size(), model.tasks_created());
}

// What the model says must be consistent in itself whatever was lost.
TEST_P(Histories, TheModelIsConsistent) {
    HistoryOptions options;
    options.losses = GetParam() % 3 != 0;
    Model model;
    for (const v2::Batch& batch : random_history(GetParam(), options)) {
        model.apply(batch);
        const auto live = model.live_tasks(), done = model.done_tasks(), all = model.all_tasks();
        EXPECT_EQ(live.size() + done.size(), all.size());
        for (const Task* task : live) EXPECT_NE(task->state, State::done);
        for (const Task* task : done) EXPECT_EQ(task->state, State::done);
        std::size_t running = 0, open = 0;
        for (const Task* task : live) running += task->state == State::running;
        for (const auto& loop : model.loops()) {
            open += loop->open_slice && loop->open_slice->task != 0;
            std::uint64_t last_end_ns = 0;
            for (const Slice& slice : loop->slices) {
                EXPECT_LE(last_end_ns, slice.begin_ns);
                EXPECT_LE(slice.begin_ns, slice.end_ns);
                last_end_ns = slice.end_ns;
            }
        }
        EXPECT_LE(running, open) << "a task runs and no loop runs it";
        EXPECT_LE(model.first_ns(), model.now_ns());
    }
}

// After losses a snapshot makes the set of live tasks right again: the same as without the losses.
TEST_P(Histories, ASnapshotHeals) {
    HistoryOptions options;
    options.losses = true;
    std::vector<v2::Batch> batches = random_history(GetParam(), options);
    Model model;
    for (const v2::Batch& batch : batches) model.apply(batch);
    // The whole truth, listed.
    v2::Batch truth;
    truth.set_sequence(batches.back().sequence() + 1);
    for (const auto& loop : model.loops()) {
        if (!loop->running) continue;
        v2::Lane& lane = *truth.add_lanes();
        lane.set_thread(loop->thread);
        lane.set_start_ns(model.now_ns() + 10);
        const auto add = [&](vocabulary::EventKind kind) {
            lane.mutable_kinds()->push_back(static_cast<char>(kind));
            lane.add_time_deltas(1);
        };
        add(vocabulary::EventKind::snapshot_begin);
        lane.add_subject_deltas(static_cast<std::int64_t>(loop->id));
        add(vocabulary::EventKind::snapshot_task);
        lane.add_subject_deltas(1'000'000);
        lane.add_arguments(0);
        lane.add_stacks(1);
        add(vocabulary::EventKind::snapshot_state);
        lane.add_subject_deltas(0);
        lane.add_arguments(vocabulary::pack_wait(vocabulary::Verb::timer));
        lane.add_stacks(4);
        add(vocabulary::EventKind::snapshot_end);
        lane.add_subject_deltas(-1'000'000);
    }
    model.apply(truth);
    for (const auto& loop : model.loops()) {
        if (!loop->running) continue;
        std::vector<TaskId> live;
        for (const Task* task : model.live_tasks())
            if (task->loop == loop->id) live.push_back(task->id);
        EXPECT_EQ(live, (std::vector<TaskId>{1'000'000 + loop->id}));
    }
}

INSTANTIATE_TEST_SUITE_P(Seeds, Histories, ::testing::Range<std::uint64_t>(1, 41));

}  // namespace
}  // namespace coroscope::model::test
