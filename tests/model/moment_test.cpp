// A model inside a batch: what is folded up to a moment, and what follows when the fold goes on.
#include <gtest/gtest.h>

#include "agent/model/dump.hpp"
#include "batches.hpp"
#include "coroscope/v2/keyframe.pb.h"

namespace coroscope::model::test {
namespace {

v2::Batch copy_of(const v2::Batch& batch) { return batch; }

// Two threads with a loop each; the second one's lane begins before the first one's ends.
v2::Batch two_threads() {
    BatchBuilder b(1);
    define_program(b);
    b.thread(1).loop_started(100, 10).created(110, 1, 0, 1).begin(120, 1).end(200, 1, vocabulary::Verb::timer, 0, 4);
    b.thread(2).loop_started(105, 20).created(150, 2, 0, 1).begin(160, 2).end(210, 2, vocabulary::Verb::timer, 0, 4);
    return b.batch();
}

TEST(Moment, EventsOfAllThreadsUpToTheMomentAreFolded) {
    Model model;
    EXPECT_FALSE(model.apply(two_threads(), 160));
    EXPECT_EQ(model.now_ns(), 160u);
    EXPECT_EQ(model.events(), 6u);
    EXPECT_EQ(model.task(1)->state, State::running);
    EXPECT_EQ(model.task(2)->state, State::running);
    EXPECT_FALSE(model.go_on(200));
    EXPECT_EQ(model.task(1)->state, State::suspended);
    EXPECT_EQ(model.task(2)->state, State::running);
    EXPECT_TRUE(model.go_on(210));
    EXPECT_EQ(model.task(2)->state, State::suspended);
    EXPECT_TRUE(model.go_on(end_of_time));
    EXPECT_EQ(model.events(), 8u);
}

TEST(Moment, DefinitionsCountFromTheBatchsBegin) {
    Model model;
    EXPECT_FALSE(model.apply(two_threads(), 1));
    EXPECT_EQ(model.events(), 0u);
    EXPECT_EQ(model.name(1), "first");
    EXPECT_NE(model.site(1), nullptr);
    EXPECT_EQ(model.batches(), 1u);
}

TEST(Moment, EveryMomentContinuesToTheSameModel) {
    Model whole;
    whole.apply(two_threads());
    for (std::uint64_t t = 90; t < 220; t += 5) {
        Model model;
        model.apply(two_threads(), t);
        model.go_on(t + 20);
        Model direct;
        direct.apply(two_threads(), t + 20);
        EXPECT_EQ(dump(model), dump(direct)) << t;
        model.go_on(end_of_time);
        EXPECT_EQ(dump(model), dump(whole)) << t;
    }
}

TEST(Moment, TheNextBatchFoldsWhatIsLeftFirst) {
    const v2::Batch next = BatchBuilder(2).ready(300, 1).batch();
    Model whole, stopped;
    whole.apply(two_threads());
    whole.apply(next);
    stopped.apply(two_threads(), 120);
    EXPECT_FALSE(stopped.apply(copy_of(next), 299));
    stopped.go_on(300);
    EXPECT_EQ(dump(stopped), dump(whole));
}

TEST(Moment, AGapTakesEffectAtTheTimeAtWhichItBegins) {
    BatchBuilder b(1);
    b.thread(1).loop_started(100, 10).created(110, 1).begin(120, 1);
    b.thread(2).loop_started(300, 20);
    b.gap(1, 5, 150, 250).gap(3, 1, 200, 220);
    const v2::Batch batch = b;
    Model model;
    EXPECT_FALSE(model.apply(copy_of(batch), 149));
    EXPECT_TRUE(model.gaps().empty());
    EXPECT_EQ(model.task(1)->state, State::running);
    EXPECT_FALSE(model.go_on(150));
    EXPECT_EQ(model.gaps().size(), 1u);
    EXPECT_TRUE(model.task(1)->incomplete);
    EXPECT_FALSE(model.go_on(200));
    EXPECT_EQ(model.gaps().size(), 2u);
    EXPECT_EQ(model.loops().size(), 1u);
    EXPECT_TRUE(model.go_on(300));
    EXPECT_EQ(model.loops().size(), 2u);
}

TEST(Moment, ReportsFollowAllEventsOfTheirBatch) {
    BatchBuilder b(1);
    b.loop_started(100, 10).created(110, 1).created(200, 2);
    b.report(vocabulary::ReportKind::never_awaited, 120, 1);
    b.report(vocabulary::ReportKind::task_destroyed_pending, 250, 1);
    const v2::Batch batch = b;
    Model model;
    EXPECT_FALSE(model.apply(copy_of(batch), 150));
    EXPECT_TRUE(model.reports().empty());
    EXPECT_FALSE(model.go_on(200));
    ASSERT_EQ(model.reports().size(), 1u);
    EXPECT_EQ(model.task(1)->state, State::created);
    EXPECT_TRUE(model.go_on(250));
    EXPECT_EQ(model.reports().size(), 2u);
    EXPECT_EQ(model.task(1)->state, State::done);
}

TEST(Moment, ResourcesCloseAfterTheReportsAndThenComesTheBatchsOwnTime) {
    v2::Batch batch = BatchBuilder(1).loop_started(100, 10).batch();
    v2::Resource& resource = *batch.add_resources();
    resource.set_id(7);
    resource.set_type(static_cast<std::uint32_t>(vocabulary::ResourceType::lock));
    resource.set_created_ns(150);
    v2::ClosedResource& closed = *batch.add_closed_resources();
    closed.set_id(7);
    closed.set_closed_ns(200);
    batch.set_time_ns(300);
    Model model;
    EXPECT_FALSE(model.apply(copy_of(batch), 199));
    EXPECT_EQ(model.now_ns(), 100u);
    ASSERT_NE(model.resource(7), nullptr);
    EXPECT_EQ(model.resource(7)->closed_ns, 0u);
    EXPECT_FALSE(model.go_on(299));
    EXPECT_EQ(model.resource(7)->closed_ns, 200u);
    EXPECT_EQ(model.now_ns(), 200u);
    EXPECT_TRUE(model.go_on(300));
    EXPECT_EQ(model.now_ns(), 300u);
}

TEST(Moment, AKeyframeIsOfTheMoment) {
    Model model;
    model.apply(two_threads(), 160);
    v2::Keyframe keyframe;
    model.save_keyframe(keyframe);
    Model loaded;
    ASSERT_TRUE(loaded.load_keyframe(keyframe));
    EXPECT_EQ(dump(loaded), dump(model));
    EXPECT_TRUE(loaded.go_on(end_of_time)) << "what was left is not in it";
}

}  // namespace
}  // namespace coroscope::model::test
