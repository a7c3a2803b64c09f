// Keyframes: a model saved and loaded is the same model; what makes no sense is refused.
#include <gtest/gtest.h>

#include "agent/model/dump.hpp"
#include "coroscope/v2/keyframe.pb.h"
#include "history.hpp"

namespace coroscope::model::test {
namespace {

Model folded(const std::vector<v2::Batch>& batches, Limits limits = {}) {
    Model model(limits);
    v2::Hello hello;
    hello.set_name("app");
    hello.set_slow_step_ns(60);
    hello.set_wall_unix_ns(1'000'000);
    hello.set_wall_at_ns(500);
    model.set_hello(hello);
    for (const v2::Batch& batch : batches) model.apply(batch);
    return model;
}

v2::Keyframe keyframe_of(const Model& model) {
    v2::Keyframe keyframe;
    model.save_keyframe(keyframe);
    return keyframe;
}

TEST(Keyframe, OfAnEmptyModel) {
    Model model;
    EXPECT_TRUE(model.load_keyframe(keyframe_of(Model{})));
    EXPECT_EQ(dump(model), dump(Model{}));
}

TEST(Keyframe, SaysEverything) {
    const Model model = folded(random_history(1));
    Model loaded;
    ASSERT_TRUE(loaded.load_keyframe(keyframe_of(model)));
    EXPECT_EQ(dump(loaded), dump(model));
    EXPECT_EQ(loaded.slow_step_ns(), 60u);
    EXPECT_EQ(loaded.wall_unix_ns(600), 1'000'100u);
}

TEST(Keyframe, SurvivesTheWire) {
    const Model model = folded(random_history(2));
    v2::Keyframe parsed;
    ASSERT_TRUE(parsed.ParseFromString(keyframe_of(model).SerializeAsString()));
    Model loaded;
    ASSERT_TRUE(loaded.load_keyframe(parsed));
    EXPECT_EQ(dump(loaded), dump(model));
}

TEST(Keyframe, IsANewVersionOfTheModelThatLoadsIt) {
    Model model = folded(random_history(3));
    const std::uint64_t before = model.version();
    ASSERT_TRUE(model.load_keyframe(keyframe_of(folded(random_history(4)))));
    EXPECT_GT(model.version(), before);
}

TEST(Keyframe, ARefusedOneChangesNothing) {
    Model model = folded(random_history(3));
    const std::string before = dump(model);
    v2::Keyframe bad = keyframe_of(model);
    bad.mutable_tasks()->mutable_parent()->RemoveLast();
    EXPECT_FALSE(model.load_keyframe(bad));
    EXPECT_EQ(dump(model), before);
}

TEST(Keyframe, WithTighterLimitsTheOldestGo) {
    const Model model = folded(random_history(5));
    Limits limits;
    limits.done_tasks = 2;
    limits.slices = 3;
    limits.iterations = 1;
    limits.long_steps = 1;
    limits.reports = 1;
    Model loaded(limits);
    ASSERT_TRUE(loaded.load_keyframe(keyframe_of(model)));
    EXPECT_EQ(loaded.done_tasks().size(), 2u);
    EXPECT_EQ(loaded.done_tasks().back()->id, model.done_tasks().back()->id);
    EXPECT_EQ(loaded.loops()[0]->slices.size(), 3u);
    EXPECT_EQ(loaded.loops()[0]->slices_dropped, model.loops()[0]->slices.size() - 3);
    EXPECT_EQ(loaded.long_steps().size(), 1u);
    EXPECT_EQ(loaded.reports().size(), 1u);
    EXPECT_EQ(loaded.live_tasks().size(), model.live_tasks().size());
}

TEST(Keyframe, NonsenseIsRefused) {
    const v2::Keyframe good = keyframe_of(folded(random_history(6)));
    ASSERT_GT(good.tasks().id_delta_size(), 2);
    ASSERT_GT(good.done_tasks_size(), 1);
    const auto refused = [&](auto spoil) {
        v2::Keyframe bad = good;
        spoil(bad);
        Model model;
        return !model.load_keyframe(bad);
    };
    EXPECT_TRUE(refused([](auto& k) { k.mutable_tasks()->set_id_delta(1, 0); })) << "an id twice";
    EXPECT_TRUE(refused([](auto& k) { k.mutable_tasks()->set_id_delta(0, 0); })) << "id 0";
    EXPECT_TRUE(refused([](auto& k) { k.mutable_tasks()->set_flags(0, 7); })) << "an unknown state";
    EXPECT_TRUE(refused([](auto& k) { k.set_done_tasks(1, k.done_tasks(0)); })) << "done twice";
    EXPECT_TRUE(refused([](auto& k) { k.mutable_done_tasks()->RemoveLast(); })) << "done, and on no list";
    EXPECT_TRUE(refused([](auto& k) { k.set_done_tasks(0, 987654321); })) << "an unknown task done";
    EXPECT_TRUE(refused([](auto& k) { k.mutable_loops(1)->set_id(k.loops(0).id()); })) << "a loop twice";
    EXPECT_TRUE(refused([](auto& k) { k.mutable_loops(0)->mutable_slices()->mutable_task_delta()->Add(1); }));
    EXPECT_TRUE(refused([](auto& k) { k.mutable_loops(0)->mutable_iterations()->mutable_steps()->Add(1); }));
    EXPECT_TRUE(refused([](auto& k) { k.mutable_long_steps()->add_loop(1); }));
    EXPECT_TRUE(refused([](auto& k) { *k.add_threads() = k.threads(0); })) << "a thread twice";
    EXPECT_TRUE(refused([](auto& k) {
        for (auto& thread : *k.mutable_threads()) thread.set_loop(10);
    })) << "a loop on two threads";
}

}  // namespace
}  // namespace coroscope::model::test
